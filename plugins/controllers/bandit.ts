// bandit: each draft length is an arm that pays tokens per millisecond; which one is pulled is drawn by how likely it is
// the best (Thompson sampling). It models neither acceptance nor cost, it only remembers what each length paid lately.
// BanditSpec: Adaptive Speculative Decoding via Bandit Algorithms (Hou et al., 2025, arXiv 2505.15141) poses the problem;
// the sampling is that of Thompson (On the Likelihood that One Unknown Probability Exceeds Another, 1933).
import { type Chance, SeededChance } from "../../src/chance.ts";
import type { Controller, Plan, Round, State } from "../../src/controller.ts";
import { dense } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
import { oneIsFree } from "./watching.ts";

const LENGTHS = [0, 1, 2, 3, 5, 8, 12, 16, 24];
/** What an arm forgets whenever it is pulled. */
const MEMORY = 0.98;
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
}

export class BanditController implements Controller {
  readonly name = "bandit";
  readonly #arms: Arm[];
  #cost: State["cost"] = () => NaN;

  /** Lengths up to `most`. `chance` draws the arms. */
  constructor(most: number, private readonly chance: Chance) {
    this.#arms = LENGTHS.filter((length) => length <= most)
      .map((length) => ({ length, rounds: 0, tokens: 0, squares: 0, ms: 0 }));
  }

  plan(state: State): Plan {
    this.#cost = state.cost;
    const least = oneIsFree(state) ? 1 : 0;
    let best = -Infinity;
    let length = least;
    for (const arm of this.#arms) {
      if (arm.length < least) continue;
      const rate = this.#draw(arm);
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
    arm.rounds = arm.rounds * MEMORY + 1;
    arm.tokens = arm.tokens * MEMORY + committed.length;
    arm.squares = arm.squares * MEMORY + committed.length ** 2;
    arm.ms = arm.ms * MEMORY + draftMs + (Number.isNaN(expected) ? verifyMs : expected);
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
  },
  create: ({ most, seed }) => new BanditController(Number(most), new SeededChance(String(seed)).fork("bandit")),
});
