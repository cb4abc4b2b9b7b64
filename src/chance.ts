// The only source of randomness anywhere. Running draws from a seed; proving follows every branch
// (src/check/every-branch.ts).
import type { Distribution } from "./math/distribution.ts";
import { coarse, fine, sumOf } from "./math/sum.ts";

/**
 * For example, with the uniform numbers 0.4 and 0.9: `flip(0.5)` takes 0.4 and is true; `pick` of weights (0.5, 0.3, 0.2)
 * then takes 0.9 and draws token 2, whose interval is 0.8 … 1.
 */
export interface Chance {
  /** True with the given probability (values outside 0…1 are clamped). Never true at 0, never false at 1. */
  flip(probability: number): boolean;
  /**
   * A token drawn in proportion to `weights` (they need not sum to 1; the sum must be positive and finite).
   * Never a token of weight 0.
   */
  pick(weights: Distribution): number;
}

/** Chance whose every flip and pick takes the next number of one stream, so that a device can take them in its place. */
export interface Stream extends Chance {
  /** The next `count` uniform numbers, 0 ≤ u ≤ 1, [count], in the order in which flips and picks would take them. */
  peek(count: number): Float64Array;
  /** Takes the first `used` of them out of the stream. */
  spend(used: number): void;
  /** A stream for one purpose, such as `draft`, that this one does not disturb nor is disturbed by. */
  fork(label: string): Chance;
}

export function isStream(chance: Chance): chance is Stream {
  return "peek" in chance;
}

/** Throws RangeError where nothing can be drawn from weights with this sum. */
export function refuseSum(sum: number): void {
  if (!(sum > 0 && sum < Infinity)) throw new RangeError(`cannot draw: the weights sum to ${sum}`);
}

/**
 * Chance from a source of uniform numbers 0 ≤ u ≤ 1. Every flip and every pick takes exactly one of them, so equal
 * numbers give equal verdicts wherever a rule runs. Both ends of the range are safe.
 */
export class UniformChance implements Stream {
  /** Numbers that `peek` has shown and nobody has taken, next first. */
  readonly #shown: number[] = [];

  constructor(private readonly uniform: () => number) {}

  peek(count: number): Float64Array {
    while (this.#shown.length < count) this.#shown.push(this.uniform());
    return Float64Array.from(this.#shown.slice(0, count));
  }

  spend(used: number): void {
    this.#shown.splice(0, used);
  }

  /** Itself: there is one source of numbers. */
  fork(_label: string): Chance {
    return this;
  }

  #next(): number {
    return this.#shown.shift() ?? this.uniform();
  }

  flip(probability: number): boolean {
    const u = this.#next();
    return u < probability || probability >= 1; // u < 0 never holds, and at 1 the answer does not depend on u
  }

  /**
   * Inverse transform: the first token whose running sum exceeds u·sum. A token of weight 0 never moves that sum.
   *
   * The sums are those of src/math/sum.ts, which do not depend on their order: a backend that adds up otherwise draws the
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
  /** The same seed gives the same numbers on every machine; 7 and "7" are the same seed. */
  constructor(readonly seed: number | string) {
    const state = seedState(String(seed));
    super(() => ((xoshiro(state) >>> 5) * 0x4000000 + (xoshiro(state) >>> 6)) / 0x20000000000000);
  }

  /**
   * A stream of its own for one purpose, such as `draft`. It depends on the seed and the label, not on how much was
   * drawn before: with one stream for drafting and one for verifying, neither disturbs the other.
   */
  override fork(label: string): SeededChance {
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
