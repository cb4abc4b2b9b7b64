// hunch, node-llama-cpp (llama.cpp) and transformers.js (ONNX Runtime) answering the same prompts, greedily, on the same
// weights with the same threads, in turns: plain, with drafts from the text (hunch by its default drafter, the peers by
// prompt lookup), and with a draft model, as far as each has it.
//
//   npm run bench -- peers                                    the default model, and random weights of a 1B
//   npm run bench -- peers --model=big.gguf --draft=small.gguf --prompts=4 --tokens=128
//   npm run bench -- peers --prompts=1 --tokens=12 --turns=1 --only=code      does it run?
//
// The draft model of the default model is the model itself: all of its drafts are right, so what is lost against plain
// decoding is what drafting costs. transformers.js reads no GGUF: it gets the same numbers (peers/transformers-model.ts). It
// drafts nothing.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_DRAFTER } from "../../cli/engine/methods.ts";
import { ROOT } from "../../scripts/runtimes.ts";
import { type Child, hunch, llama, transformers } from "../child.ts";
import { Terminal } from "../terminal.ts";
import { installPeers, installTransformers } from "../peers/install.ts";
import { writeTransformersModel } from "../peers/transformers-model.ts";
import { ratios, show, spread, table } from "../report.ts";
import { DEFAULT_MODEL, THREADS } from "../setup.ts";
import { count, option, type Suite } from "../suite.ts";
import type { Generated } from "../worker.ts";
import { workloads } from "../workloads.ts";

const CONTEXT = 4096;
/** How often everybody answers a prompt; the quickest counts, since the slower ones had company on the machine. */
const TURNS = count("turns", 2);
/** Answers shorter than this say little. */
const SHORT = 8;

interface Field {
  /** In the head of the table. */
  readonly title: string;
  readonly path: string;
  readonly draft?: string;
  readonly prompts: number;
  /** Kinds of work; all where absent. */
  readonly kinds?: readonly string[];
  /** Most tokens of an answer. */
  readonly most: number;
}

interface Contender {
  readonly who: "hunch" | "node-llama-cpp" | "transformers.js";
  readonly how: string;
  readonly child: Child;
  readonly options: object;
}

/** What everybody made of the prompts of one kind: [contender][prompt], the quickest turn. */
interface Kind {
  readonly kind: string;
  readonly runs: readonly Generated[][];
}

const suite: Suite = {
  summary: "hunch, node-llama-cpp and transformers.js on the same prompts and weights: plain, lookup, a draft model",
  options: { model: "FILE", draft: "FILE", prompts: "N", tokens: "N", turns: "N", only: "KIND" },
  async run() {
    const versions = { "node-llama-cpp": await installPeers(), "transformers.js": await installTransformers() };
    const parts: string[] = [];
    for (const field of fields()) parts.push(await contest(field));
    return { report: parts.join("\n\n"), versions };
  },
};

export default suite;

function fields(): Field[] {
  const [path, draft] = [option("model"), option("draft")];
  const [prompts, most] = [count("prompts", 2), count("tokens", 64)];
  if (path !== undefined) return [{ title: path, path, draft, prompts, most }];
  return [
    { title: "the default model", path: DEFAULT_MODEL, draft: draft ?? DEFAULT_MODEL, prompts, most },
    {
      title: "a random 1B",
      path: randomModel(),
      prompts: 1,
      most: Math.min(most, 32),
      kinds: ["summarisation", "code edits"],
    },
  ];
}

/** Made once: as large as Llama 3.2 1B in Q4_K_M. */
function randomModel(): string {
  const path = `${ROOT}bench/out/random-1b.gguf`;
  mkdirSync(`${ROOT}bench/out`, { recursive: true });
  if (!existsSync(path)) new Terminal().run(`hunch model random '${path}' --like llama-1b --mix q4_k_m`);
  return path;
}

