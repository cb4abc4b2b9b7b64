// hunch bench compare: two benchmarks of the same prompts, prompt by prompt. What both measured beside their own plain
// decoding is compared by that, so that a slower day of the machine is no regression.
import { EXIT, HunchError } from "../../src/errors.ts";
import { stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import { visible } from "../output/visible.ts";
import type { CompareCommand } from "./options.ts";
import { kindOf, type Measured, rate, readResults, type Results } from "./results.ts";
import { PLAIN } from "./settings.ts";
import { type Interval, median, stratified } from "./statistics.ts";
import { intervalText } from "./words.ts";

export interface Difference {
  readonly setting: string;
  readonly prompts: number;
  /** Speed of B over that of A: for plain decoding tokens per second, for the others their speed-up over plain. */
  readonly ratio: Interval;
  readonly tokensPerPass: readonly [before: number, after: number];
  /** The whole interval is below 1 − tolerance. */
  readonly regression: boolean;
  /** Only for plain decoding: the two were measured on different machines. */
  readonly otherMachine?: true;
}

/** Returns the exit code: `refuted` where something became slower than is tolerated. */
export async function compare({ before, after, tolerance, json }: CompareCommand): Promise<number> {
  const [a, b] = [await readResults(before), await readResults(after)];
  const differences = differencesOf(a, b, tolerance);
  if (differences.length === 0) {
    throw new HunchError("usage", "the two have no setting with a common prompt", {
      hint: "measure both with the same --data, --prompts and methods",
    });
  }
  if (json) stdout.line(JSON.stringify({ before, after, tolerance, differences }));
  else print(differences, a, b, tolerance);
  return differences.some(({ regression }) => regression) ? EXIT.refuted : EXIT.ok;
}

/** Of every setting that both have, on the prompts that both have. A regression on another machine is none. */
export function differencesOf(a: Results, b: Results, tolerance: number): Difference[] {
  const otherMachine = JSON.stringify({ ...a.machine, hunch: "" }) !== JSON.stringify({ ...b.machine, hunch: "" });
  return b.settings.flatMap(({ name }): Difference[] => {
    const [old, fresh] = [speeds(a, name), speeds(b, name)];
    const common = [...fresh.keys()].filter((prompt) => old.has(prompt));
    if (common.length === 0) return [];
    const groups = [...Map.groupBy(common, kindOf).values()];
    const ratio = stratified(groups.map((prompts) => prompts.map((prompt) => fresh.get(prompt)! / old.get(prompt)!)));
    const elsewhere = name === PLAIN && otherMachine;
    return [{
      setting: name,
      prompts: common.length,
      ratio,
      tokensPerPass: [perPass(a, name, common), perPass(b, name, common)],
      regression: !elsewhere && ratio.high < 1 - tolerance,
      ...elsewhere ? { otherMachine: true } : {},
    }];
  });
}

/** By prompt: the median over turns of tokens per second, or of the speed-up over the plain answer beside it. */
function speeds({ runs }: Results, setting: string): Map<string, number> {
  const place = ({ prompt, turn }: Measured) => `${turn} ${prompt}`;
  const plain = new Map(runs.filter((run) => run.setting === PLAIN).map((run) => [place(run), run]));
  const own = runs.filter((run) => run.setting === setting && run.tokens > 0);
  const value = (run: Measured) => setting === PLAIN ? rate(run) : rate(run) / rate(plain.get(place(run))!);
  return new Map(
    [...Map.groupBy(own, ({ prompt }) => prompt)].map(([prompt, runs]) => [prompt, median(runs.map(value))]),
  );
}

function perPass({ runs }: Results, setting: string, prompts: readonly string[]): number {
  const own = runs.filter((run) => run.setting === setting && prompts.includes(run.prompt));
  const sum = (of: "tokens" | "passes") => own.reduce((total, run) => total + run[of], 0);
  return sum("tokens") / sum("passes");
}

function print(differences: readonly Difference[], a: Results, b: Results, tolerance: number): void {
  const head = ["setting", "B / A", "prompts", "tokens per pass", ""];
  const rows = differences.map(({ setting, ratio, prompts, tokensPerPass, regression, otherMachine }) => [
    visible(setting),
    intervalText(ratio, 3),
    String(prompts),
    tokensPerPass.map((value) => value.toFixed(2)).join(" → "),
    regression ? "slower" : otherMachine ? "another machine" : ratio.low > 1 + tolerance ? "faster" : "",
  ]);
  stdout.line(`A: ${a.machine.hunch}, ${a.started.slice(0, 16)}, ${a.engine} ${a.format}`);
  stdout.line(`B: ${b.machine.hunch}, ${b.started.slice(0, 16)}, ${b.engine} ${b.format}`);
  for (const line of table([head, ...rows], [1, 2, 3])) stdout.line(line);
  stdout.line(`plain decoding by tokens per second, the others by their speed-up over it; tolerance ${tolerance}`);
}
