// A controller decides how much to draft, round by round.
import type { DraftTree } from "./tree.ts";
import type { Verdict } from "./rule.ts";

/** How much to draft. `nodes` 0 means: decode plainly. */
export interface Plan {
  /** Most nodes of the draft. */
  readonly nodes: number;
  /** Most tokens from the root to a leaf. */
  readonly depth: number;
}

/** What happened in a round. Times in milliseconds. */
export interface Round {
  readonly plan: Plan;
  readonly tree: DraftTree;
  readonly verdict: Verdict;
  /** Tokens committed by the round, oldest first: the accepted path and the next token. */
  readonly committed: Int32Array;
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
  /** Milliseconds of a target pass over `width` rows; NaN before the engine is calibrated. */
  cost(width: number): number;
}

export interface Controller {
  readonly name: string;
  /** True: plans by `State.cost`, so the engine is calibrated once the first token is out. */
  readonly needsCost?: true;
  plan(state: State): Plan;
  observe(round: Round): void;
}
