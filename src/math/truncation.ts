// The truncations of Sampling, each from a distribution to a renormalised sparse one. O(support) each.
//
// top-p: The Curious Case of Neural Text Degeneration (Holtzman et al., 2019, arXiv 1904.09751). min-p: Turning Up the
// Heat (Nguyen et al., 2024, arXiv 2407.01082). typical: Locally Typical Sampling (Meister et al., 2022, arXiv
// 2202.00666).
import { type Distribution, entropy } from "./distribution.ts";
import type { Sampling } from "../sampling.ts";

/**
 * A mass counts as reached when it is this near: probabilities from a device are float32, and four tokens of a quarter
 * each must make a half with two of them whatever the rounding.
 */
export const REACHED = 1e-6;

/** True where `sampling` leaves tokens out at temperatures above 0. */
export function truncates({ topK, topP, minP, typical }: Sampling): boolean {
  return topK > 0 || topP < 1 || minP > 0 || typical < 1;
}

/** All truncations in their order. */
export function truncate(d: Distribution, sampling: Sampling): Distribution {
  return truncateAfterTopP(keepMass(keepTop(d, sampling.topK), sampling.topP), sampling);
}

/** Those that come after top-p. */
export function truncateAfterTopP(d: Distribution, { minP, typical }: Sampling): Distribution {
  return keepTypical(keepAbove(d, minP), typical);
}

/** The k likeliest tokens; all where k is 0. */
export function keepTop(d: Distribution, k: number): Distribution {
  const { probabilities } = d;
  if (k === 0 || k >= probabilities.length) return d;
  return select(d, fewest(probabilities, (i) => -probabilities[i], () => 1, k));
}

/** The fewest likeliest tokens that reach `mass`. */
export function keepMass(d: Distribution, mass: number): Distribution {
  const { probabilities } = d;
  if (mass >= 1) return d;
  return select(d, fewest(probabilities, (i) => -probabilities[i], (i) => probabilities[i], mass - REACHED));
}

/** Tokens at least `fraction` as likely as the likeliest. */
export function keepAbove(d: Distribution, fraction: number): Distribution {
  if (fraction <= 0) return d;
  const { probabilities } = d;
  let most = 0;
  for (let i = 0; i < probabilities.length; i++) if (probabilities[i] > most) most = probabilities[i];
  const kept: number[] = [];
  for (let i = 0; i < probabilities.length; i++) if (probabilities[i] >= fraction * most) kept.push(i);
  return select(d, kept);
}

/** The fewest tokens with −ln p nearest the entropy that reach `mass`. */
export function keepTypical(d: Distribution, mass: number): Distribution {
  if (mass >= 1) return d;
  const { probabilities } = d;
  const expected = entropy(d);
  const distance = (i: number) => Math.abs(-Math.log(probabilities[i]) - expected);
  return select(d, fewest(probabilities, distance, (i) => probabilities[i], mass - REACHED));
}

/** The places `kept`, ascending, renormalised. */
function select(d: Distribution, kept: ArrayLike<number>): Distribution {
  const tokens = new Int32Array(kept.length);
  const probabilities = new Float64Array(kept.length);
  let sum = 0;
  for (let i = 0; i < kept.length; i++) {
    tokens[i] = d.tokens === undefined ? kept[i] : d.tokens[kept[i]];
    probabilities[i] = d.probabilities[kept[i]];
    sum += probabilities[i];
  }
  for (let i = 0; i < kept.length; i++) probabilities[i] /= sum;
  return { vocab: d.vocab, tokens, probabilities };
}

/**
 * The fewest places of positive probability, by ascending (key, place), whose weights reach `mass`; at least one, all
 * where they never do. Ascending places. Quickselect by weight: no sort of the vocabulary.
 */
function fewest(
  probabilities: Float64Array,
  key: (place: number) => number,
  weight: (place: number) => number,
  mass: number,
): Int32Array {
  const keys = new Float64Array(probabilities.length);
  const order = new Int32Array(probabilities.length);
  let count = 0;
  for (let i = 0; i < probabilities.length; i++) {
    if (!(probabilities[i] > 0)) continue;
    keys[i] = key(i);
    order[count++] = i;
  }
  const before = (a: number, b: number) => keys[a] < keys[b] || (keys[a] === keys[b] && a < b);
  let low = 0; // order[0 … low) is taken
  let high = count; // order[high … count) is not needed
  let taken = 0;
  while (low < high) {
    swap(order, medianOf(order, low, (low + high) >>> 1, high - 1, before), high - 1);
    const pivot = order[high - 1];
    let less = 0;
    let to = low;
    for (let i = low; i < high - 1; i++) {
      if (!before(order[i], pivot)) continue;
      less += weight(order[i]);
      swap(order, i, to++);
    }
    swap(order, to, high - 1);
    if (taken + less >= mass) high = to;
    else {
      taken += less + weight(pivot);
      low = to + 1;
      if (taken >= mass) break;
    }
  }
  return order.slice(0, Math.max(low, Math.min(1, count))).sort();
}

function swap(order: Int32Array, i: number, j: number): void {
  const place = order[i];
  order[i] = order[j];
  order[j] = place;
}

/** Which of the three positions holds the middle one. */
function medianOf(
  order: Int32Array,
  i: number,
  j: number,
  k: number,
  before: (a: number, b: number) => boolean,
): number {
  const [a, b, c] = [order[i], order[j], order[k]];
  if (before(a, b)) return before(b, c) ? j : before(a, c) ? k : i;
  return before(a, c) ? i : before(b, c) ? k : j;
}
