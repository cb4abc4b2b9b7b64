// A controller decides how much to draft, round by round.
import type { Candidates, Tap } from "./backend.ts";
import type { Distribution } from "./math/distribution.ts";
import type { DraftTree } from "./tree.ts";
import type { Verdict } from "./verdict.ts";

/**
 * [width] The draft model's hidden state before its head that q was made of; undefined where the drafter has none, and the
 * first time that it is asked.
 */
export type DraftState = () => Float32Array | undefined;

/** How much to draft. `nodes` 0 means: decode plainly. */
export interface Plan {
  /** Most nodes of the draft. */
  readonly nodes: number;
  /** Most tokens from the root to a leaf. */
  readonly depth: number;
  /**
   * Asked before children of a node are drawn from q, which they would stand `depth` deep in the draft by, ≥ 1: false,
   * and the node stays a leaf; "last", and its children do. It must look at nothing that is drawn below the node, or a
   * rule would be told that what was not drawn is not there. Absent: always on. Drafters without a q never ask.
   */
  readonly goOn?: (q: Distribution, depth: number, state?: DraftState) => boolean | "last";
  /** True: `goOn` gets the drafter's soft-max instead of q, before temperature and truncation. */
  readonly raw?: true;
  /**
   * Milliseconds of a target pass over so many rows. Where it is given, a drafter that knows how likely its nodes are
   * accepted drafts no more of them than are worth their rows.
   */
  readonly cost?: (rows: number) => number;
}

/** Hidden states by tap, [rows · width] each. */
export type States = ReadonlyMap<Tap, Float32Array>;

/** What happened in a round. Times in milliseconds. */
export interface Round {
  readonly plan: Plan;
  /** As it was verified. */
  readonly tree: DraftTree;
  /** On the tree. */
  readonly verdict: Verdict;
  /** Tokens committed, oldest first: the accepted path and the next token, less what follows an end of the text. */
  readonly committed: Int32Array;
  /**
   * [rows] What the target found likeliest after the root (row 0) and after each node i (row i + 1), refused ones too, at
   * the pass's temperature and before penalties; where the drafter asked for it.
   */
  readonly candidates?: readonly Candidates[];
  /** The target's hidden states at the same rows, [rows · width] of each tap, where the drafter asked for them. */
  readonly states?: States;
  /** Rows of the target's pass, padding included. */
  readonly rows: number;
  readonly draftMs: number;
  readonly verifyMs: number;
}

/** What a controller may look at before a round. */
export interface State {
  /** Tokens of prompt and completion so far. */
  readonly length: number;
  /** Tokens that may still be generated. */
  readonly remaining: number;
  /** Milliseconds of a target pass over `width` rows; NaN in the first round, where nothing is stored. */
  cost(width: number): number;
}

/**
 * For example, one that drafts a token more than were accepted last time, at most 3 (docs/examples/streak.ts): it plans 1;
 * after rounds that accepted 1, 2, 3 and 0 it plans 2, 3, 3 and 1. With one token left to generate it plans 0.
 */
export interface Controller {
  readonly name: string;
  plan(state: State): Plan;
  observe(round: Round): void;
}
