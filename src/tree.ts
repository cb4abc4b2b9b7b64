// A draft: guessed tokens as a tree under the last committed token (the root).
import type { Distribution } from "./distribution.ts";

/**
 * How the children of one node were drawn. A rule is lossless for a law, not in general.
 *
 * - `point`: chosen, not sampled (n-grams, retrieval, arg-max).
 * - `iid`: independent draws from q, repeats possible.
 * - `distinct`: drawn from q without replacement, in the order drawn.
 * - `top-and-one`: the n−1 likeliest tokens of q, and last one draw from the rest of q, renormalised.
 * - `beam`: sequences drawn without replacement (stochastic beam search).
 */
export type DraftLaw = "point" | "iid" | "distinct" | "top-and-one" | "beam";

/**
 * A draft in topological order. Node `i` continues node `parents[i]`, or the root when `parents[i]` is −1.
 * Siblings stand in the order in which they were drawn.
 */
export interface DraftTree {
  readonly tokens: Int32Array; // [size]
  readonly parents: Int32Array; // [size], -1 ≤ parents[i] < i
  readonly law: DraftLaw;
  /**
   * The distribution that the children of `node` were drawn from (−1: of the root), before any removal;
   * undefined where the law is `point` or the node has no children.
   */
  q(node: number): Distribution | undefined;
}
