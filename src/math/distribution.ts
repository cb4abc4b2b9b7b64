// Probabilities over a vocabulary. Dense, or sparse where truncation left few tokens. All sums are in float64.
//
// Every operation costs the support of its arguments: O(vocab) where one is dense, O(listed tokens) where all are
// sparse. No operation changes its arguments; a result may be one of them, or share its arrays.
import { addUp, coarse, fine, type Parts, sumOf, tells } from "./sum.ts";

/**
 * A probability distribution over tokens `0 … vocab-1`.
 *
 * Dense: `tokens` is undefined and `probabilities[t]` belongs to token `t`; length `vocab`.
 * Sparse: `tokens` is ascending without repeats, `probabilities[i]` belongs to `tokens[i]`, every other token has 0.
 * Values are ≥ 0, finite and sum to 1 up to rounding.
 */
export interface Distribution {
  readonly vocab: number;
  readonly tokens?: Int32Array;
  readonly probabilities: Float64Array;
}

/** Probabilities of all tokens, [vocab], copied. */
export function dense(probabilities: ArrayLike<number>): Distribution {
  return { vocab: probabilities.length, probabilities: Float64Array.from(probabilities) };
}

/** Probabilities of some tokens, in any order; a token named twice gets the sum. Throws RangeError outside the vocabulary. */
export function sparse(vocab: number, tokens: ArrayLike<number>, probabilities: ArrayLike<number>): Distribution {
  const order = Array.from(tokens, (_, i) => i).sort((a, b) => tokens[a] - tokens[b]);
  const ids: number[] = [];
  const values: number[] = [];
  for (const i of order) {
    if (!(tokens[i] >= 0 && tokens[i] < vocab)) throw new RangeError(`token ${tokens[i]} outside vocabulary ${vocab}`);
    if (ids.length > 0 && ids[ids.length - 1] === tokens[i]) values[values.length - 1] += probabilities[i];
    else {
      ids.push(tokens[i]);
      values.push(probabilities[i]);
    }
  }
  return { vocab, tokens: Int32Array.from(ids), probabilities: Float64Array.from(values) };
}

/** All probability on one token. */
export function point(vocab: number, token: number): Distribution {
  if (!(token >= 0 && token < vocab)) throw new RangeError(`token ${token} outside vocabulary ${vocab}`);
  return { vocab, tokens: Int32Array.of(token), probabilities: Float64Array.of(1) };
}

/** Where `token` stands in ascending `tokens`; −1 where it does not. */
function indexOf(tokens: Int32Array, token: number): number {
  let low = 0;
  let high = tokens.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if (tokens[middle] === token) return middle;
    if (tokens[middle] < token) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** The probability of one token; 0 outside the vocabulary. */
export function probability(d: Distribution, token: number): number {
  if (d.tokens === undefined) return d.probabilities[token] ?? 0;
  const i = indexOf(d.tokens, token);
  return i < 0 ? 0 : d.probabilities[i];
}

/** Visits every token of positive probability, by ascending id. */
export function forEach(d: Distribution, visit: (token: number, probability: number) => void): void {
  const { tokens, probabilities } = d;
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] > 0) visit(tokens === undefined ? i : tokens[i], probabilities[i]);
  }
}

/** Tokens of positive probability with their probabilities, by ascending id. `forEach` is the faster of the two. */
export function* entries(d: Distribution): Generator<[token: number, probability: number]> {
  const { tokens, probabilities } = d;
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] > 0) yield [tokens === undefined ? i : tokens[i], probabilities[i]];
  }
}

/** The likeliest token; of equal ones the lowest id. −1 where nothing has positive probability. */
export function argmax(d: Distribution): number {
  let best = -1;
  let most = 0;
  for (let i = 0; i < d.probabilities.length; i++) {
    if (d.probabilities[i] > most) {
      most = d.probabilities[i];
      best = i;
    }
  }
  return best < 0 || d.tokens === undefined ? best : d.tokens[best];
}

/** The `k` likeliest tokens, most likely first, equal ones by ascending id; fewer where fewer have probability. */
export function top({ tokens: listed, probabilities }: Distribution, k: number): number[] {
  // Kept sorted by insertion: k is small, and most tokens fail the one comparison.
  const tokens: number[] = [];
  const values: number[] = [];
  if (k < 1) return tokens;
  let least = 0; // what a token must exceed to be among the first k
  for (let i = 0; i < probabilities.length; i++) {
    const value = probabilities[i];
    if (!(value > least)) continue;
    let at = Math.min(values.length, k - 1); // the last of k gives way
    for (; at > 0 && values[at - 1] < value; at--) {
      values[at] = values[at - 1];
      tokens[at] = tokens[at - 1];
    }
    values[at] = value;
    tokens[at] = listed === undefined ? i : listed[i];
    if (values.length === k) least = values[k - 1];
  }
  return tokens;
}

