// What controllers watch: shares that fade, the drafter's pace, rows that cost nothing. Not a controller of its own.
import type { Round, State } from "../../src/controller.ts";
import { depthOf } from "../../src/tree.ts";

/** What a round forgets of the rounds before: about the last 30 count. */
const MEMORY = 0.97;
/** So many observations is the first guess worth. */
const BELIEF = 2;
/** What is left of what was seen after a round in which nobody looked. */
const FADING = 0.97;
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

  /** A round in which nobody looked: what was seen counts a little less, the first guess a little more. */
  fade(): void {
    this.#hits *= FADING;
    this.#chances *= FADING;
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
  return depthOf(tree);
}

/** Widths at which the curve is put right; so many passes of late count at each, and so many is being right worth. */
const WIDTHS = [2, 4, 8, 16, 32];
const PASSES = 9;
const TRUST = 3;

/**
 * The engine's cost curve, put right by what passes take. It was measured once, perhaps while the machine was busy, and
 * after a text of another length; a curve that finds wide passes too cheap would make drafting lose unnoticed.
 */
export class Curve {
  /** [width][pass] Logarithms of milliseconds taken over milliseconds expected. */
  readonly #off: number[][] = WIDTHS.map(() => []);
  #factors = WIDTHS.map(() => 1);
  #known = false;

  see({ rows, verifyMs }: Round, cost: State["cost"]): void {
    const off = Math.log(verifyMs / cost(rows));
    if (!Number.isFinite(off)) return;
    const passes = this.#off[Math.round(place(rows))];
    passes.push(off);
    if (passes.length > PASSES) passes.shift();
    // The median, for a pass may be disturbed; and where few were seen, what is usual at other widths.
    const medians = this.#off.map((all) => [...all].sort((a, b) => a - b)[all.length >> 1] ?? 0);
    const seen = this.#off.reduce((sum, all) => sum + all.length, 0);
    const usual = medians.reduce((sum, median, i) => sum + median * this.#off[i].length, 0) / (seen + TRUST);
    this.#factors = medians.map((median, i) =>
      Math.exp((median * this.#off[i].length + usual * TRUST) / (this.#off[i].length + TRUST))
    );
    this.#known = true;
  }

  /** Milliseconds of a pass over `width` rows. */
  cost(state: State, width: number): number {
    if (!this.#known) return state.cost(width);
    const at = place(width);
    const below = Math.floor(at);
    const above = Math.ceil(at);
    return state.cost(width) * (this.#factors[below] + (this.#factors[above] - this.#factors[below]) * (at - below));
  }
}

/** Where a width stands among WIDTHS, 0 … 4, in equal steps for each doubling. */
function place(width: number): number {
  return Math.min(Math.max(Math.log2(width) - 1, 0), WIDTHS.length - 1);
}

/** Whether one node is verified for nothing, because a lone row is computed as two. */
export function oneIsFree(state: State): boolean {
  return state.cost(2) <= state.cost(1) * 1.001;
}
