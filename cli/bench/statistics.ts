// Medians and how sure they are: an interval by drawing the measurements again, with replacement, many times.
// Bootstrap Methods: Another Look at the Jackknife (Efron, 1979); percentile intervals.

/** A median with the ends of its interval. */
export interface Interval {
  readonly low: number;
  readonly median: number;
  readonly high: number;
  /** Too few prompts for an interval: the ends are the least and the greatest. */
  readonly range?: true;
}

/** The interval holds the true median in so many of 100 experiments, as far as the prompts stand for all prompts. */
export const CONFIDENCE = 0.95;
const DRAWS = 2000;
/**
 * Of fewer numbers even the least and the greatest are no interval of this confidence: that all n are on one side of the
 * median happens in 2^(1 − n) of experiments.
 */
export const LEAST_PROMPTS = 6;

/** Median and quartiles of at least one number. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export function spread(values: readonly number[]): Spread {
  return { low: quantile(values, 0.25), median: quantile(values, 0.5), high: quantile(values, 0.75) };
}

/** Ratios of measurements taken side by side: each of ours over the one beside it. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.slice(0, theirs.length).map((value, i) => value / theirs[i]);
}

/** The value below which `fraction` of at least one number lie, 0…1, on straight lines between them. */
export function quantile(values: readonly number[], fraction: number): number {
  return quantileOf([...values].sort((a, b) => a - b), fraction);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Of at least one number; the same numbers give the same interval. Of fewer than LEAST_PROMPTS, their range. */
export function interval(values: readonly number[]): Interval {
  return stratified([values]);
}

/**
 * The same over groups, as kinds of prompts are; weights are the groups' sizes. Each is drawn from on its own where all
 * have LEAST_PROMPTS; else all are drawn from together, because a few drawn again from themselves hardly vary.
 */
export function stratified(groups: readonly (readonly number[])[]): Interval {
  const all = groups.flat();
  const middle = median(all);
  if (all.length < LEAST_PROMPTS) return { low: Math.min(...all), median: middle, high: Math.max(...all), range: true };
  const drawnFrom = groups.every(({ length }) => length >= LEAST_PROMPTS) ? groups : [all];
  const random = generator(all.length);
  const drawn = new Float64Array(all.length);
  const medians = Float64Array.from({ length: DRAWS }, () => {
    let at = 0;
    for (const group of drawnFrom) {
      for (let i = 0; i < group.length; i++) drawn[at++] = group[Math.floor(random() * group.length)];
    }
    return quantileOf(drawn.sort(), 0.5);
  }).sort();
  const tail = (1 - CONFIDENCE) / 2;
  return { low: quantileOf(medians, tail), median: middle, high: quantileOf(medians, 1 - tail) };
}

/** Half the distance of the quartiles from each other, in proportion to the median: how restless something is. */
export function restlessness(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);
}

function quantileOf(sorted: ArrayLike<number>, fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** Mulberry32: uniform numbers 0 ≤ u < 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
