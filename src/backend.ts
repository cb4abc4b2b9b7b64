// How arithmetic is reached: a Backend loads a model as an Engine, an Engine opens Sequences, a Sequence scores rows.
import type { Verified, VerifyRequest } from "./device-rule.ts";
import type { Distribution } from "./math/distribution.ts";
import type { ModelSource } from "./model/source.ts";
import type { WeightFormat } from "./weight-format.ts";

/** What an engine can do. A command checks this before the first token and names what is missing. */
export interface Capabilities {
  /** Rows of one pass may form a tree (false: chains only). */
  readonly tree: boolean;
  /**
   * Where a row's scores are the same to the last bit whatever rows stand beside it. `chains`: for chains of any
   * width and chunking; `trees`: for tree nodes as well; `none`: no promise.
   */
  readonly exact: "none" | "chains" | "trees";
  /** Verification rules that the engine can run itself (`Rows.verify`), by name. */
  readonly deviceRules: readonly string[];
  /**
   * A pass runs beside the thread that asked for it: while it does, other engines can compute. Absent where a pass
   * blocks the thread.
   */
  readonly concurrent?: true;
  /** Hidden states can be read (`Rows.taps`). */
  readonly taps?: true;
  /** A pass may leave blocks out (`Rows.skip`). */
  readonly skip?: true;
  /** Rows may be given as embeddings (`Rows.embeddings`). */
  readonly embeddings?: true;
  /** How committed tokens are taken back. */
  readonly rewind: "truncate" | "snapshot";
}

export interface EngineOptions {
  readonly format: WeightFormat | "auto";
  /**
   * Which format `auto` is, of those whose passes were measured here, by milliseconds of a pass over so many rows.
   * `auto` is `exact` where this is absent, or nothing else was measured beside `exact`.
   */
  readonly chooseFormat?: (costs: ReadonlyMap<WeightFormat, (rows: number) => number>) => WeightFormat;
  /** Bits may not depend on the number of rows in a pass. */
  readonly strict: boolean;
  /** Execution provider of the backend, e.g. `cpu`, `cuda`; the backend's default where absent. */
  readonly provider?: string;
  /** Most tokens a sequence may hold; the model's own context length where absent. */
  readonly context?: number;
  readonly threads?: number;
  /** Folder for converted models and calibrations. */
  readonly cacheDir: string;
  /** Told of slow steps (`converting`, `calibrating`), fraction 0…1. */
  readonly progress?: (step: string, fraction: number) => void;
}

/** What a backend would make of a model in one weight format, as far as can be told without loading it. */
export interface Offer {
  readonly format: WeightFormat;
  /** Bytes of the weights in memory; absent where it cannot be run. */
  readonly bytes?: number;
  /** Why it cannot be run, in one line. */
  readonly refusal?: string;
}

export interface Backend {
  readonly name: string;
  /** One offer for each weight format. Absent: only `load` can tell. */
  offers?(source: ModelSource): readonly Offer[];
  /**
   * The name of the hardware that it computes on, where that is not the processor. Throws UnsupportedError where there
   * is none. Only such a backend can be faster than the first of `--backend auto` that runs a model.
   */
  hardware?(cacheDir: string): Promise<string>;
  /** Throws UnsupportedError where this model, format or provider cannot be run here. */
  load(source: ModelSource, options: EngineOptions): Promise<Engine>;
}

/** One model on one backend. */
export interface Engine {
  /** For the summary, e.g. `onnx:cpu`. */
  readonly name: string;
  readonly source: ModelSource;
  readonly format: WeightFormat;
  /** Most tokens of one sequence. */
  readonly context: number;
  /** Most rows of one pass; longer inputs are prefilled in chunks by the sequence itself. */
  readonly maxRows: number;
  readonly can: Capabilities;
  open(): Sequence;
  /** Milliseconds of a pass over `width` rows: measured where `calibrate` ran, interpolated between. NaN before. */
  cost(width: number): number;
  /** Milliseconds of a plain pass in another weight format, everything else equal, where that was measured here; else NaN. */
  plainCost?(format: WeightFormat): number;
  /** Measures `cost`, or reads what was stored for this machine, model and format. */
  calibrate(): Promise<void>;
  close(): void;
}

