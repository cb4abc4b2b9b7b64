// draft-exit: drafts on while the drafter is sure, by a threshold that follows how much of the drafts is accepted.
// Draft & Verify: Lossless Large Language Model Acceleration via Self-Speculative Decoding (Zhang et al., 2023, arXiv
// 2309.08168), its adaptive draft exit.
//
// After each round the running rate of acceptance r ← β₁·r + (1 − β₁)·accepted/drafted, and the threshold
// γ ← β₂·γ + (1 − β₂)·(γ ± ε): up where r is below α, down where it is not, and as it is where the draft was as long as it
// may be. The numbers are the public code's. A draft ends behind the first token whose probability is below γ; the paper
// looks at the token that was drawn, here it is the likeliest of the soft-max, as what decides must not look at what is
// drawn. At temperature 0 they are the same token.
import type { Controller, Plan, Round } from "../../src/controller.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { confidenceOf } from "./confidence.ts";

const RATE_KEPT = 0.5;
const THRESHOLD_KEPT = 0.9;
const STEP = 0.01;

export class DraftExitController implements Controller {
  readonly name = "draft-exit";
  #rate = 0;

  /** `threshold`: γ at first. `rate`: α. Both 0 … 1. */
  constructor(public threshold: number, private readonly rate: number, private readonly most: number) {}

  plan(): Plan {
    const { threshold, most } = this;
    return {
      nodes: most,
      depth: most,
      raw: true,
      goOn: (q) => confidenceOf(q) < threshold ? "last" : true,
    };
  }

  observe({ tree, verdict }: Round): void {
    const drafted = tree.tokens.length;
    if (drafted === 0) return;
    this.#rate = RATE_KEPT * this.#rate + (1 - RATE_KEPT) * verdict.path.length / drafted;
    const step = this.#rate < this.rate ? STEP : drafted === this.most ? 0 : -STEP;
    this.threshold += (1 - THRESHOLD_KEPT) * step;
  }
}

export default definePlugin({
  kind: "controller",
  name: "draft-exit",
  summary: "drafts on while the drafter is sure, by a threshold that follows what is accepted",
  paper: {
    title: "Draft & Verify: Lossless Large Language Model Acceleration via Self-Speculative Decoding",
    year: 2023,
    arxiv: "2309.08168",
  },
  options: {
    threshold: { type: "number", default: 0.8, min: 0, max: 1, summary: "least probability to draft on, at first" },
    rate: { type: "number", default: 0.9, min: 0, max: 1, summary: "share of a draft that is to be accepted" },
    most: { type: "integer", default: 8, min: 1, max: 256, summary: "most drafted tokens a round" },
  },
  create: ({ threshold, rate, most }) => new DraftExitController(threshold, rate, most),
});
