// bandit: each draft length is an arm that pays tokens per millisecond; which one is pulled is drawn by how likely it is
// the best (Thompson sampling). It models neither acceptance nor cost, it only remembers what each length paid lately.
// BanditSpec: Adaptive Speculative Decoding via Bandit Algorithms (Hou et al., 2025, arXiv 2505.15141) poses the problem;
// the sampling is that of Thompson (On the Likelihood that One Unknown Probability Exceeds Another, 1933).
//
// `published` pulls as the paper's UCBSpec does: each length twice, then the one with the greatest upper confidence bound,
// mean + √(6·ln t / n) in tokens per second after t rounds, n of them its own; nothing is forgotten. (The public code has
// the rounds of all lengths in place of n, which is the same for every one and so explores nothing.)
import { type Chance, SeededChance } from "../../src/chance.ts";
import type { Controller, Plan, Round, State } from "../../src/controller.ts";
import { dense } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { publishedOption } from "./stopping.ts";
import { oneIsFree } from "./watching.ts";

const LENGTHS = [0, 1, 2, 3, 5, 8, 12, 16, 24];
/** What an arm forgets whenever it is pulled. */
const MEMORY = 0.98;
/** The paper's way: pulls of each arm at first, and the weight of what is not known. */
const WARM_UP = 2;
const EXPLORATION = 6;
/** Standard normal quantiles at the middles of 32 equal parts, and a fair draw among them. */
const QUANTILES = Array.from({ length: 32 }, (_, i) => normalQuantile((i + 0.5) / 32));
const FAIR = dense(new Array(QUANTILES.length).fill(1 / QUANTILES.length));

/** Fading sums over the rounds of one length. */
interface Arm {
  readonly length: number;
  rounds: number;
  tokens: number;
  squares: number;
  ms: number;
  /** Tokens per second of each round, summed; nothing fades. */
  rates: number;
}

export class BanditController implements Controller {
  readonly name = "bandit";
  readonly #arms: Arm[];
  readonly #memory: number;
  #cost: State["cost"] = () => NaN;

  /** Lengths up to `most`. `chance` draws the arms; `published`: the upper confidence bound picks them. */
  constructor(most: number, private readonly chance: Chance, private readonly published = false) {
    this.#memory = published ? 1 : MEMORY;
    this.#arms = LENGTHS.filter((length) => length <= most)
      .map((length) => ({ length, rounds: 0, tokens: 0, squares: 0, ms: 0, rates: 0 }));
  }

  plan(state: State): Plan {
    this.#cost = state.cost;
    const least = oneIsFree(state) ? 1 : 0;
    let best = -Infinity;
    let length = least;
    for (const arm of this.#arms) {
      if (arm.length < least) continue;
      const rate = this.published ? this.#bound(arm) : this.#draw(arm);
      if (rate > best) {
        best = rate;
        length = arm.length;
      }
    }
    return { nodes: length, depth: length };
  }

  observe({ plan, committed, rows, draftMs, verifyMs }: Round): void {
    const arm = this.#arms.find(({ length }) => length === plan.nodes);
    if (arm === undefined) return; // budget or context cut the plan
    const expected = this.#cost(rows);
    const ms = draftMs + (Number.isNaN(expected) ? verifyMs : expected);
    arm.rounds = arm.rounds * this.#memory + 1;
    arm.tokens = arm.tokens * this.#memory + committed.length;
    arm.squares = arm.squares * this.#memory + committed.length ** 2;
    arm.ms = arm.ms * this.#memory + ms;
    arm.rates += 1000 * committed.length / ms;
  }

  /** Tokens per second at most, as far as is known; what was pulled least is pulled first. */
  #bound({ rounds, rates }: Arm): number {
    if (rounds < WARM_UP) return 1e9 - rounds;
    const all = this.#arms.reduce((sum, arm) => sum + arm.rounds, 0);
    return rates / rounds + Math.sqrt(EXPLORATION * Math.log(all) / rounds);
  }

  /** Tokens per millisecond, drawn from what is believed of an arm; what was never pulled is pulled first. */
  #draw({ rounds, tokens, squares, ms }: Arm): number {
    const quantile = QUANTILES[this.chance.pick(FAIR)];
    if (rounds === 0) return 1e6 + quantile;
    const mean = tokens / rounds;
    const spread = Math.sqrt((Math.max(squares / rounds - mean ** 2, 0) + 1 / rounds) / rounds);
    return (mean + quantile * spread) / (ms / rounds);
  }
}

/** By bisection of the normal distribution, whose integral is summed; only for the table above. */
function normalQuantile(p: number): number {
  const below = (x: number) => {
    let sum = 0.5;
    for (let i = 0; i < 200; i++) sum += Math.exp(-(((i + 0.5) * x / 200) ** 2) / 2) * x / 200 / Math.sqrt(2 * Math.PI);
    return sum;
  };
  let low = -5;
  let high = 5;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (below(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

export default definePlugin({
  kind: "controller",
  name: "bandit",
  summary: "Thompson sampling over draft lengths, by what each has paid lately",
  paper: { title: "BanditSpec: Adaptive Speculative Decoding via Bandit Algorithms", year: 2025, arxiv: "2505.15141" },
  options: {
    most: { type: "integer", default: 12, min: 1, max: 24, summary: "most drafted tokens a round" },
    seed: { type: "string", default: "0", summary: "of the draws among lengths" },
    published: publishedOption("the upper confidence bound picks the length"),
  },
  create: ({ most, seed, published }) => new BanditController(most, new SeededChance(seed).fork("bandit"), published),
});
