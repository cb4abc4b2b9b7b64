// entropy: drafts on while the drafter's distribution is narrow: as long as the root of its entropy (in nats) stays
// within a threshold. The entropy of q bounds from below how likely a draw from it is accepted, the more so the smaller.
// Draft Model Knows When to Stop: A Self-Verification Length Policy for Speculative Decoding (Zhang et al., 2024,
// arXiv 2411.18462; SVIP). One token is always drafted. Drafters without probabilities draft as much as they may.
import type { Controller } from "../../src/controller.ts";
import { type Distribution, entropy as entropyOf } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";

export function entropy(threshold: number, most: number): Controller {
  const goOn = (q: Distribution, depth: number) => depth === 1 || Math.sqrt(entropyOf(q)) <= threshold;
  const plan = { nodes: most, depth: most, goOn };
  return { name: "entropy", plan: () => plan, observe() {} };
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
  },
  create: ({ threshold, most }) => entropy(Number(threshold), Number(most)),
});
