// What a benchmark came to: everything that was measured, and what was made of it.
import type { CostPoint } from "../../kernels/cost.ts";
import { HunchError } from "../../src/errors.ts";
import type { Sampling } from "../../src/sampling.ts";
import { readTextFile } from "../input/text.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import type { Machine } from "./machine.ts";
import type { Setting } from "./settings.ts";
import type { Run } from "./stand.ts";
import type { Interval } from "./statistics.ts";

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
  /** The beginning of each prompt's SHA-256, in the same order. */
  readonly texts: readonly string[];
  /** No chat template. */
  readonly raw: boolean;
  readonly sampling: Sampling;
  readonly seed: string;
  readonly maxTokens: number;
  readonly turns: number;
  /** As asked for; null: one per core. */
  readonly threads: number | null;
  readonly context: number;
  /** Where draft models run, as asked for. */
  readonly device: string;
  /** The store that drafters may look things up in; empty where there is none. */
  readonly store: string;
  /** Path of each plugin, with the beginning of its SHA-256. */
  readonly plugins: readonly string[];
  readonly hunch: string;
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
  /** Absent where no other format was measured here. */
  readonly fastest?: Fastest;
  readonly peakMiB: number;
  /** Share of the time of the last run in which hunch waited for a core; absent where the system does not tell. */
  readonly waited?: number;
  /** What each setting's drafter held at the end; absent where the runtime does not tell. */
  readonly memory?: Memory;
  readonly warnings: readonly string[];
  readonly rows: readonly Row[];
}

export interface Memory {
  /** Prompts that the drafters had answered: where a benchmark was gone on with, those of one run. */
  readonly prompts: number;
  /** Bytes by setting. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** The weight format in which a plain pass takes the least time on this machine, by what was measured beforehand. */
export interface Fastest {
  readonly format: WeightFormat;
  /** That time in proportion to a plain pass in the format of the results, at most 1. */
  readonly share: number;
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
  /** Over plain decoding in the fastest format; absent where that is the format of the results, or not known. */
  readonly overFastest?: Interval;
  /** The median by the cost curve: the passes as they were, each at the time measured beforehand, and the drafting. */
  readonly expected?: number;
  readonly tokensPerPass: number;
  readonly rowsPerPass: number;
  /** Shares of what was offered: at each depth, of each child rank. */
  readonly byDepth: readonly number[];
  readonly byRank: readonly number[];
  /** Of what each source drafted and was judged, the share that was accepted; empty for drafters with one source. */
  readonly bySource: Readonly<Record<string, number>>;
  /** Shares of the time of decoding. */
  readonly time: { readonly drafting: number; readonly verifying: number; readonly other: number };
  /** Median of the prompt's own pass and the first round, in ms. */
  readonly firstTokenMs: number;
  readonly foreign?: number;
  readonly logProbability?: number;
  /** Bytes that the drafter held at the end, in rows of all kinds. */
  readonly memory?: number;
}

export const FORMAT_VERSION = 2;

export type Unsummed = Omit<Results, "warnings" | "rows">;

export function key({ kind, id }: { readonly kind: string; readonly id: string }): string {
  return `${kind}/${id}`;
}

/** The kind in a key. */
export function kindOf(prompt: string): string {
  return prompt.slice(0, prompt.indexOf("/"));
}

/** Tokens per second of decoding. */
export function rate({ tokens, decodeMs }: Run): number {
  return 1000 * tokens / decodeMs;
}

/** Answers shorter than this say nothing about a speed. */
export const SHORT = 8;

/** Reads results that `hunch bench` has written. Throws HunchError where a file is none, or of another version. */
export async function readResults(path: string): Promise<Results> {
  const text = await readTextFile(path);
  const value = parsed(text);
  if (isObject(value) && Array.isArray(value.runs) && typeof value.version === "number") {
    if (value.version !== FORMAT_VERSION) {
      const age = value.version < FORMAT_VERSION ? "an older" : "a newer";
      throw new HunchError("input", `this result is of ${age} hunch`, { file: path, hint: "measure again" });
    }
    if (isResults(value)) return value;
  }
  throw new HunchError("input", "this is no result of hunch bench", {
    file: path,
    hint: "name the results.json that it wrote",
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

// Whether everything is there that whoever reads results asks for; files are edited, merged and cut.

export const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;
export const isList = (value: unknown, is: (item: unknown) => boolean) => Array.isArray(value) && value.every(is);
export const isText = (value: unknown) => typeof value === "string";
/** JSON has numbers that no double holds. */
export const isNumber = (value: unknown) => Number.isFinite(value);

function isResults(value: Fields): value is Fields & Results {
  return isObject(value.model) && isText(value.model.hash) &&
    isObject(value.machine) && isText(value.machine.hunch) && isText(value.started) &&
    isList(value.prompts, isText) && isList(value.texts, isText) &&
    isList(value.settings, (setting) => isObject(setting) && isText(setting.name)) &&
    isList(
      value.curve,
      (point) => isObject(point) && isNumber(point.width) && isNumber(point.ms) && Number(point.ms) > 0,
    ) &&
    isList(value.rows, isObject) && isList(value.runs, isRun);
}

export function isFacts(facts: unknown): boolean {
  return isObject(facts) && isText(facts.kind) && isText(facts.id) &&
    [facts.tokens, facts.cut, facts.ms].every(isNumber);
}

export function isRun(run: unknown): boolean {
  return isObject(run) && isText(run.setting) && isText(run.prompt) && isObject(run.widths) &&
    isObject(run.ranks) && isObject(run.bySource) &&
    [run.offeredAt, run.acceptedAt, run.ranks.offered, run.ranks.accepted].every((list) => isList(list, isNumber)) &&
    [run.turn, run.tokens, run.passes, run.rows, run.drafted, run.accepted, run.draftMs, run.verifyMs, run.decodeMs]
      .every(isNumber) &&
    (Number(run.decodeMs) > 0 || run.tokens === 0);
}