async function contest(field: Field): Promise<string> {
  const { title, path, draft, most } = field;
  const folder = mkdtempSync(join(tmpdir(), "hunch-peers-"));
  const all: Contender[] = [];
  try {
    const add = (who: Contender["who"], how: string, child: Child, options = {}) =>
      all.push({ who, how, child, options });
    const load = { path, threads: THREADS, context: CONTEXT };
    for (const drafter of ["none", DEFAULT_DRAFTER, ...draft === undefined ? [] : [`model:${draft}`]]) {
      const child = hunch();
      await child.ask("load", { ...load, drafter });
      add("hunch", drafter === "none" ? "plain" : drafter.replace(/^model:.*/, "draft model"), child);
    }
    const theirs = llama();
    await theirs.ask("load", { ...load, draft });
    add("node-llama-cpp", "plain", theirs);
    add("node-llama-cpp", "lookup", theirs, { lookup: true });
    if (draft !== undefined) add("node-llama-cpp", "draft model", theirs, { drafted: true });
    await writeTransformersModel(path, join(folder, "model"));
    const other = transformers();
    await other.ask("load", { folder: join(folder, "model"), threads: THREADS });
    add("transformers.js", "plain", other);

    const ids = async (text: string) => (await all[0].child.ask<{ ids: number[] }>("prompt", { text })).ids;
    const warm = await ids("Warm up.");
    for (const { child, options } of all) await child.ask("generate", { prompt: warm, max: 16, ...options });
    const kinds: Kind[] = [];
    for (const [kind, texts] of Object.entries(await workloads(field.prompts))) {
      if (!kind.startsWith(option("only") ?? "") || !(field.kinds ?? [kind]).includes(kind)) continue;
      const runs: Generated[][] = all.map(() => []);
      for (const [i, text] of texts.entries()) {
        const quickest = await answers(all, (await ids(text)).slice(-(CONTEXT - most)), most, i);
        if (quickest.some(({ tokens }) => tokens.length < SHORT)) continue;
        quickest.forEach((run, k) => runs[k].push(run));
        console.error(
          `${title}, ${kind} ${i + 1}/${texts.length}: ${quickest.map((run) => rate(run).toFixed(1)).join(" ")}`,
        );
      }
      if (runs[0].length > 0) kinds.push({ kind, runs });
    }
    return report(field, all, kinds);
  } finally {
    for (const child of new Set(all.map(({ child }) => child))) await child.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everybody's quickest answer; who goes first changes from prompt to prompt. */
async function answers(all: readonly Contender[], prompt: number[], max: number, first: number): Promise<Generated[]> {
  const quickest: Generated[] = [];
  for (let turn = 0; turn < TURNS * all.length; turn++) {
    const k = (turn + first) % all.length;
    const run = await all[k].child.ask<Generated>("generate", { prompt, max, ...all[k].options });
    if (quickest[k] === undefined || rate(run) > rate(quickest[k])) quickest[k] = run;
  }
  return quickest;
}

function report({ title, most }: Field, all: readonly Contender[], kinds: readonly Kind[]): string {
  const of = (who: Contender["who"], how: string) => all.findIndex((one) => one.who === who && one.how === how);
  const base = of("node-llama-cpp", "plain");
  const rates = ({ runs }: Kind, k: number) => runs[k].map(rate);
  const rows = kinds.map((kind) => [
    kind.kind,
    ...all.map((_, k) =>
      show(spread(rates(kind, k)), 1) +
      (k === base ? "" : ` · ${spread(ratios(rates(kind, k), rates(kind, base))).median.toFixed(2)}×`)
    ),
  ]);
  rows.push([
    "first token, ms",
    ...all.map((_, k) => show(spread(kinds.flatMap(({ runs }) => runs[k].map(({ firstMs }) => firstMs))), 0)),
  ]);
  const names = all.map(({ who, how }) => `${who} ${how}`);
  const answered = kinds.reduce((sum, { runs }) => sum + runs[0].length, 0);
  const same = (k: number) =>
    kinds.reduce((sum, { runs }) => sum + runs[k].filter((run, i) => sameText(run, runs[0][i])).length, 0);
  const texts = all.map((_, k) => `${names[k]} ${same(k)}`).slice(1);
  return [
    `### ${title}`,
    `Up to ${most} tokens each, decoding only (after the first token), tokens per second, the quickest of ${TURNS} turns; ` +
    `after · over node-llama-cpp plain.`,
    table([title, ...names], rows),
    `Of ${answered} answers so many are those of hunch plain, token for token: ${texts.join(", ")}.`,
    verdicts(all, kinds, of),
  ].join("\n\n");
}

/** Why a plain token of others may take less. */
const WHY_PLAIN = {
  "node-llama-cpp": "Its kernels are quicker at one row.",
  "transformers.js":
    "Both multiply by the same kernels of ONNX Runtime; its attention sums up as fast as it can, hunch's so that a row has the " +
    "same bits in a pass of any width, and hunch computes a lone row as two (`--strict`).",
};

/** Where somebody else is faster than hunch at the same thing, and why: by its plain decoding, or by what drafting adds. */
function verdicts(
  all: readonly Contender[],
  kinds: readonly Kind[],
  of: (who: Contender["who"], how: string) => number,
): string {
  const told: string[] = [];
  for (const [k, { who, how }] of all.entries()) {
    const ours = of("hunch", how === "lookup" ? DEFAULT_DRAFTER : how);
    if (who === "hunch") continue;
    for (const { kind, runs } of kinds) {
      const over = (a: number, b: number) => spread(ratios(runs[a].map(rate), runs[b].map(rate))).median;
      const ahead = over(k, ours);
      if (ahead <= 1) continue;
      const plain = over(of(who, "plain"), of("hunch", "plain"));
      const [theirs, own] = [over(k, of(who, "plain")), over(ours, of("hunch", "plain"))];
      const passes = spread(runs[of("hunch", "plain")].map(({ stats }) => stats.verifyMs / stats.decodeMs)).median;
      const why = how === "plain"
        ? `${WHY_PLAIN[who]} Hunch spends ${(100 * passes).toFixed(0)}% of the time in passes.`
        : `Its plain decoding is ${plain.toFixed(2)}× as fast, and drafting makes it ${
          theirs.toFixed(2)
        }× as fast, hunch ${own.toFixed(2)}×.`;
      told.push(`- **${who} wins** at ${kind}, ${how}: ${ahead.toFixed(2)}× as fast as hunch ${all[ours].how}. ${why}`);
    }
    if (how !== "plain") continue;
    const firsts = (k: number) => kinds.flatMap(({ runs }) => runs[k].map(({ firstMs }) => firstMs));
    const sooner = spread(ratios(firsts(ours), firsts(k))).median;
    if (sooner > 1) {
      told.push(
        `- **${who} wins** at the first token: ${
          sooner.toFixed(2)
        }× as soon. Its passes over many rows of a prompt are quicker.`,
      );
    }
  }
  return told.length === 0 ? "No peer is faster than hunch at the same thing on any kind of work." : told.join("\n");
}

/** As far as both go: one may have stopped at a token that ends the turn. */
function sameText(a: Generated, b: Generated): boolean {
  const length = Math.min(a.tokens.length, b.tokens.length);
  return Math.abs(a.tokens.length - b.tokens.length) <= 1 &&
    a.tokens.slice(0, length).join() === b.tokens.slice(0, length).join();
}

/** Tokens per second after the first. */
function rate({ tokens, ms, firstMs }: Generated): number {
  return (tokens.length - 1) / (ms - firstMs) * 1000;
}
