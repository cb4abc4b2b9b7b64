// How many tokens a pass others have reported, by drafter: the leaderboard of Spec-Bench (Unlocking Efficiency in Large
// Language Model Inference: A Comprehensive Survey of Speculative Decoding, 2024, arXiv 2401.07851), as of commit 09244ff of
// hemingkx/Spec-Bench, "mean accepted tokens" with Vicuna 7B v1.3, greedy, over all six kinds of work. It has no shares by
// depth, so acceptance is taken for the same at every depth: a chain without end then brings 1 / (1 − α) tokens a pass.
// EAGLE, EAGLE-2, Hydra and Medusa drafted trees: with chains as narrow as ours they keep less than that.
import { HunchError } from "../../src/errors.ts";
import { suggestion } from "../../src/suggestion.ts";

const SOURCE = "Spec-Bench, Vicuna 7B, greedy (2401.07851)";

/** Tokens per pass; EAGLE-2 on an RTX 3090, the others on an A100. */
const TOKENS_PER_PASS: Readonly<Record<string, number>> = {
  "eagle-2": 4.36,
  "eagle": 3.61,
  "hydra": 3.24,
  "medusa": 2.32,
  "draft-model": 2.28,
  "rest": 1.82,
  "prompt-lookup": 1.73,
  "lookahead": 1.66,
};

/** Those whose drafts had several guesses at a depth. */
const TREES: readonly string[] = ["eagle-2", "eagle", "hydra", "medusa"];

export const PUBLISHED: readonly string[] = Object.keys(TOKENS_PER_PASS);

/** A published drafter's acceptance, the same at every depth, and where it is from. Throws HunchError where there is none. */
export function publishedAcceptance(name: string): { readonly acceptance: number; readonly from: string } {
  if (!Object.hasOwn(TOKENS_PER_PASS, name)) {
    throw new HunchError("usage", `nobody published ${JSON.stringify(name)}`, {
      hint: suggestion(name, PUBLISHED),
    });
  }
  const tokens = TOKENS_PER_PASS[name];
  const drafted = TREES.includes(name) ? ", with trees, of which a chain keeps less" : "";
  return {
    acceptance: 1 - 1 / tokens,
    from: `${name}, ${tokens} tokens a pass in ${SOURCE}${drafted}, the same at every depth`,
  };
}