/** Whether no token has any probability. Looks no further than the first that has. */
export function isEmpty({ probabilities }: Distribution): boolean {
  return !probabilities.some((value) => value > 0);
}

/** The sum of all values, right to its last place and the same in whatever order it is made (see src/math/sum.ts). */
export function mass({ probabilities }: Distribution): number {
  const { sum, scale } = sumOf(probabilities);
  return sum / scale;
}

/** `mass` of what is left of `d` without these tokens, none named twice. `whole`: all of `d` added up, at scale 1. */
export function massWithout(d: Distribution, tokens: readonly number[], whole = addUp(d.probabilities, 1)): number {
  let left: Parts = whole;
  for (const token of tokens) {
    const value = probability(d, token);
    const part = coarse(value);
    left = { coarse: left.coarse - part, fine: left.fine - fine(value, part) };
  }
  // Up to a sum of 2 all of this is exact; from there on, and where little is left, it is added up anew.
  const sum = left.coarse + left.fine;
  return whole.coarse + whole.fine < 2 && tells(sum, 1) ? sum : mass(removed(d, tokens));
}

/** `d` with some tokens set to 0, copied. */
function removed(d: Distribution, tokens: Iterable<number>): Distribution {
  const probabilities = d.probabilities.slice();
  for (const token of tokens) {
    const i = d.tokens === undefined ? token : indexOf(d.tokens, token);
    if (i >= 0 && i < probabilities.length) probabilities[i] = 0;
  }
  return { ...d, probabilities };
}

/**
 * Sums within this of 1 are left alone: dividing by them would cost a copy and change nothing but rounding. What was
 * divided once is within it: the inverse, each product and the sum are each right to 2^-53.
 */
export const ROUNDING = 2 ** -50;

/** Sums below this are lifted before they are inverted: no number is as large as the inverse of the least ones. */
export const LOW = 2 ** -1000;
/** A power of two: to multiply by it is exact. */
export const LIFT = 2 ** 100;

/** `values`, scaled to sum to 1 where they stand. They must be nobody else's. */
function scaled(values: Float64Array, sum: number): Float64Array {
  if (Math.abs(sum - 1) <= ROUNDING) return values;
  if (sum < LOW) {
    for (let i = 0; i < values.length; i++) values[i] *= LIFT;
    sum *= LIFT;
  }
  const factor = 1 / sum;
  for (let i = 0; i < values.length; i++) values[i] *= factor; // a loop: `map` takes ten times as long
  return values;
}

/** A soft-max that was made in float32, [vocab], brought to the sum 1 in float64. */
export function widened(values: Float32Array): Distribution {
  const probabilities = new Float64Array(values);
  const d = { vocab: values.length, probabilities };
  const factor = 1 / mass(d);
  for (let i = 0; i < probabilities.length; i++) probabilities[i] *= factor;
  return d;
}

/**
 * Scaled to sum to 1. Every rule passes p and q through here first, so "the target's distribution" always means the
 * renormalised one: rows from a device sum to 1 only to float32. Throws RangeError where the sum is 0 or not finite.
 */
export function normalise(d: Distribution): Distribution {
  const sum = mass(d);
  if (Math.abs(sum - 1) <= ROUNDING) return d;
  if (!(sum > 0 && sum < Infinity)) throw new RangeError(`probabilities sum to ${sum}`);
  return { ...d, probabilities: scaled(d.probabilities.slice(), sum) };
}

/**
 * The excess max(scale·p − q, 0), not normalised: what `p` still has to give where `q` has already given `q`.
 * Its support is within that of p, so nothing impossible under p can be drawn from it. Sums to `mass(excess(…))`.
 */
export function excess(p: Distribution, q: Distribution, scale = 1): Distribution {
  const out = p.probabilities.slice();
  if (scale !== 1) { for (let i = 0; i < out.length; i++) out[i] *= scale; }
  if (p.tokens === undefined) {
    if (q.tokens === undefined) {
      for (let i = 0; i < out.length; i++) out[i] = Math.max(out[i] - q.probabilities[i], 0);
    } else {
      for (let i = 0; i < q.tokens.length; i++) {
        out[q.tokens[i]] = Math.max(out[q.tokens[i]] - q.probabilities[i], 0);
      }
    }
  } else if (q.tokens === undefined) {
    for (let i = 0; i < out.length; i++) out[i] = Math.max(out[i] - q.probabilities[p.tokens[i]], 0);
  } else {
    for (let i = 0, j = 0; i < out.length; i++) {
      while (j < q.tokens.length && q.tokens[j] < p.tokens[i]) j++;
      if (j < q.tokens.length && q.tokens[j] === p.tokens[i]) out[i] = Math.max(out[i] - q.probabilities[j], 0);
    }
  }
  return { ...p, probabilities: out };
}

