// marginal: leaves the size of a draft to a drafter that knows how likely its tokens are. The plan names a most and the
// engine's cost curve; the drafter adds tokens as long as each is worth its row.
// The rule is that of Optimizing Speculative Decoding for Serving Large Language Models Using Goodput (Liu et al., 2024,
// arXiv 2406.14066), most tokens expected per millisecond, applied node by node.
import type { Controller, Plan, Round, State } from "../../src/controller.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { Curve } from "./watching.ts";

export class MarginalController implements Controller {
  readonly name = "marginal";
  readonly #curve = new Curve();
  #cost: State["cost"] = () => NaN;

  constructor(private readonly most: number) {}

  plan(state: State): Plan {
    this.#cost = state.cost;
    const plan = { nodes: this.most, depth: this.most };
    return Number.isNaN(state.cost(1)) ? plan : { ...plan, cost: (rows) => this.#curve.cost(state, rows) };
  }

  observe(round: Round): void {
    this.#curve.see(round, this.#cost);
  }
}

export default definePlugin({
  kind: "controller",
  name: "marginal",
  summary: "for drafters that know how likely their tokens are: as many as are worth their rows",
  paper: {
    title: "Optimizing Speculative Decoding for Serving Large Language Models Using Goodput",
    year: 2024,
    arxiv: "2406.14066",
  },
  options: {
    most: { type: "integer", default: 24, min: 1, max: 256, summary: "most drafted tokens a round" },
  },
  create: ({ most }) => new MarginalController(most),
});
