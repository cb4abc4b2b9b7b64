// cost: drafts as much as brings the most tokens per millisecond, by the measured cost of a pass over so many rows, the
// drafter's own time, and how often drafts have been accepted lately. Where drafting loses it stops, and tries again
// after longer and longer while. In the spirit of Optimizing Speculative Decoding for Serving Large Language Models
// Using Goodput (Liu et al., 2024, arXiv 2406.14066), for one text.
import type { Controller, Plan, Round, State } from "../../src/controller.ts";
import { definePlugin } from "../../src/registry.ts";
import { depths } from "../../src/tree.ts";

/** What a round forgets of the rounds before: about the last 30 count. */
const MEMORY = 0.97;
/** So many observations is the first guess worth. */
const BELIEF = 2;
/** First guess of how often the first drafted token is right. */
const FIRST_GUESS = 0.5;
/** Without a cost curve, a short draft costs little anywhere. */
const BLIND: Plan = { nodes: 2, depth: 2 };
/** Rounds of plain decoding before drafting is tried again, at first and at most, and rounds that a trial takes. */
const FIRST_WAIT = 8;
const LONGEST_WAIT = 256;
const TRIAL = 3;
/** Drafting times that are looked back on. */
const TIMES = 8;

/** A share that fades: hits among chances, lately. */
class Share {
  #hits = 0;
  #chances = 0;

  see(hit: boolean): void {
    this.#hits = this.#hits * MEMORY + (hit ? 1 : 0);
    this.#chances = this.#chances * MEMORY + 1;
  }

  /** What a long while has made less sure. */
  doubt(): void {
    this.#hits /= 2;
    this.#chances /= 2;
  }

  value(guess: number): number {
    return (this.#hits + BELIEF * guess) / (this.#chances + BELIEF);
  }
}

export class CostController implements Controller {
  readonly name = "cost";
  readonly needsCost = true;
  /** [depth − 1], of rounds that could draft so deep: how often the draft did, given that it did one less … */
  readonly #offered: Share[] = [];
  /** … and how often the draft was accepted so deep, given that it was one less; not drafted is not accepted. */
  readonly #accepted: Share[] = [];
  /** Milliseconds per drafted token, lately. */
  readonly #times: number[] = [];
  #wait = FIRST_WAIT;
  #plainRounds = 0;
  #trial = 0;

  /** Drafts of at most `most` tokens, ≥ 1. */
  constructor(private readonly most: number) {
    for (let depth = 0; depth < most; depth++) {
      this.#offered.push(new Share());
      this.#accepted.push(new Share());
    }
  }

  plan(state: State): Plan {
    if (Number.isNaN(state.cost(1))) return BLIND;
    const { size, gain } = this.#best(state);
    const plan = { nodes: size, depth: size };
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
    if (++this.#plainRounds <= this.#wait) return { nodes: 0, depth: 0 };
    this.#plainRounds = 0;
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
    this.#trial = TRIAL - 1;
    for (const share of [...this.#offered, ...this.#accepted]) share.doubt();
    return plan;
  }

  observe({ plan, tree, verdict, draftMs }: Round): void {
    if (plan.nodes === 0) return;
    const deepest = depths(tree).reduce((most, depth) => Math.max(most, depth), 0);
    const reach = Math.min(plan.depth, this.most);
    for (let depth = 1; depth <= reach && depth <= deepest + 1; depth++) {
      this.#offered[depth - 1].see(deepest >= depth);
    }
    for (let depth = 1; depth <= reach && depth <= verdict.path.length + 1; depth++) {
      this.#accepted[depth - 1].see(verdict.path.length >= depth);
    }
    if (tree.tokens.length > 0) {
      this.#times.push(draftMs / tree.tokens.length);
      if (this.#times.length > TIMES) this.#times.shift();
    }
  }

  /** The draft size of 1 or more with the most tokens per millisecond, and how many times plain decoding that is. */
  #best(state: State): { size: number; gain: number } {
    const plain = 1 / state.cost(1);
    const perToken = this.#draftMs();
    let best = 0;
    let size = 1;
    let tokens = 1; // expected from a round with drafts of at most `depth`
    let verifyMs = state.cost(1); // expected time of its pass
    let draftMs = 0;
    let offered = 1; // how likely the draft gets so deep, and is accepted so deep
    let accepted = 1;
    let offer = 1; // the shares one less deep, as first guesses
    let accept = FIRST_GUESS;
    for (let depth = 1; depth <= this.most; depth++) {
      offer = this.#offered[depth - 1].value(offer);
      accept = this.#accepted[depth - 1].value(accept);
      offered *= offer;
      accepted *= accept;
      tokens += accepted;
      verifyMs += offered * (state.cost(depth + 1) - state.cost(depth));
      draftMs += offered * perToken;
      const rate = tokens / (verifyMs + draftMs);
      if (rate > best) {
        best = rate;
        size = depth;
      }
    }
    return { size, gain: best / plain };
  }

  /**
   * The shortest time of late: what is longer was catching up with the text, or the machine doing other things. One
   * time alone says nothing yet, for the first draft of a model reads the whole prompt.
   */
  #draftMs(): number {
    return this.#times.length < 2 ? 0 : Math.min(...this.#times);
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
    most: { type: "integer", default: 16, min: 1, max: 256, summary: "most drafted tokens a round" },
  },
  create: ({ most }) => new CostController(Number(most)),
});
