// What a benchmark came to: everything that was measured, and for each setting and kind of work medians with intervals.
import { type CostPoint, interpolateCost as costAt } from "../../kernels/cost.ts";
import { HunchError } from "../../src/errors.ts";
import type { Sampling } from "../../src/sampling.ts";
import { RANDOM_WEIGHTS } from "../engine/models.ts";
import { readTextFile } from "../input/text.ts";
import type { Machine } from "./machine.ts";
import type { Setting } from "./settings.ts";
import type { Run } from "./stand.ts";
import { type Interval, median, restlessness, stratified } from "./statistics.ts";

/** A run with what was run, `turn` counting from 0. */
export interface Measured extends Run {
  readonly setting: string;
  /** `kind/id` of the prompt. */
  readonly prompt: string;
  readonly turn: number;
  /** Whether it is the text of plain decoding; absent where the rule promises a distribution only. */
  readonly same?: boolean;
}

export interface PromptFacts {
  readonly id: string;
  readonly kind: string;
  readonly tokens: number;
  readonly cut: number;
  /** Milliseconds of computing it. */
  readonly ms: number;
}

/** What has to be the same for two runs to be parts of one benchmark. */
export interface Plan {
  readonly version: number;
  readonly model: { readonly title: string; readonly path: string; readonly hash: string };
  readonly engine: string;
  readonly format: string;
  readonly strict: boolean;
  readonly settings: readonly Setting[];
  readonly data: readonly string[];
  /** `kind/id` of all prompts, in order. */
  readonly prompts: readonly string[];
  readonly sampling: Sampling;
  readonly seed: string;
  readonly maxTokens: number;
  readonly turns: number;
}

export interface Results extends Plan {
  readonly machine: Machine;
  readonly command: string;
  /** ISO 8601. */
  readonly started: string;
  readonly facts: readonly PromptFacts[];
  readonly runs: readonly Measured[];
  /** Milliseconds of a target pass by its rows, measured here beforehand. */
  readonly curve: readonly CostPoint[];
  readonly peakMiB: number;
  readonly warnings: readonly string[];
  readonly rows: readonly Row[];
}

/** A setting on one kind of work, or on all. */
export interface Row {
  readonly setting: string;
  /** Absent: all kinds together. */
  readonly kind?: string;
  readonly prompts: number;
  /** Prompts with the text of plain decoding; absent where the rule promises no text. */
  readonly same?: number;
  readonly tokensPerSecond: Interval;
  /** Over plain decoding of the same prompt beside it; absent of plain decoding itself. */
  readonly speedup?: Interval;
  /** The same by the cost curve: the passes as they were, each at the time measured beforehand, and the drafting. */
  readonly expected?: number;
  readonly tokensPerPass: number;
  readonly rowsPerPass: number;
  /** Shares of what was offered: at each depth, of each child rank. */
  readonly byDepth: readonly number[];
  readonly byRank: readonly number[];
  /** Shares of the time of decoding. */
  readonly time: { readonly drafting: number; readonly verifying: number; readonly other: number };
  /** Median of the prompt's own pass and the first round, in ms. */
  readonly firstTokenMs: number;
  readonly foreign?: number;
  readonly logProbability?: number;
}

export const FORMAT_VERSION = 1;
/** Spread of plain decoding beyond which the machine was busy: half the distance of the quartiles over the median. */
const BUSY = 0.15;
const FEW_PROMPTS = 8;
/** Answers shorter than this say nothing about a speed. */
const SHORT = 8;

export type Unsummed = Omit<Results, "warnings" | "rows">;

export function summed(measured: Unsummed): Results {
  const rows = rowsOf(measured);
  return { ...measured, rows, warnings: warningsOf(measured) };
}

export function key({ kind, id }: { readonly kind: string; readonly id: string }): string {
  return `${kind}/${id}`;
}

const rate = ({ tokens, decodeMs }: Run) => 1000 * tokens / decodeMs;

