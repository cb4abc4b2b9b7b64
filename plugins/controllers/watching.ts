// What controllers watch: shares that fade, the drafter's pace, rows that cost nothing. Not a controller of its own.
import type { Round, State } from "../../src/controller.ts";
import { depths } from "../../src/tree.ts";

/** What a round forgets of the rounds before: about the last 30 count. */
const MEMORY = 0.97;
/** So many observations is the first guess worth. */
const BELIEF = 2;
/** Times of the drafter that are looked back on. */
const TIMES = 8;

/** A share that fades: hits among chances, lately. */
export class Share {
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

/** Milliseconds that the drafter takes per level of a draft: per token of a chain, per generation of a tree. */
export class Pace {
  readonly #times: number[] = [];

  see({ tree, draftMs }: Round): void {
    const deepest = deepestOf(tree);
    if (deepest === 0) return;
    this.#times.push(draftMs / deepest);
    if (this.#times.length > TIMES) this.#times.shift();
  }

  /**
   * The shortest of late: what is longer was catching up with the text, or the machine doing other things. One time
   * alone says nothing yet, for the first draft of a model reads the whole prompt.
   */
  get ms(): number {
    return this.#times.length < 2 ? 0 : Math.min(...this.#times);
  }
}

/** Levels of a draft. */
export function deepestOf(tree: Round["tree"]): number {
  return depths(tree).reduce((most, depth) => Math.max(most, depth), 0);
}

/** Milliseconds of a pass that verifies `size` nodes, beside what the round pays whatever is drafted. */
export function verifyMs(state: State, size: number): number {
  const there = 1 + (state.unsettled ?? 0);
  return state.cost(1) + state.cost(there + size) - state.cost(there);
}

/** Whether one node is verified for nothing, because a lone row is computed as two. */
export function oneIsFree(state: State): boolean {
  return state.unsettled !== undefined && state.unsettled > 0 ? false : state.cost(2) <= state.cost(1) * 1.001;
}
