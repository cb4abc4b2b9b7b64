// hunch bench compare: two benchmarks of the same prompts, prompt by prompt. What both measured beside their own plain
// decoding is compared by that, so that a slower day of the machine is no regression.
import { EXIT, HunchError } from "../../src/errors.ts";
import { stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import { visible } from "../output/visible.ts";
import type { CompareCommand } from "./options.ts";
import { kindOf, type Measured, rate, readResults, type Results, SHORT } from "./results.ts";
import { PLAIN } from "./settings.ts";
import { type Interval, LEAST_PROMPTS, median, stratified } from "./statistics.ts";
import { intervalText } from "./words.ts";

export interface Difference {
  readonly setting: string;
  readonly prompts: number;
  /** Speed of B over that of A: for plain decoding tokens per second, for the others their speed-up over plain. */
  readonly ratio: Interval;
  readonly tokensPerPass: readonly [before: number, after: number];
  /** Tokens per second of B over those of A: the same as `ratio` for plain decoding. */
  readonly rate: Interval;
  /** The whole interval is below 1 − tolerance; of a drafter, on one machine, that of its tokens per second as well. */
  readonly regression: boolean;
  /** Fewer prompts than an interval needs: nothing is judged. */
  readonly tooFew?: true;
  /** Only for plain decoding: the two were measured on different machines. */
  readonly otherMachine?: true;
}

/** Returns the exit code: `refuted` where something became slower than is tolerated. */
export async function compare({ before, after, tolerance, json }: CompareCommand): Promise<number> {
  const [a, b] = [await readResults(before), await readResults(after)];
  refuseOther(a, b);
  const differences = differencesOf(a, b, tolerance);
  if (differences.length === 0) {
    throw new HunchError("usage", "the two have no setting with a common prompt", {
      hint: "measure both with the same --data, --prompts and methods",
    });
  }
  const compared = new Set(differences.map(({ setting }) => setting));
  const [onlyBefore, onlyAfter] = [a, b].map(({ settings }) =>
    settings.map(({ name }) => name).filter((name) => !compared.has(name))
  );
  if (json) stdout.line(JSON.stringify({ before, after, tolerance, differences, onlyBefore, onlyAfter }));
  else {
    print(differences, a, b, tolerance);
    for (const [which, names] of [["A", onlyBefore], ["B", onlyAfter]] as const) {
      if (names.length > 0) {
        stdout.line(`only in ${which}, and not compared: ${names.map((name) => visible(name)).join("; ")}`);
      }
    }
  }
  return differences.some(({ regression }) => regression) ? EXIT.refuted : EXIT.ok;
}

/** What has to be the same for a ratio to say something of hunch. */
const SAME = ["model", "format", "sampling", "seed", "maxTokens", "raw"] as const;

function refuseOther(a: Results, b: Results): void {
  const of = (results: Results, name: typeof SAME[number]) =>
    JSON.stringify(name === "model" ? results.model.hash : results[name]);
  const differing: string[] = SAME.filter((name) => of(a, name) !== of(b, name));
  const texts = new Map(a.prompts.map((prompt, i) => [prompt, a.texts[i]]));
  const changed = b.prompts.filter((prompt, i) => texts.has(prompt) && texts.get(prompt) !== b.texts[i]);
  if (changed.length > 0) differing.push(`text of ${changed[0]}`);
  if (differing.length === 0) return;
  throw new HunchError("usage", `the two cannot be compared: they differ in ${differing.join(", ")}`, {
    hint: "measure both with the same options and prompts",
  });
}

/** Of every setting that both have, on the prompts that both have. A regression on another machine is none. */
export function differencesOf(a: Results, b: Results, tolerance: number): Difference[] {
  const otherMachine = JSON.stringify({ ...a.machine, hunch: "" }) !== JSON.stringify({ ...b.machine, hunch: "" });
  return b.settings.flatMap(({ name }): Difference[] => {
    const over = name !== PLAIN;
    const [old, fresh] = [speeds(a, name, over), speeds(b, name, over)];
    const [oldRates, freshRates] = [speeds(a, name, false), speeds(b, name, false)];
    const common = [...fresh.keys()].filter((prompt) => old.has(prompt));
    if (common.length === 0) return [];
    const groups = [...Map.groupBy(common, kindOf).values()];
    const between = (before: Map<string, number>, after: Map<string, number>) =>
      stratified(groups.map((prompts) => prompts.map((prompt) => after.get(prompt)! / before.get(prompt)!)));
    const [ratio, rates] = [between(old, fresh), between(oldRates, freshRates)];
    const elsewhere = name === PLAIN && otherMachine;
    const slower = ({ high, range }: Interval) => !range && high < 1 - tolerance;
    return [{
      setting: name,
      prompts: common.length,
      ratio,
      tokensPerPass: [perPass(a, name, common), perPass(b, name, common)],
      rate: rates,
      regression: !elsewhere && slower(ratio) && (otherMachine || slower(rates)),
      ...ratio.range ? { tooFew: true } : {},
      ...elsewhere ? { otherMachine: true } : {},
    }];
  });
}

/** By prompt: the median over turns of tokens per second, or with `over` of the speed-up over the plain answer beside it. */
function speeds({ runs }: Results, setting: string, over: boolean): Map<string, number> {
  const place = ({ prompt, turn }: Measured) => `${turn} ${prompt}`;
  const plain = new Map(runs.filter((run) => run.setting === PLAIN).map((run) => [place(run), run]));
  const own = runs.filter((run) =>
    run.setting === setting && [run, plain.get(place(run))].every((one) => one !== undefined && one.tokens >= SHORT)
  );
  const value = (run: Measured) => over ? rate(run) / rate(plain.get(place(run))!) : rate(run);
  return new Map(
    [...Map.groupBy(own, ({ prompt }) => prompt)].map(([prompt, runs]) => [prompt, median(runs.map(value))]),
  );
}

function perPass({ runs }: Results, setting: string, prompts: readonly string[]): number {
  const own = runs.filter((run) => run.setting === setting && prompts.includes(run.prompt));
  const sum = (of: "tokens" | "passes") => own.reduce((total, run) => total + run[of], 0);
  return sum("tokens") / sum("passes");
}

type Judged = Pick<Difference, "ratio" | "regression" | "otherMachine" | "tooFew">;

function verdictOf({ ratio, regression, otherMachine, tooFew }: Judged, tolerance: number): string {
  if (tooFew) return `fewer than ${LEAST_PROMPTS} prompts`;
  if (regression) return "slower";
  if (otherMachine) return "another machine";
  return ratio.low > 1 + tolerance ? "faster" : "";
}

function print(differences: readonly Difference[], a: Results, b: Results, tolerance: number): void {
  const head = ["setting", "B / A", "prompts", "tokens per pass", ""];
  const rows = differences.map(({ setting, ratio, prompts, tokensPerPass, regression, otherMachine, tooFew }) => [
    visible(setting),
    intervalText(ratio, 3),
    String(prompts),
    tokensPerPass.map((value) => value.toFixed(2)).join(" → "),
    verdictOf({ ratio, regression, otherMachine, tooFew }, tolerance),
  ]);
  stdout.line(`A: ${a.machine.hunch}, ${a.started.slice(0, 16)}, ${a.engine} ${a.format}`);
  stdout.line(`B: ${b.machine.hunch}, ${b.started.slice(0, 16)}, ${b.engine} ${b.format}`);
  for (const line of table([head, ...rows], [1, 2, 3])) stdout.line(line);
  stdout.line(`plain decoding by tokens per second, the others by their speed-up over it; tolerance ${tolerance}`);
}
