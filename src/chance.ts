// The only source of randomness anywhere. Running uses a seed; proving follows every branch.
import type { Distribution } from "./distribution.ts";
import { coarse, fine, sumOf } from "./sum.ts";

export interface Chance {
  /** True with the given probability (values outside 0…1 are clamped). Never true at 0, never false at 1. */
  flip(probability: number): boolean;
  /**
   * A token drawn in proportion to `weights` (they need not sum to 1; the sum must be positive and finite).
   * Never a token of weight 0.
   */
  pick(weights: Distribution): number;
  /** A stream of its own for one purpose, such as `draft`. Absent: one stream serves all, as when branches are followed. */
  fork?(label: string): Chance;
  /** Remembers the state; the function returned goes back to it, any number of times. Absent where that cannot be. */
  save?(): () => void;
  /**
   * The next `count` uniform numbers, for a backend that judges in place of flips and picks. They count as drawn only
   * when `spend` says how many were used, before anything else is drawn. Absent where there are no such numbers.
   */
  ahead?(count: number): Ahead;
}

export interface Ahead {
  /** [count], 0 ≤ u ≤ 1, in the order in which flips and picks would take them. */
  readonly uniforms: Float64Array;
  /** Takes the first `used` of them out of the stream. */
  readonly spend: (used: number) => void;
}

/** Throws RangeError where nothing can be drawn from weights with this sum. */
function refuseSum(sum: number): void {
  if (!(sum > 0 && sum < Infinity)) throw new RangeError(`cannot draw: the weights sum to ${sum}`);
}

/**
 * Chance from a source of uniform numbers 0 ≤ u ≤ 1. Every flip and every pick takes exactly one of them, so equal
 * numbers give equal verdicts wherever a rule runs. Both ends of the range are safe.
 */
export class UniformChance implements Chance {
  /** Numbers that `ahead` has shown and nobody has used, next first. */
  protected shown: number[] = [];

  constructor(private readonly uniform: () => number) {}

  ahead(count: number): Ahead {
    while (this.shown.length < count) this.shown.push(this.uniform());
    return { uniforms: Float64Array.from(this.shown.slice(0, count)), spend: (used) => this.shown.splice(0, used) };
  }

  #next(): number {
    return this.shown.shift() ?? this.uniform();
  }

  flip(probability: number): boolean {
    const u = this.#next();
    return u < probability || probability >= 1; // u < 0 never holds, and at 1 the answer does not depend on u
  }

  /**
   * Inverse transform: the first token whose running sum exceeds u·sum. A token of weight 0 never moves that sum.
   *
   * The sums are those of src/sum.ts, which do not depend on their order: a backend that adds up otherwise draws the
   * same token. Each token comes up for an interval of u as long as its share of the sum, to 2^-52, however small the
   * weights are; u itself has 53 bits.
   */
  pick(weights: Distribution): number {
    const { tokens, probabilities } = weights;
    const { sum, scale } = sumOf(probabilities);
    refuseSum(sum);
    const target = this.#next() * sum;
    let large = 0, small = 0;
    let last = -1;
    for (let i = 0; i < probabilities.length; i++) {
      const weight = probabilities[i] * scale;
      const part = coarse(weight);
      const rest = fine(weight, part);
      if (!(part + rest > 0)) continue;
      large += part;
      small += rest;
      last = i;
      if (large + small > target) break;
    }
    // At the upper end, where u·sum may round to the whole sum, the last token of positive weight stands.
    return tokens === undefined ? last : tokens[last];
  }
}

/**
 * xoshiro128** (Blackman & Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021, arXiv 1805.01407): 128 bits
 * of state, period 2^128 − 1, only 32-bit arithmetic. One uniform number takes two outputs: 53 bits, 0 ≤ u < 1.
 */
export class SeededChance extends UniformChance {
  readonly #state: Int32Array;

  /** The same seed gives the same numbers on every machine; 7 and "7" are the same seed. */
  constructor(readonly seed: number | string) {
    const state = seedState(String(seed));
    super(() => ((xoshiro(state) >>> 5) * 0x4000000 + (xoshiro(state) >>> 6)) / 0x20000000000000);
    this.#state = state;
  }

