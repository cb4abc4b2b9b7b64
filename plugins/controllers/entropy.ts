// entropy: drafts on while the drafter's distribution is narrow: as long as the root of its entropy (in nats) stays
// within a threshold.
// Draft Model Knows When to Stop: A Self-Verification Length Policy for Speculative Decoding (Zhang et al., 2024,
// arXiv 2411.18462; SVIP). The paper bounds acceptance from below by the cross-entropy of q and p less the entropy of q,
// and then takes the cross-entropy for a multiple of the entropy. What is left is an estimate and no bound: a draft that
// is sure of the wrong token has no entropy and is never kept.
//
// The public code stops where √(0.15·H) > 0.3, here a threshold of 0.775, behind the doubtful token, by the soft-max and
// after 40 at most. Here drafting stops before that token, except the first, by q as it is sampled from. `published` is
// the paper's way. Drafters without probabilities draft as much as they may.
import type { Controller } from "../../src/controller.ts";
import { entropy as entropyOf } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { publishedOption, stoppingAt } from "./stopping.ts";

export function entropy(threshold: number, most: number, published = false): Controller {
  return stoppingAt("entropy", (q) => Math.sqrt(entropyOf(q)) > threshold, most, published);
}

export default definePlugin({
  kind: "controller",
  name: "entropy",
  summary: "drafts on while the drafter's distribution has little entropy",
  paper: {
    title: "Draft Model Knows When to Stop: A Self-Verification Length Policy for Speculative Decoding",
    year: 2024,
    arxiv: "2411.18462",
  },
  options: {
    threshold: { type: "number", default: 0.8, min: 0, max: 10, summary: "most root of entropy to draft on" },
    most: { type: "integer", default: 12, min: 1, max: 256, summary: "most drafted tokens a round" },
    published: publishedOption("drafts the doubtful token too, by the raw soft-max"),
  },
  create: ({ threshold, most, published }) => entropy(threshold, most, published),
});
