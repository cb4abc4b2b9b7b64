// confidence: drafts on while the drafter is sure: as long as its likeliest token has at least a given probability.
// Kangaroo: Lossless Self-Speculative Decoding via Double Early Exiting (Liu et al., 2024, arXiv 2404.18911), whose
// second exit this is. One token is always drafted. Drafters without probabilities draft as much as they may.
import type { Controller } from "../../src/controller.ts";
import type { Distribution } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";

/** The probability of the likeliest token. */
export function confidenceOf(q: Distribution): number {
  return q.probabilities.reduce((most, probability) => Math.max(most, probability), 0);
}

export function confidence(threshold: number, most: number): Controller {
  const goOn = (q: Distribution, depth: number) => depth === 1 || confidenceOf(q) >= threshold;
  const plan = { nodes: most, depth: most, goOn };
  return { name: "confidence", plan: () => plan, observe() {} };
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
  },
  create: ({ threshold, most }) => confidence(Number(threshold), Number(most)),
});
