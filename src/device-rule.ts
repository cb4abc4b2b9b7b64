// The contract by which a backend may run a verification rule itself, where the scores are.
import type { Scores } from "./backend.ts";
import type { Chance } from "./chance.ts";
import type { Verdict, VerificationRule } from "./rule.ts";
import type { DraftTree } from "./tree.ts";

/** A rule that backends may know, with what it depends on. */
export type DeviceRule =
  | { readonly name: "greedy" }
  | { readonly name: "token" }
  | { readonly name: "recursive" }
  | { readonly name: "typical"; readonly epsilon: number; readonly delta: number };

export interface Judged {
  readonly verdict: Verdict;
  /** How many of the uniform numbers the verdict took, from the first on. */
  readonly used: number;
}

/** Each draft is flipped for at most once, and at most one token is drawn at each place. */
export function mostUniforms(tree: DraftTree): number {
  return 2 * tree.tokens.length + 1;
}

/**
 * The verdict of the backend where it can give one, else of the rule itself. Both are the same, and take the same
 * numbers from the chance.
 */
export function judge(rule: VerificationRule, tree: DraftTree, scores: Scores, chance: Chance): Verdict {
  if (rule.device !== undefined && scores.judge !== undefined && chance.ahead !== undefined) {
    const { uniforms, spend } = chance.ahead(mostUniforms(tree));
    const judged = scores.judge(rule.device, tree, uniforms);
    spend(judged?.used ?? 0);
    if (judged !== undefined) return judged.verdict;
  }
  return rule.verify(tree, scores, chance);
}
