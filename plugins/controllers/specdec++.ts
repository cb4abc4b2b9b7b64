// specdec++: drafts on until it is likely that some token of the draft will be refused. Stopping there is optimal: the
// best policy is a threshold on that probability.
// SpecDec++: Boosting Speculative Decoding via Adaptive Candidate Lengths (Huang et al., 2024, arXiv 2405.19715).
//
// The paper trains a head on the draft model's hidden states. Here the head is a logistic regression over what every
// proposer can tell, its distribution q, fitted online on what the target accepts. It looks at q and depth only, never at
// the token drawn, so what is drafted keeps its law. The paper drafts the token at which the probability passes the
// threshold and then stops: so does `published`. Otherwise drafting stops before it, except before the first.
import type { Controller, Plan, Round } from "../../src/controller.ts";
import { type Distribution, entropy } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { confidenceOf } from "./confidence.ts";
import { publishedOption } from "./stopping.ts";
import { deepestOf } from "./watching.ts";

const RATE = 0.1;
/** Where training starts: acceptance is the drafter's own confidence, about. */
const FIRST_WEIGHTS = [0, 1, -0.3, 0];

export class SpecDecController implements Controller {
  readonly name = "specdec++";
  readonly #weights = Float64Array.from(FIRST_WEIGHTS);
  /** [depth − 1], of the draft at hand: what the head saw, and how likely everything down to there is accepted. */
  #features: number[][] = [];
  #survival: number[] = [];
  readonly #plan: Plan;

  /** Stops when a refusal is likelier than `threshold`, 0…1. */
  constructor(private readonly threshold: number, most: number, private readonly published = false) {
    this.#plan = { nodes: most, depth: most, goOn: (q, depth) => this.#goOn(q, depth) };
  }

  plan(): Plan {
    this.#features = []; // where the drafter has no q, nothing is learned
    return this.#plan;
  }

  observe({ tree, verdict }: Round): void {
    const deepest = deepestOf(tree);
    const judged = Math.min(verdict.path.length + 1, deepest, this.#features.length);
    for (let depth = 1; depth <= judged; depth++) this.#learn(this.#features[depth - 1], verdict.path.length >= depth);
  }

  /** How likely a draw from q is accepted so deep in a draft, 0…1. */
  acceptance(q: Distribution, depth: number): number {
    return this.#predict(features(q, depth));
  }

  #goOn(q: Distribution, depth: number): boolean | "last" {
    if (depth === 1) this.#features = []; // a new draft
    if (this.#features[depth - 1] === undefined) { // of several branches, the first is the likeliest
      this.#features[depth - 1] = features(q, depth);
      this.#survival[depth - 1] = (this.#survival[depth - 2] ?? 1) * this.#predict(this.#features[depth - 1]);
    }
    const on = 1 - this.#survival[depth - 1] <= this.threshold;
    return this.published ? on || "last" : on || depth === 1;
  }

  #predict(x: readonly number[]): number {
    return 1 / (1 + Math.exp(-x.reduce((sum, value, i) => sum + value * this.#weights[i], 0)));
  }

  /** One step of logistic regression. */
  #learn(x: readonly number[], accepted: boolean): void {
    const error = (accepted ? 1 : 0) - this.#predict(x);
    x.forEach((value, i) => this.#weights[i] += RATE * error * value);
  }
}

/** Bias, log-odds of the likeliest token, entropy in nats, depth; each of the order of 1. */
function features(q: Distribution, depth: number): number[] {
  const sure = Math.min(Math.max(confidenceOf(q), 1e-3), 1 - 1e-3);
  return [1, Math.log(sure / (1 - sure)), entropy(q), depth / 8];
}

export default definePlugin({
  kind: "controller",
  name: "specdec++",
  summary: "drafts on until a refusal somewhere in the draft is likely, as a head fitted online predicts",
  paper: {
    title: "SpecDec++: Boosting Speculative Decoding via Adaptive Candidate Lengths",
    year: 2024,
    arxiv: "2405.19715",
  },
  options: {
    threshold: { type: "number", default: 0.7, min: 0, max: 1, summary: "most probability of a refusal to draft on" },
    most: { type: "integer", default: 16, min: 1, max: 256, summary: "most drafted tokens a round" },
    published: publishedOption("drafts the doubtful token too"),
  },
  create: ({ threshold, most, published }) => new SpecDecController(threshold, most, published),
});
