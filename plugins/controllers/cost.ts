// cost: drafts as much as brings the most tokens per millisecond, by the measured cost of a pass over so many rows, the
// drafter's own time, and how often drafts have been accepted lately, by depth and by rank among siblings. Where
// drafting loses it stops, and tries again after longer and longer while. In the spirit of Optimizing Speculative
// Decoding for Serving Large Language Models Using Goodput (Liu et al., 2024, arXiv 2406.14066), for one text; the tree
// that it has in mind is that of Sequoia: Scalable, Robust, and Hardware-aware Speculative Decoding (Chen et al., 2024,
// arXiv 2402.12374), whose nodes are worth the product of the shares along their paths.
import type { Controller, Plan, Round, State } from "../../src/controller.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { Curve, deepestOf, oneIsFree, Pace, Share } from "./watching.ts";

/** First guesses of how often the first drafted token is right, and each sibling where some were drafted. */
const FIRST_GUESS = 0.5;
const SIBLING_GUESS = 0.1;
/** Without a cost curve, a short draft costs little anywhere; with room to show whether the drafter branches. */
const BLIND: Plan = { nodes: 4, depth: 2 };
/** Rounds of plain decoding before drafting is tried again, at first and at most, and rounds that a trial takes. */
const FIRST_WAIT = 8;
const LONGEST_WAIT = 256;
const TRIAL = 3;
/** A drafter that takes less than this part of a pass is never left out where a row is free. */
const NOTHING_WORTH = 0.01;
/** Nodes that are accepted less often are not thought of. */
const LEAST = 1e-4;

/** A node that may be drafted: how likely it is accepted, given its parent and at all. */
interface Place {
  readonly depth: number;
  readonly rank: number;
  readonly parent: number;
  readonly value: number;
}

export class CostController implements Controller {
  readonly name = "cost";
  /** [depth − 1], of rounds that could draft so deep: how often the draft did, given that it did one less. */
  readonly #offered: Share[] = [];
  /** [depth − 1][rank], where so deep was accepted but one: how often this sibling was; not drafted is not accepted. */
  readonly #accepted: Share[][] = [];
  readonly #pace = new Pace();
  readonly #curve = new Curve();
  #engineCost: State["cost"] = () => NaN;
  #wait = FIRST_WAIT;
  #plainRounds = 0;
  #trial = 0;

  /** Drafts of at most `most` tokens, ≥ 1. */
  constructor(private readonly most: number) {
    for (let depth = 0; depth < most; depth++) {
      this.#offered.push(new Share());
      this.#accepted.push([new Share()]);
    }
  }

  plan(state: State): Plan {
    this.#engineCost = state.cost;
    if (Number.isNaN(state.cost(1))) return BLIND;
    const { plan, gain } = this.#best(state);
    if (gain > 1) {
      this.#wait = FIRST_WAIT;
      this.#plainRounds = 0;
      this.#trial = 0;
      return plan;
    }
    if (this.#trial > 0) {
      this.#trial--;
      return plan;
    }
    if (++this.#plainRounds <= this.#wait) {
      const free = oneIsFree(state) && this.#pace.ms < NOTHING_WORTH * state.cost(1);
      return free ? { nodes: 1, depth: 1 } : { nodes: 0, depth: 0 };
    }
    this.#plainRounds = 0;
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
    this.#trial = TRIAL - 1;
    for (const share of [...this.#offered, ...this.#accepted.flat()]) share.doubt();
    return plan;
  }

  observe(round: Round): void {
    const { plan, tree } = round;
    this.#curve.see(round, this.#engineCost);
    if (plan.nodes === 0) return;
    const deepest = deepestOf(tree);
    const reach = Math.min(plan.depth, this.most);
    for (let depth = 1; depth <= reach && depth <= deepest + 1; depth++) {
      const cut = depth > deepest && tree.tokens.length >= plan.nodes; // nodes were short, not the drafter
      if (!cut) this.#offered[depth - 1].see(deepest >= depth);
    }
    this.#seeAccepted(round, reach);
    // An unlucky stretch must not keep depths from being looked at for good: what is not drafted is slowly forgotten.
    for (const share of this.#accepted.slice(reach).flat()) share.fade();
    this.#pace.see(round);
  }

  /** Down the accepted path: which of the siblings was it? */
  #seeAccepted({ plan, tree, verdict }: Round, reach: number): void {
    const full = tree.tokens.length >= plan.nodes;
    let here = -1;
    for (let depth = 1; depth <= reach; depth++) {
      const shares = this.#accepted[depth - 1];
      const taken = verdict.path[depth - 1];
      let rank = 0;
      tree.parents.forEach((parent, node) => {
        if (parent !== here) return;
        (shares[rank] ??= new Share()).see(node === taken);
        rank++;
      });
      if (rank < shares.length && !full) shares[rank].see(false); // the drafter had no more
      if (taken === undefined) return;
      here = taken;
    }
  }

  /** The draft of 1 node or more with the most tokens per millisecond, and how many times plain decoding that is. */
  #best(state: State): { plan: Plan; gain: number } {
    const cost = (width: number) => this.#curve.cost(state, width);
    const perLevel = this.#pace.ms;
    let plan: Plan = { nodes: 1, depth: 1 };
    let best = 0;
    let tokens = 1; // expected from a round with the nodes so far
    let ms = cost(1);
    let deepest = 0;
    const offers = [1]; // [depth] how likely a draft gets so deep, given that it gets one less deep …
    const offered = [1]; // … and at all
    const places: Place[] = [this.#place(1, 0, 1)];
    for (let nodes = 1; nodes <= this.most && places.length > 0; nodes++) {
      const place = places.reduce((a, b) => b.value > a.value ? b : a);
      places.splice(places.indexOf(place), 1);
      const { depth, rank, parent, value } = place;
      if (value < LEAST) break;
      offers[depth] ??= this.#offered[depth - 1].value(offers[depth - 1]);
      offered[depth] ??= offered[depth - 1] * offers[depth];
      tokens += value;
      ms += offered[depth] * (cost(1 + nodes) - cost(nodes));
      if (depth > deepest) ms += offered[depth] * perLevel;
      deepest = Math.max(deepest, depth);
      if (tokens / ms > best) {
        best = tokens / ms;
        plan = { nodes, depth: deepest };
      }
      if (depth < this.most) places.push(this.#place(depth + 1, 0, value));
      if (rank + 1 < this.#accepted[depth - 1].length) places.push(this.#place(depth, rank + 1, parent));
    }
    return { plan, gain: best * cost(1) };
  }

  /** A place below a node that is accepted with the probability `parent`. */
  #place(depth: number, rank: number, parent: number): Place {
    let share = rank === 0 ? FIRST_GUESS : SIBLING_GUESS;
    // What one depth has shown is the first guess of the next.
    for (let above = 0; above < depth; above++) share = this.#accepted[above][rank]?.value(share) ?? share;
    return { depth, rank, parent, value: parent * share };
  }
}

export default definePlugin({
  kind: "controller",
  name: "cost",
  summary: "drafts as much as pays by measured costs and acceptance, nothing where drafting loses",
  paper: {
    title: "Optimizing Speculative Decoding for Serving Large Language Models Using Goodput",
    year: 2024,
    arxiv: "2406.14066",
  },
  options: {
    most: { type: "integer", default: 24, min: 1, max: 256, summary: "most drafted tokens a round" },
  },
  create: ({ most }) => new CostController(most),
});