/** `mass(excess(p, q, scale))`, as a rule without making the excess where both are dense. */
export function excessMass(p: Distribution, q: Distribution, scale = 1): number {
  if (p.tokens === undefined && q.tokens === undefined) {
    const [a, b] = [p.probabilities, q.probabilities];
    let large = 0, small = 0, rough = 0;
    for (let i = 0; i < a.length; i++) {
      const value = Math.max(scale * a[i] - b[i], 0);
      const part = coarse(value);
      large += part;
      small += fine(value, part);
      rough += value;
    }
    if (rough === 0 || tells(large + small, 1)) return large + small;
  }
  return mass(excess(p, q, scale));
}

/**
 * What the target still owes after a refusal: norm(max(scale·p − q, 0)).
 *
 * Where nothing is left (p = q up to rounding, when a refusal has probability 0 up to rounding) the answer is p itself,
 * so that even then only tokens of the target can be drawn.
 */
export function residual(p: Distribution, q: Distribution, scale = 1): Distribution {
  const left = excess(p, q, scale);
  const sum = mass(left);
  return sum > 0 ? { ...left, probabilities: scaled(left.probabilities, sum) } : p;
}

/** `d` with some tokens removed and the rest renormalised; undefined where nothing is left. */
export function without(d: Distribution, tokens: Iterable<number>): Distribution | undefined {
  const left = removed(d, tokens);
  const sum = mass(left);
  return sum > 0 ? { ...left, probabilities: scaled(left.probabilities, sum) } : undefined;
}

/** Calls `visit` with both probabilities of every token that either lists. */
function visitBoth(p: Distribution, q: Distribution, visit: (token: number, p: number, q: number) => void): void {
  if (p.tokens === undefined && q.tokens === undefined) {
    for (let i = 0; i < p.probabilities.length; i++) visit(i, p.probabilities[i], q.probabilities[i]);
  } else if (p.tokens === undefined) {
    for (let i = 0, j = 0; i < p.probabilities.length; i++) {
      const listed = j < q.tokens!.length && q.tokens![j] === i;
      visit(i, p.probabilities[i], listed ? q.probabilities[j++] : 0);
    }
  } else if (q.tokens === undefined) {
    visitBoth(q, p, (token, b, a) => visit(token, a, b));
  } else {
    for (let i = 0, j = 0; i < p.tokens.length || j < q.tokens.length;) {
      const a = p.tokens[i] ?? Infinity;
      const b = q.tokens[j] ?? Infinity;
      visit(Math.min(a, b), a <= b ? p.probabilities[i++] : 0, b <= a ? q.probabilities[j++] : 0);
    }
  }
}

/** Σ min(p, scale·q): with scale 1, how often one draw from q can be kept. As right as `mass`, down to 2^-20. */
export function overlap(p: Distribution, q: Distribution, scale = 1): number {
  let large = 0, small = 0;
  const add = (a: number, b: number) => {
    const value = Math.min(a, scale * b);
    const part = coarse(value);
    large += part;
    small += fine(value, part);
  };
  if (p.tokens === undefined && q.tokens === undefined) { // long: without a call for every token
    for (let i = 0; i < p.probabilities.length; i++) add(p.probabilities[i], q.probabilities[i]);
  } else {
    visitBoth(p, q, (_, a, b) => add(a, b));
  }
  return large + small;
}

/** Total variation distance ½·Σ|p − q|, 0…1. */
export function totalVariation(p: Distribution, q: Distribution): number {
  let sum = 0;
  visitBoth(p, q, (_, a, b) => sum += Math.abs(a - b));
  return sum / 2;
}

/** Kullback-Leibler divergence Σ p·ln(p/q) in nats, ≥ 0; Infinity where q lacks a token of p. */
export function divergence(p: Distribution, q: Distribution): number {
  let sum = 0;
  visitBoth(p, q, (_, a, b) => {
    if (a > 0) sum += a * (Math.log(a) - Math.log(b));
  });
  return Math.max(sum, 0);
}

/** Shannon entropy −Σ p·ln p in nats. */
export function entropy(d: Distribution): number {
  let sum = 0;
  for (let i = 0; i < d.probabilities.length; i++) {
    const value = d.probabilities[i];
    if (value > 0) sum -= value * Math.log(value);
  }
  return Math.max(sum, 0);
}
