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
/** Of fewer numbers the interval is too narrow: of 7 it holds the true median in 89 of 100 experiments. */
export const LEAST_PROMPTS = 8;

/** Median and quartiles of at least one number. */
export interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export function quartiles(values: readonly number[]): Quartiles {
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
  const [low, high] = [quantileOf(medians, tail), quantileOf(medians, 1 - tail)];
  // Out to the next numbers that were measured: between them, the interval of ten numbers holds 92 of 100.
  return {
    low: Math.max(...all.filter((value) => value <= low)),
    median: middle,
    high: Math.min(...all.filter((value) => value >= high)),
  };
}

/** The distance of the quartiles from each other in proportion to the median: how restless something is. */
export function spread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
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
