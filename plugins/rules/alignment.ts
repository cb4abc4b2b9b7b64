// alignment: a draft that the target did not draw may stand where the target finds it likely enough, by a threshold that
// follows how sure the target is. RELAXED: the text is not distributed as the target's.
// Alignment-Augmented Speculative Decoding with Alignment Sampling and Conditional Verification (Wang et al., 2025,
// arXiv 2505.13204), the conditional verification. Its alignment sampling is a drafter's business.
//
// The target draws its own token first. If that was drafted, it stands. Otherwise the likeliest draft stands where
// p(x) ≥ factor · Σ p², for Σ p² is how likely the target's own draw is on average: high where it is sure, low where
// many words would do. The paper describes such an adaptive threshold; this formula and its default are ours.
//
// Temperature 0: the target's own token is its likeliest, and the threshold is one on the raw soft-max.
import { type Distribution, probability } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { tokenLevel, walkGreedily } from "./walk.ts";
import { DRAFT_LAWS } from "../../src/tree.ts";

/** `factor` > 0: at 1 a draft must be as likely as the target's own draw is on average; higher is stricter. */
export function alignment(factor: number): VerificationRule {
  const judge = (p: Distribution, drafts: readonly number[], own: number): number => {
    if (drafts.includes(own)) return own;
    const average = p.probabilities.reduce((sum, value) => sum + value * value, 0);
    const best = drafts.reduce((a, b) => probability(p, b) > probability(p, a) ? b : a);
    return probability(p, best) >= factor * average ? best : own;
  };
  return {
    ...tokenLevel(
      "alignment",
      DRAFT_LAWS,
      ({ p, drafts }, chance) => judge(p, drafts, chance.pick(p)),
      false,
    ),
    verifyGreedily: (tree, scores) => walkGreedily(tree, scores, ({ p, drafts, own }) => judge(p, drafts, own)),
  };
}

export default definePlugin({
  kind: "rule",
  name: "alignment",
  summary: "RELAXED: keep a draft the target did not draw where it is likely enough for how sure the target is",
  options: {
    factor: { type: "number", default: 1, min: 0.01, max: 100, summary: "threshold, in mean probabilities of a draw" },
  },
  paper: {
    title: "Alignment-Augmented Speculative Decoding with Alignment Sampling and Conditional Verification",
    year: 2025,
    arxiv: "2505.13204",
  },
  create: ({ factor }) => alignment(factor),
});
