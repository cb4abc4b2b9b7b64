// specdec++: drafts on until it is likely that some token of the draft will be refused. Stopping there is optimal: the
// best policy is a threshold on that probability.
// SpecDec++: Boosting Speculative Decoding via Adaptive Candidate Lengths (Huang et al., 2024, arXiv 2405.19715).
//
// The paper trains a head, a small residual network, on the draft model's last hidden state, beforehand and on much text.
// Here the head is a logistic regression fitted online on what the target accepts: over what every proposer can tell, its
// distribution q, and with `hidden` over that state as well, where the draft model's engine hands it out (the drafter
// `model`). It looks at q, the state that q was made of and the depth, never at the token drawn, so what is drafted keeps
// its law. The paper drafts the token at which the probability passes the
// threshold and then stops: so does `published`. Otherwise drafting stops before it, except before the first.
import type { Controller, DraftState, Plan, Round } from "../../src/controller.ts";
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
  /** Of the features of q, and behind them those of the hidden state, once there is one. */
  #weights = Float64Array.from(FIRST_WEIGHTS);
  /** [width] The mean of the states so far, and how many there were. */
  #mean = new Float64Array(0);
  #seen = 0;
  /** Those of the draft at hand. */
  #states: Float32Array[] = [];
  /** [depth − 1], of the draft at hand: what the head saw, and how likely everything down to there is accepted. */
  #features: number[][] = [];
  #survival: number[] = [];
  readonly #plan: Plan;

  /** Stops when a refusal is likelier than `threshold`, 0…1. `hidden`: looks at the draft model's states. */
  constructor(
    private readonly threshold: number,
    most: number,
    private readonly published = false,
    private readonly hidden = false,
  ) {
    this.#plan = { nodes: most, depth: most, goOn: (q, depth, state) => this.#goOn(q, depth, state) };
  }

  plan(): Plan {
    this.#features = []; // where the drafter has no q, nothing is learned
    this.#states = [];
    return this.#plan;
  }

  observe({ tree, verdict }: Round): void {
    const deepest = deepestOf(tree);
    const judged = Math.min(verdict.path.length + 1, deepest, this.#features.length);
    for (let depth = 1; depth <= judged; depth++) this.#learn(this.#features[depth - 1], verdict.path.length >= depth);
    this.#move();
  }

  /** How likely a draw from q is accepted so deep in a draft, 0…1. */
  acceptance(q: Distribution, depth: number, state?: Float32Array): number {
    return this.#predict([...features(q, depth), ...state === undefined ? [] : this.#centred(state)]);
  }

  #goOn(q: Distribution, depth: number, state?: DraftState): boolean | "last" {
    if (depth === 1) [this.#features, this.#states] = [[], []]; // a new draft
    if (this.#features[depth - 1] === undefined) { // of several branches, the first is the likeliest
      this.#features[depth - 1] = [...features(q, depth), ...this.#look(state)];
      this.#survival[depth - 1] = (this.#survival[depth - 2] ?? 1) * this.#predict(this.#features[depth - 1]);
    }
    const on = 1 - this.#survival[depth - 1] <= this.threshold;
    return this.published ? on || "last" : on || depth === 1;
  }

  /** Features of a state of the draft at hand; none where there is no state. */
  #look(asked: DraftState | undefined): number[] {
    const state = this.hidden ? asked?.() : undefined;
    if (state === undefined) return [];
    if (this.#mean.length === 0) {
      this.#mean = new Float64Array(state.length);
      this.#weights = Float64Array.of(...this.#weights, ...this.#mean);
    }
    this.#states.push(state);
    return this.#centred(state);
  }

  /** The mean of all states, between drafts: within one, nothing that is asked may depend on what was drawn elsewhere. */
  #move(): void {
    for (const state of this.#states) {
      this.#seen++;
      for (let i = 0; i < state.length; i++) this.#mean[i] += (state[i] - this.#mean[i]) / this.#seen;
    }
    this.#states = [];
  }

  /** [width] The state without what all have in common, of length 1: together it counts as one feature. */
  #centred(state: Float32Array): number[] {
    const centred = Array.from(state, (value, i) => value - this.#mean[i]);
    const length = Math.hypot(...centred) || 1;
    return centred.map((value) => value / length);
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
    hidden: {
      type: "boolean",
      default: false,
      summary: "the head looks at the draft model's last hidden state as well",
    },
  },
  create: ({ threshold, most, published, hidden }) => new SpecDecController(threshold, most, published, hidden),
});