/** For each setting all kinds together, then each kind where there are several, unless `apart` is false. */
export function rowsOf(
  { settings, facts, runs, curve }: Pick<Unsummed, "settings" | "facts" | "runs" | "curve">,
  { apart = true }: { readonly apart?: boolean } = {},
): Row[] {
  const kinds = [...new Set(facts.map(({ kind }) => kind))];
  const plain = new Map(runs.filter(({ setting }) => setting === settings[0].name).map((run) => [place(run), run]));
  return settings.flatMap(({ name }) => {
    const own = runs.filter((run) =>
      run.setting === name && run.tokens >= SHORT && plain.get(place(run)) !== undefined &&
      plain.get(place(run))!.tokens >= SHORT
    );
    const ofKind = (kind: string) => own.filter(({ prompt }) => prompt.startsWith(`${kind}/`));
    const groups = kinds.map(ofKind).filter((group) => group.length > 0);
    if (groups.length === 0) return [];
    const all = rowOf(name, undefined, groups);
    if (kinds.length === 1 || !apart) return [all];
    return [all, ...kinds.flatMap((kind) => ofKind(kind).length > 0 ? [rowOf(name, kind, [ofKind(kind)])] : [])];
  });

  function rowOf(setting: string, kind: string | undefined, groups: readonly Measured[][]): Row {
    const all = groups.flat();
    const sum = (value: (run: Measured) => number) => all.reduce((total, run) => total + value(run), 0);
    const comparable = all.filter(({ same }) => same !== undefined);
    const prompts = new Set(all.map(({ prompt }) => prompt));
    const time = sum(({ decodeMs }) => decodeMs);
    const isPlain = setting === settings[0].name;
    const share = (of: (run: Measured) => number) => sum(of) / time;
    const [drafting, verifying] = [share(({ draftMs }) => draftMs), share(({ verifyMs }) => verifyMs)];
    const relaxed = all.filter(({ logProbability }) => logProbability !== undefined);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    return {
      setting,
      ...kind === undefined ? {} : { kind },
      prompts: prompts.size,
      ...comparable.length < all.length ? {} : {
        same: [...prompts].filter((prompt) => all.every((run) => run.prompt !== prompt || run.same)).length,
      },
      tokensPerSecond: stratified(perPrompt(groups, rate)),
      ...isPlain ? {} : {
        speedup: stratified(perPrompt(groups, (run) => rate(run) / rate(plain.get(place(run))!))),
        expected: sum(({ tokens }) => tokens) * costAt(curve, 1) / sum((run) => run.draftMs + expectedMs(run, curve)),
      },
      tokensPerPass: sum(({ tokens }) => tokens) / sum(({ passes }) => passes),
      rowsPerPass: sum(({ rows }) => rows) / sum(({ passes }) => passes),
      byDepth: shares(all.map(({ offeredAt }) => offeredAt), all.map(({ acceptedAt }) => acceptedAt)),
      byRank: shares(all.map(({ ranks }) => ranks.offered), all.map(({ ranks }) => ranks.accepted)),
      time: { drafting, verifying, other: Math.max(0, 1 - drafting - verifying) },
      firstTokenMs: median(all.filter(({ turn }) => turn === 0).map((run) => run.firstMs + promptMs(run))),
      ...relaxed.length === 0 ? {} : { logProbability: mean(relaxed.map((run) => run.logProbability!)) },
      ...relaxed.some(({ foreign }) => foreign !== undefined)
        ? { foreign: sum(({ foreign = 0, tokens }) => foreign * tokens) / sum(({ tokens }) => tokens) }
        : {},
    };
  }

  function promptMs({ prompt }: Measured): number {
    return facts.find((fact) => key(fact) === prompt)?.ms ?? 0;
  }
}

/** A run's place: what is measured there stands side by side. */
function place({ prompt, turn }: Measured): string {
  return `${turn} ${prompt}`;
}

/** In each group one number per prompt: the median over its turns. */
function perPrompt(groups: readonly (readonly Measured[])[], value: (run: Measured) => number): number[][] {
  return groups.map((group) => {
    const prompts = Map.groupBy(group, ({ prompt }) => prompt);
    return [...prompts.values()].map((runs) => median(runs.map(value)));
  });
}

/** Milliseconds of a run's passes by the curve. */
function expectedMs({ widths }: Run, curve: readonly CostPoint[]): number {
  return Object.entries(widths).reduce((sum, [rows, count]) => sum + count * costAt(curve, Number(rows)), 0);
}

function shares(offered: readonly (readonly number[])[], accepted: readonly (readonly number[])[]): number[] {
  const total = (lists: readonly (readonly number[])[], i: number) =>
    lists.reduce((sum, list) => sum + (list[i] ?? 0), 0);
  const length = Math.max(0, ...offered.map((list) => list.length));
  return Array.from({ length }, (_, i) => total(accepted, i) / total(offered, i));
}

function warningsOf({ model, settings, facts, runs }: Unsummed): string[] {
  const warnings: string[] = [];
  if (model.title.includes(RANDOM_WEIGHTS)) {
    warnings.push("the weights are random: times of passes are a real model's, what is kept of drafts is nobody's");
  }
  const plain = runs.filter((run) => run.setting === settings[0].name && run.tokens >= SHORT);
  // Kinds differ in their speed; what is left within them is the machine's, and a little the prompts'. Where each has one
  // prompt, all of them stand together.
  const byKind = [...Map.groupBy(plain, ({ prompt }) => prompt.split("/")[0]).values()];
  const beside = (byKind.some((group) => group.length > 1) ? byKind : [plain]).flatMap((group) => {
    const middle = median(group.map(rate));
    return group.map((run) => rate(run) / middle);
  });
  if (beside.length > 0 && restlessness(beside) > BUSY) {
    const percent = Math.round(100 * restlessness(beside));
    warnings.push(
      `the machine was busy: plain decoding varied by ±${percent}%; close what else runs and measure again`,
    );
  }
  if (facts.length < FEW_PROMPTS) {
    warnings.push(
      `only ${facts.length} ${
        facts.length === 1 ? "prompt" : "prompts"
      }: intervals of fewer than ${FEW_PROMPTS} say little; raise --prompts`,
    );
  }
  const cut = facts.filter((fact) => fact.cut > 0).length;
  if (cut > 0) warnings.push(`${cut} of ${facts.length} prompts were cut at their beginning to fit the context`);
  const short = new Set(
    plain.length < runs.length ? runs.filter(({ tokens }) => tokens < SHORT).map((run) => run.prompt) : [],
  );
  if (short.size > 0) {
    warnings.push(`${short.size} prompts have answers of fewer than ${SHORT} tokens and are left out`);
  }
  for (const { name } of settings) {
    const differing = new Set(
      runs.filter((run) => run.setting === name && run.same === false).map((run) => run.prompt),
    );
    if (differing.size > 0) {
      warnings.push(`${name}: ${differing.size} texts differ from plain decoding's, which they must not`);
    }
  }
  return warnings;
}

/** Reads results that `hunch bench` has written. Throws HunchError where a file is none. */
export async function readResults(path: string): Promise<Results> {
  try {
    const results = JSON.parse(await readTextFile(path)) as Results;
    if (results.version === FORMAT_VERSION && Array.isArray(results.runs) && Array.isArray(results.rows)) {
      return results;
    }
  } catch (error) {
    if (error instanceof HunchError) throw error;
  }
  throw new HunchError("input", "this is no result of hunch bench", {
    file: path,
    hint: "name the results.json that it wrote",
  });
}
