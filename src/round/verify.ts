// verify: the rule's verdict on the draft, or the engine's where it has judged already.
import type { GenerateOptions } from "../generation.ts";
import type { VerificationRule } from "../rule.ts";
import { type Verdict, verdictFault } from "../verdict.ts";
import type { Sampling } from "../sampling.ts";
import type { SampledScores } from "./sampled-scores.ts";
import type { DraftTree } from "../tree.ts";
import { broken } from "./draft.ts";

/** Throws HunchError where the rule breaks its contract. */
export function verifyRound(
  { rule, sampling, chance }: Pick<GenerateOptions, "rule" | "sampling" | "chance">,
  tree: DraftTree,
  scores: SampledScores,
): Verdict {
  const verdict = verifiesGreedily(rule, sampling, tree)
    ? rule.verifyGreedily!(tree, scores)
    : scores.verified?.verdict ?? rule.verify(tree, scores, chance);
  const fault = verdictFault(tree, verdict, scores.vocab);
  if (fault !== undefined) throw broken(`the rule ${rule.name} gave a verdict that cannot be: ${fault}`);
  return verdict;
}

/** Whether a relaxed rule judges by its own form for temperature 0, which looks at more than the likeliest token. */
export function verifiesGreedily(rule: VerificationRule, { temperature }: Sampling, tree: DraftTree): boolean {
  return temperature === 0 && tree.tokens.length > 0 && rule.verifyGreedily !== undefined;
}
