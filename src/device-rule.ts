// The contract by which a backend may run a verification rule itself, where the scores are.
import type { Verdict } from "./verdict.ts";
import type { DraftTree } from "./tree.ts";

/**
 * What a rule is called where a backend may know it, and what it depends on: `{ name: "typical", parameters: { epsilon:
 * 0.09, delta: 0.3 } }`. A backend looks its own form of the rule up by the name (`Capabilities.deviceRules`).
 */
export interface DeviceRule {
  readonly name: string;
  readonly parameters?: Readonly<Record<string, number>>;
}

/**
 * A verdict that is asked for together with a pass. For the chain 0 1 it brings 6 numbers; the rule `token` that accepts 0
 * and refuses 1 has used three of them, two flips and a draw.
 *
 * Row 0 belongs to the root and row i + 1 to node i of the tree.
 */
export interface VerifyRequest {
  readonly rule: DeviceRule;
  readonly tree: DraftTree;
  /**
   * The next numbers of the chance, 0 ≤ u ≤ 1, `mostUniforms(tree)` of them. Every flip and every pick takes one, as
   * UniformChance does; the verdict and the count of numbers used must be those of the rule in TypeScript.
   */
  readonly uniforms: Float64Array;
}

export interface Verified {
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
