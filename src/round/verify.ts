// verify: the rule's verdict on the draft, or the engine's where it has judged already.
import type { GenerateOptions } from "../generation.ts";
import type { Verdict } from "../rule.ts";
import type { SampledScores } from "../scores.ts";
import { type DraftTree, verdictFault } from "../tree.ts";
import { broken } from "./draft.ts";

/** Throws HunchError where the rule breaks its contract. */
export function verifyRound(
  { rule, chance }: Pick<GenerateOptions, "rule" | "chance">,
  tree: DraftTree,
  scores: SampledScores,
): Verdict {
  const verdict = scores.judged?.verdict ?? rule.verify(tree, scores, chance);
  const fault = verdictFault(tree, verdict, scores.vocab);
  if (fault !== undefined) throw broken(`the rule ${rule.name} gave a verdict that cannot be: ${fault}`);
  return verdict;
}