  save(): () => void {
    const [state, shown] = [this.#state.slice(), this.shown.slice()];
    return () => {
      this.#state.set(state);
      this.shown = shown.slice();
    };
  }

  /**
   * A stream of its own for one purpose, such as `draft`. It depends on the seed and the label, not on how much was
   * drawn before: with one stream for drafting and one for verifying, neither disturbs the other.
   */
  fork(label: string): SeededChance {
    return new SeededChance(`${this.seed}/${label}`);
  }
}

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));

/** One step; returns 32 bits as a signed integer. */
function xoshiro(s: Int32Array): number {
  const out = Math.imul(rotate(Math.imul(s[1], 5), 7), 9);
  const shifted = s[1] << 9;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = rotate(s[3], 11);
  return out;
}

/** Four words hashed from the text: FNV-1a from four starts, each finished by Murmur3's mixer. Never all zero. */
function seedState(text: string): Int32Array {
  const state = Int32Array.of(0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35);
  for (let lane = 0; lane < 4; lane++) {
    let h = state[lane];
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    state[lane] = h ^ (h >>> 16);
  }
  if (state.every((word) => word === 0)) state[0] = 1;
  for (let i = 0; i < 16; i++) xoshiro(state); // neighbouring seeds part ways before the first number is used
  return state;
}

/** One thing that can happen, and how likely it is. */
export interface Outcome<T> {
  readonly value: T;
  readonly probability: number;
}

/**
 * Chance that follows every branch. Run the same deterministic code once per branch: each run repeats the decisions
 * before the last one that still has something else to offer, and takes its next offer. Branches of probability 0 are
 * left out. `everyBranch` drives it.
 */
export class EnumeratingChance implements Chance {
  /** The decisions of the current run: what each offers, and which offer is taken. */
  private readonly trail: { tokens: number[]; weights: number[]; taken: number }[] = [];
  private at = 0;
  /** Probability of the branch so far. */
  probability = 1;

  flip(probability: number): boolean {
    const p = Math.min(1, Math.max(0, probability));
    if (Number.isNaN(p)) throw new RangeError("cannot flip: the probability is not a number");
    return this.decide(() => ({ tokens: [1, 0], weights: [p, 1 - p] })) === 1;
  }

  pick(weights: Distribution): number {
    return this.decide(() => this.offersOf(weights));
  }

  /** The tokens that may be drawn and how likely each is. */
  protected offersOf(weights: Distribution): { tokens: number[]; weights: number[] } {
    const sum = weights.probabilities.reduce((a, b) => a + b, 0);
    refuseSum(sum);
    const tokens = Array.from(weights.probabilities, (_, i) => weights.tokens === undefined ? i : weights.tokens[i]);
    return { tokens, weights: Array.from(weights.probabilities, (weight) => weight / sum) };
  }

  /** Moves to the next branch; false when all were seen. */
  advance(): boolean {
    this.at = 0;
    this.probability = 1;
    while (this.trail.length > 0) {
      const last = this.trail[this.trail.length - 1];
      if (++last.taken < last.tokens.length) return true;
      this.trail.pop();
    }
    return false;
  }

  private decide(offers: () => { tokens: number[]; weights: number[] }): number {
    if (this.at === this.trail.length) {
      const { tokens, weights } = offers();
      const possible = tokens.map((_, i) => i).filter((i) => weights[i] > 0);
      this.trail.push({
        tokens: possible.map((i) => tokens[i]),
        weights: possible.map((i) => weights[i]),
        taken: 0,
      });
    }
    const { tokens, weights, taken } = this.trail[this.at++];
    this.probability *= weights[taken];
    return tokens[taken];
  }
}

/**
 * Every outcome of `run` with its probability, one per branch; equal values are not merged. `run` must take all its
 * chance from the argument and be deterministic otherwise.
 */
export function* everyBranch<T>(
  run: (chance: Chance) => T,
  chance = new EnumeratingChance(),
): Generator<Outcome<T>> {
  do {
    const value = run(chance);
    yield { value, probability: chance.probability };
  } while (chance.advance());
}
