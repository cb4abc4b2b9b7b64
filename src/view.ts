// What a round looked like, for whoever shows it.
import type { Scores } from "./backend.ts";
import type { Round } from "./controller.ts";
import { logSumExp } from "./math/logits.ts";
import type { Sampling } from "./sampling.ts";
import type { DraftTree } from "./tree.ts";

export interface RoundView {
  readonly round: Round;
  /** The token that the draft continues. */
  readonly root: number;
  /** [size] How likely the target finds each drafted node, given its path; at temperature 1 where it decodes greedily. */
  readonly target: Float64Array;
}

/** [size] The target's probability of each node given its parent. At temperature 0 this reads whole rows of scores. */
export function likelihoods(tree: DraftTree, scores: Scores, { temperature }: Sampling): Float64Array {
  const logSums: number[] = [];
  return Float64Array.from(tree.tokens, (token, node) => {
    const row = tree.parents[node] + 1;
    if (temperature > 0) return scores.probability(row, token);
    const logits = scores.logits(row);
    logSums[row] ??= logSumExp(logits);
    return Math.exp(logits[token] - logSums[row]);
  });
}
