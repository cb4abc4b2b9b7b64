// The only source of randomness anywhere. Running uses a seed; proving follows every branch.
import type { Distribution } from "./distribution.ts";

export interface Chance {
  /** True with the given probability (values outside 0…1 are clamped). Never true at 0, never false at 1. */
  flip(probability: number): boolean;
  /**
   * A token drawn in proportion to `weights` (they need not sum to 1; the sum must be positive and finite).
   * Never a token of weight 0.
   */
  pick(weights: Distribution): number;
}
