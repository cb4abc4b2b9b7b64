// hunch claims: what papers say, and what becomes of it on this model and machine.
import { EXIT, HunchError } from "../../src/errors.ts";
import { GREEDY } from "../../src/sampling.ts";
import { suggestion } from "../../src/suggestion.ts";
import { DATA_SETS, tasksOf } from "../bench/data.ts";
import { machine, machineFacts } from "../bench/machine.ts";
import { openCache } from "../cache/cache.ts";
import { refuseUnknownBackend } from "../engine/backends.ts";
import { openRegistry } from "../engine/methods.ts";
import { openNamed } from "../engine/models.ts";
import { Status } from "../output/status.ts";
import { paintFor } from "../output/colour.ts";
import { stdout } from "../output/streams.ts";
import type { Claim, Verdict } from "./claim.ts";
import { Ground } from "./ground.ts";
import { CLAIMS } from "./list.ts";
import type { ClaimsCommand } from "./options.ts";

export interface Tested {
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** Our figure, or why there is none. */
  readonly ours: string;
}

/** Returns the exit code. */
export async function claims(options: ClaimsCommand): Promise<number> {
  const wanted = options.ids.length > 0 ? options.ids.map(named) : CLAIMS;
  if (options.list) {
    for (const { id, claim } of wanted) stdout.line(`${id}: ${claim}`);
    return EXIT.ok;
  }
  const status = new Status();
  const tasks = await tasksOf(DATA_SETS, options.prompts);
  const own = { drafter: "none", rule: undefined, controller: undefined, plugins: [], overflow: "truncate" } as const;
  const stand = { ...options, ...own, sampling: GREEDY, seed: "claims", raw: false };
  const registry = await openRegistry([]);
  // Claims about rules need neither, but nobody wants to wait for them to learn of a slip.
  await refuseUnknownBackend(options.backend, registry);
  if (options.model !== undefined) (await openNamed(options.model, openCache())).close();
  const ground = new Ground(registry, stand, tasks, status.progress);
  const all: Tested[] = [];
  try {
    for (const claim of wanted) {
      const tested = await put(claim, ground);
      status.clear();
      all.push(tested);
      if (!options.json) print(tested);
    }
  } finally {
    status.clear();
    await ground.close();
  }
  if (options.json) stdout.line(JSON.stringify({ machine: machine(), claims: all.map(asJson) }));
  else {
    const proven = all.filter(({ claim, verdict }) => verdict === "holds" && isProven(claim)).length;
    const count = (verdict: Verdict) => all.filter((tested) => tested.verdict === verdict).length;
    stdout.line();
    stdout.line(
      `${count("holds")} hold (${proven} ${proven === 1 ? "is proven and checks" : "are proven and check"} hunch), ${
        count("does not hold")
      } do not, ${count("cannot be tested here")} cannot be tested here`,
    );
    if (ground.drafted) {
      stdout.line(
        `drafters: ${tasks.length} prompts of ${new Set(tasks.map(({ kind }) => kind)).size} kinds of work, greedy, ` +
          `up to ${options.maxTokens} tokens each; with so few, a small difference says nothing (--prompts, -n)`,
      );
    }
    stdout.line(machineFacts(machine()).map(([name, value]) => `${name} ${value}`).join(" · "));
  }
  return EXIT.ok;
}

function named(id: string): Claim {
  const found = CLAIMS.find((claim) => claim.id === id);
  if (found !== undefined) return found;
  throw new HunchError("usage", `there is no claim ${JSON.stringify(id)}`, {
    hint: suggestion(id, CLAIMS.map(({ id }) => id)),
  });
}

/** Only what the model or the machine cannot do is untestable; what else fails is thrown, a model that does not run as well. */
export async function put(claim: Claim, ground: Ground): Promise<Tested> {
  if ("because" in claim) return { claim, verdict: "cannot be tested here", ours: `because ${claim.because}` };
  try {
    const { ours, holds } = await claim.test(ground);
    return { claim, verdict: holds ? "holds" : "does not hold", ours };
  } catch (error) {
    if (
      ground.isFailure(error) ||
      !(error instanceof HunchError && (error.kind === "unavailable" || error.kind === "usage"))
    ) throw error;
    return { claim, verdict: "cannot be tested here", ours: `because ${error.line}` };
  }
}

const PROVEN = "proven; checks hunch";

function print({ claim: whole, verdict, ours }: Tested): void {
  const { id, claim, paper, published } = whole;
  const paint = paintFor(stdout);
  const mark = verdict === "holds"
    ? paint.good(verdict)
    : verdict === "does not hold"
    ? paint.bad(verdict)
    : paint.dim(verdict);
  stdout.line(`${paint.bold(id)}: ${claim}`);
  stdout.line(
    `  published  ${published} ${
      paint.dim(`(${paper.title}, ${[paper.year, paper.arxiv].filter(Boolean).join(", ")})`)
    }`,
  );
  stdout.line(
    `  ${mark}${verdict === "cannot be tested here" ? ", " : "  "}${ours}${isProven(whole) ? ` (${PROVEN})` : ""}`,
  );
}

function isProven(claim: Claim): boolean {
  return "proven" in claim && claim.proven === true;
}

function asJson({ claim: whole, verdict, ours }: Tested) {
  const { id, claim, paper, published } = whole;
  return { id, claim, paper, published, proven: isProven(whole), verdict, ours };
}
