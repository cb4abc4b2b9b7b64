// speckv-gamma: a small network predicts from the drafter's confidence and entropy how much of a draft of each length is
// accepted, and the length with the most tokens per millisecond is drafted; `published`, as in the paper, the length with
// the most tokens per step, whatever it costs.
// SpecKV: Adaptive Speculative Decoding with Compression-Aware Gamma Selection (Shukla, 2026, arXiv 2605.02888).
//
// The paper trains the network beforehand, on records from models compressed to 16, 8 and 4 bits. Here it learns while it
// runs, from the very target it serves, so compression needs no input of its own: it shows in what is accepted and in
// the cost curve. Confidence and entropy are those of the last draft, for a length is chosen before drafting.
import type { Controller, Plan, Round, State } from "../../src/controller.ts";
import { type Distribution, entropy } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { confidenceOf } from "./confidence.ts";
import { publishedOption } from "./stopping.ts";
import { deepestOf, Pace } from "./watching.ts";

const LENGTHS = [1, 2, 3, 4, 6, 8, 12, 16];
const BLIND = 3;
const RATE = 0.05;
const HIDDEN = 8;
/** Every so many rounds the next length up is drafted, so that what longer drafts bring is known as well. */
const EXPLORE = 8;

/** Inputs → tanh units → one logistic output, fitted by gradient descent, one example a step. */
export class Network {
  readonly #first: Float64Array;
  readonly #second = new Float64Array(HIDDEN + 1);
  readonly #units = new Float64Array(HIDDEN + 1).fill(1); // the last is the bias

  constructor(private readonly inputs: number) {
    // Fixed starting weights, no two alike.
    this.#first = Float64Array.from({ length: HIDDEN * (inputs + 1) }, (_, i) => Math.sin(1 + 7.3 * i) / 2);
    this.#second.fill(0);
  }

  /** 0…1 */
  predict(x: readonly number[]): number {
    let sum = this.#second[HIDDEN];
    for (let unit = 0; unit < HIDDEN; unit++) {
      const at = unit * (this.inputs + 1);
      let input = this.#first[at + this.inputs];
      for (let i = 0; i < this.inputs; i++) input += this.#first[at + i] * x[i];
      this.#units[unit] = Math.tanh(input);
      sum += this.#second[unit] * this.#units[unit];
    }
    return 1 / (1 + Math.exp(-sum));
  }

  /** One step towards `target`, 0…1. */
  learn(x: readonly number[], target: number): void {
    const error = target - this.predict(x);
    for (let unit = 0; unit < HIDDEN; unit++) {
      const at = unit * (this.inputs + 1);
      const back = RATE * error * this.#second[unit] * (1 - this.#units[unit] ** 2);
      for (let i = 0; i < this.inputs; i++) this.#first[at + i] += back * x[i];
      this.#first[at + this.inputs] += back;
    }
    for (let unit = 0; unit <= HIDDEN; unit++) this.#second[unit] += RATE * error * this.#units[unit];
  }
}

export class SpecKvController implements Controller {
  readonly name = "speckv-gamma";
  readonly #network = new Network(4);
  readonly #pace = new Pace();
  readonly #lengths: readonly number[];
  /** Of the last draft: means over its places, and the share that was accepted. */
  #confidence = 0.5;
  #entropy = 1;
  #accepted = 0.5;
  #seen: { confidence: number; entropy: number }[] = [];
  #rounds = 0;

  /** Lengths up to `most`, 1…16. `published`: by tokens per step instead of per millisecond. */
  constructor(most: number, private readonly published = false) {
    this.#lengths = LENGTHS.filter((length) => length <= most);
  }

  plan(state: State): Plan {
    this.#seen = [];
    const goOn = (q: Distribution) => {
      this.#seen.push({ confidence: confidenceOf(q), entropy: entropy(q) });
      return true;
    };
    const length = this.#choose(state);
    return { nodes: length, depth: length, goOn };
  }

  observe(round: Round): void {
    const { tree, verdict } = round;
    const deepest = deepestOf(tree);
    this.#pace.see(round);
    if (deepest === 0) return;
    // A draft of this length also tells what every shorter one would have brought.
    for (const length of this.#lengths) {
      if (length <= deepest) this.#network.learn(this.#inputs(length), Math.min(verdict.path.length, length) / length);
    }
    const mean = (of: "confidence" | "entropy") =>
      this.#seen.reduce((sum, place) => sum + place[of], 0) / this.#seen.length;
    if (this.#seen.length > 0) {
      this.#confidence = mean("confidence");
      this.#entropy = mean("entropy");
    }
    this.#accepted = 0.8 * this.#accepted + 0.2 * Math.min(1, verdict.path.length / deepest);
  }

  #choose(state: State): number {
    const blind = Number.isNaN(state.cost(1));
    if (blind) return Math.min(BLIND, this.#lengths[this.#lengths.length - 1]);
    let best = 0;
    let chosen = 0;
    this.#lengths.forEach((length, i) => {
      const tokens = 1 + length * this.#network.predict(this.#inputs(length));
      const rate = this.published ? tokens : tokens / (state.cost(1 + length) + length * this.#pace.ms);
      if (rate > best) {
        best = rate;
        chosen = i;
      }
    });
    if (++this.#rounds % EXPLORE === 0) chosen = Math.min(chosen + 1, this.#lengths.length - 1);
    return this.#lengths[chosen];
  }

  #inputs(length: number): number[] {
    return [this.#confidence, this.#entropy / 4, this.#accepted, Math.log2(length) / 4];
  }
}

export default definePlugin({
  kind: "controller",
  name: "speckv-gamma",
  summary: "a small network over the drafter's confidence and entropy, fitted online, picks the length",
  paper: {
    title: "SpecKV: Adaptive Speculative Decoding with Compression-Aware Gamma Selection",
    year: 2026,
    arxiv: "2605.02888",
  },
  options: {
    most: { type: "integer", default: 16, min: 1, max: 16, summary: "most drafted tokens a round" },
    published: publishedOption("by tokens per step, whatever a step costs"),
  },
  create: ({ most, published }) => new SpecKvController(most, published),
});
