// goodput: the draft length with the highest goodput, tokens per millisecond, as one running acceptance rate and the
// measured cost of passes say. With k drafted of acceptance a each, a round brings (1 − a^(k+1)) / (1 − a) tokens.
// Optimizing Speculative Decoding for Serving Large Language Models Using Goodput (Liu et al., 2024, arXiv 2406.14066),
// for one text; its system, SmartSpec, sums over the requests of a batch. Beside `cost` it knows one rate, not one per
// depth, and no trees.
import type { Controller, Plan, Round, State } from "../../src/controller.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { oneIsFree, Pace, Share } from "./watching.ts";

const FIRST_GUESS = 0.6;
const BLIND: Plan = { nodes: 2, depth: 2 };
/** Plain rounds before one token is drafted again, to see whether the rate has changed. */
const WAIT = 32;

/** Tokens that a round brings with k drafted of acceptance a each, 0 ≤ a ≤ 1. */
export function expectedTokens(a: number, k: number): number {
  return a >= 1 ? k + 1 : (1 - a ** (k + 1)) / (1 - a);
}

export class GoodputController implements Controller {
  readonly name = "goodput";
  readonly #rate = new Share();
  readonly #pace = new Pace();
  #plainRounds = 0;

  constructor(private readonly most: number) {}

  plan(state: State): Plan {
    if (Number.isNaN(state.cost(1))) return BLIND;
    const rate = this.#rate.value(FIRST_GUESS);
    let length = 0;
    let best = 1 / state.cost(1);
    for (let k = 1; k <= this.most; k++) {
      const goodput = expectedTokens(rate, k) / (state.cost(1 + k) + k * this.#pace.ms);
      if (goodput > best) {
        best = goodput;
        length = k;
      }
    }
    if (length === 0 && (oneIsFree(state) || this.#plainRounds++ >= WAIT)) length = 1;
    if (length > 0) this.#plainRounds = 0;
    return { nodes: length, depth: length };
  }

  observe(round: Round): void {
    const { tree, verdict } = round;
    for (let i = 0; i < verdict.path.length; i++) this.#rate.see(true);
    const refused = tree.parents.includes(verdict.path.length === 0 ? -1 : verdict.path[verdict.path.length - 1]);
    if (refused) this.#rate.see(false);
    this.#pace.see(round);
  }
}

export default definePlugin({
  kind: "controller",
  name: "goodput",
  summary: "the length with the most tokens per millisecond, by one running acceptance rate",
  paper: {
    title: "Optimizing Speculative Decoding for Serving Large Language Models Using Goodput",
    year: 2024,
    arxiv: "2406.14066",
  },
  options: {
    most: { type: "integer", default: 16, min: 1, max: 256, summary: "most drafted tokens a round" },
  },
  create: ({ most }) => new GoodputController(most),
});
