// A controller decides how much to draft, round by round.
import type { Distribution } from "./distribution.ts";
import type { DraftTree } from "./tree.ts";
import type { Verdict } from "./rule.ts";

/** How much to draft. `nodes` 0 means: decode plainly. */
export interface Plan {
  /** Most nodes of the draft. */
  readonly nodes: number;
  /** Most tokens from the root to a leaf. */
  readonly depth: number;
  /**
   * Asked before children of a node are drawn from q, which they would stand `depth` deep in the draft by, ≥ 1: false,
   * and the node stays a leaf. It must look at nothing that is drawn below the node, or a rule would be told that what
   * was not drawn is not there. Absent: always on. Drafters without a q never ask.
   */
  readonly goOn?: (q: Distribution, depth: number) => boolean;
}

/** What happened in a round. Times in milliseconds. */
export interface Round {
  readonly plan: Plan;
  readonly tree: DraftTree;
  /** On the tree. Where branches are settled a round later (see round.ts), what the pass found likely. */
  readonly verdict: Verdict;
  /** Tokens committed by the round, oldest first. Mostly the accepted path and the next token. */
  readonly committed: Int32Array;
  /** Rows of the target's pass, padding included. */
  readonly rows: number;
  readonly draftMs: number;
  readonly verifyMs: number;
}

/** What a controller may look at before a round. */
export interface State {
  /** Tokens of prompt and completion so far, unsettled ones included. */
  readonly length: number;
  /** Tokens that may still be generated. */
  readonly remaining: number;
  /** Tokens that the last round found likely: so many rows the next pass has beside the root, whatever is drafted. */
  readonly unsettled?: number;
  /** Milliseconds of a target pass over `width` rows; NaN in the first round, where nothing is stored. */
  cost(width: number): number;
}

export interface Controller {
  readonly name: string;
  plan(state: State): Plan;
  observe(round: Round): void;
}
