// confidence: drafts on while the drafter is sure: as long as its likeliest token has at least a given probability.
// Kangaroo: Lossless Self-Speculative Decoding via Double Early Exiting (Liu et al., 2024, arXiv 2404.18911), whose
// second exit this is.
//
// Kangaroo drafts the doubtful token and then stops, at most 6 a round, and looks at its draft's soft-max. Here drafting
// stops before that token, except the first, and q has the target's temperature and truncation: a doubtful token costs a
// row and is seldom kept. `published` is the paper's way, with `most=6` its cap. At temperature 0 q is the soft-max
// either way. Drafters without probabilities draft as much as they may.
import type { Controller } from "../../src/controller.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { publishedOption, stoppingAt } from "./stopping.ts";

/** The probability of the likeliest token. */
export function confidenceOf(q: Distribution): number {
  return q.probabilities.reduce((most, probability) => Math.max(most, probability), 0);
}

export function confidence(threshold: number, most: number, published = false): Controller {
  return stoppingAt("confidence", (q) => confidenceOf(q) < threshold, most, published);
}

export default definePlugin({
  kind: "controller",
  name: "confidence",
  summary: "drafts on while the drafter's likeliest token has a given probability",
  paper: {
    title: "Kangaroo: Lossless Self-Speculative Decoding via Double Early Exiting",
    year: 2024,
    arxiv: "2404.18911",
  },
  options: {
    threshold: { type: "number", default: 0.6, min: 0, max: 1, summary: "least probability to draft on" },
    most: { type: "integer", default: 12, min: 1, max: 256, summary: "most drafted tokens a round" },
    published: publishedOption("drafts the doubtful token too, by the raw soft-max"),
  },
  create: ({ threshold, most, published }) => confidence(threshold, most, published),
});