/** What one pass computes on: the root, and below it the draft. `Sequence` has an example. */
export interface Rows {
  /** [rows] */
  readonly tokens: Int32Array;
  /** [rows], parents[i] < i; −1 continues the committed tokens. A chain where absent. */
  readonly parents?: Int32Array;
  /** Which rows get scores. `last`: the last row only, as row 0 of the Scores (prefill). Default `all`. */
  readonly score?: "all" | "last";
  /** Temperature of the probabilities in Scores, > 0. Default 1. */
  readonly temperature?: number;
  /** What will be asked of the Scores. All of it where absent. */
  readonly need?: Need;
  /** Hidden states that the Scores are to hold (`Scores.states`), of every row, whatever `score` says. */
  readonly taps?: readonly Tap[];
  /**
   * Blocks that the pass leaves out. It writes no keys and values of theirs: keep its rows only for passes that leave out
   * the same, and rewind before others follow. Passes that leave out nothing have the bits they would have had without.
   */
  readonly skip?: Skip;
  /** [rows, width] Stands for the embeddings of `tokens`, as the model's table has them: before scale and positions. */
  readonly embeddings?: Float32Array;
  /** Judges the rows where they are computed. An engine that can sets `Scores.verified`; where it does not, `need` holds. */
  readonly verify?: VerifyRequest;
}

/**
 * A place where the stream of hidden states can be read: after so many layers (0: the scaled embeddings), or what the
 * head reads, after the last norm. Layers that are left out count as well.
 */
export type Tap = number | "head";

/** Blocks by the number of their layer, ascending: the stream goes round them. All of both: norm and head alone. */
export interface Skip {
  readonly attention: readonly number[];
  readonly feedForward: readonly number[];
}

/**
 * What is asked of Scores, each with what stands before it: `argmax`; `candidates`, which is `top` up to `MOST_CANDIDATES`;
 * `probabilities`, which is `probability` and `distribution`; `logits`, which is all.
 */
export type Need = typeof NEEDS[number];
export const NEEDS = ["argmax", "candidates", "probabilities", "logits"] as const;

/** As many candidates of a row a pass with the need `candidates` brings. */
export const MOST_CANDIDATES = 64;

/**
 * The state of one text: committed tokens in the cache.
 *
 * For example, after 100 committed tokens: rows of tokens [5, 7, 9, 8] with parents [−1, 0, 1, 0] are the root 5, the chain
 * 7 9 below it and 8 beside 7. 5 stands at position 100, 7 and 8 at 101, 9 at 102. `keep([0, 1])` commits 5 and 7: the
 * length is 102, and 9 and 8 are forgotten.
 */
export interface Sequence {
  /** Committed tokens in the cache. */
  readonly length: number;
  /**
   * Scores `rows` after the committed tokens; commits nothing. The Scores are valid until the next call of any method
   * of this engine's sequences. Throws HunchError("input") when the context is full, and where a logit of a scored row
   * is infinite or no number: what else the Scores say is then without meaning.
   */
  forward(rows: Rows): Promise<Scores>;
  /**
   * How many rows of such a tree, from the front, the next `forward` can score with the bits that `can.exact` promises;
   * of more rows, those behind are scored nearly. Whoever promised a text cuts the draft there: what is cut is settled by
   * the order of the nodes alone, so drawn drafts keep their law. All of a chain's; absent where it is all of every
   * tree's.
   */
  exactRows?(parents: Int32Array): number;
  /** Commits the rows of `path` (indices into the last `forward`, from the root down); the others are forgotten. */
  keep(path: Int32Array): void;
  /** Forgets committed tokens from `length` on. */
  rewind(length: number): void;
  /** A second sequence with the same committed tokens. */
  fork(): Sequence;
  close(): void;
}

/** The likeliest tokens of a row, most likely first; equal ones by ascending id. */
export interface Candidates {
  readonly tokens: Int32Array; // [k]
  readonly probabilities: Float32Array; // [k], of the whole soft-max at the pass's temperature
}

/**
 * Scores stay where they were computed. Nothing the size of the vocabulary crosses into JavaScript unless the pass was
 * asked for it (`Rows.need`), or `load` was.
 */
export interface Scores {
  readonly rows: number;
  readonly vocab: number;
  /** The verdict that was asked for. Then nothing else is within reach before `load`. */
  readonly verified?: Verified;
  /** Brings everything within reach. Absent where it always is. */
  load?(): Promise<void>;
  /** The likeliest token; of equal ones the lowest id. */
  argmax(row: number): number;
  top(row: number, k: number): Candidates;
  /** Soft-max probability at the pass's temperature. */
  probability(row: number, token: number): number;
  distribution(row: number): Distribution;
  /** The raw scores, [vocab], before temperature. A copy or a view that is valid until the next pass. */
  logits(row: number): Float32Array | Float64Array;
  /**
   * [rows of the pass · width] Hidden states in the basis of the model's file, whatever the weight format; a copy or a view
   * that is valid until the next pass. Only of taps that the pass was asked for.
   */
  states?(tap: Tap): Float32Array | Float64Array;
}
