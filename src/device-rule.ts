// The contract by which a backend may run a verification rule itself, where the scores are.
import type { Verdict } from "./verdict.ts";
import type { DraftTree } from "./tree.ts";

/** A rule that backends may know, with what it depends on. */
export type DeviceRule =
  | { readonly name: "greedy" }
  | { readonly name: "token" }
  | { readonly name: "block" }
  | { readonly name: "recursive" }
  | { readonly name: "top-and-one" }
  | { readonly name: "typical"; readonly epsilon: number; readonly delta: number };

/** A verdict that is asked for together with a pass. Row 0 belongs to the root and row i + 1 to node i of the tree. */
export interface JudgeRequest {
  readonly rule: DeviceRule;
  readonly tree: DraftTree;
  /**
   * The next numbers of the chance, 0 ≤ u ≤ 1, `mostUniforms(tree)` of them. Every flip and every pick takes one, as
   * UniformChance does; the verdict and the count of numbers used must be those of the rule in TypeScript.
   */
  readonly uniforms: Float64Array;
}

export interface Judged {
  readonly verdict: Verdict;
  /** How many of the uniform numbers the verdict took, from the first on. */
  readonly used: number;
}

/**
 * Each draft is flipped for at most once, and at most one token is drawn at each place; the rule `block` flips even
 * where nothing was drafted.
 */
export function mostUniforms(tree: DraftTree): number {
  return 2 * tree.tokens.length + 2;
}
