// Sums of probabilities that are right to the last place, however small they are, and the same in whatever order they
// are made: here two at a time, elsewhere as a processor likes it.
//
// Every value is rounded to a multiple of 2^-87, in two parts: `coarse`, a multiple of 2^-52, and `fine`, the rest. The
// parts are added up apart, which rounds nothing as long as the sum is at most 2 and there are no more than 2^19 values;
// one addition at the end rounds. So a sum is off by less than length · 2^-88 and one rounding. Where it is so small
// that this would show, all values are multiplied by a power of two, which is exact, and added up again.

/** Adding this and taking it away rounds a number far below it to a multiple of 2^-87. */
export const FINE = 1.5 * 2 ** -35;
/** Sums from here up to 2 stand; 2^17 values make the least of them wrong by no more than its last place. */
export const SMALL = 2 ** -20;
/** The largest power of two there is; with it denormals are multiples of 2^-51. */
export const MOST = 2 ** 1023;

/** `value`, 0 ≤ value < 2, to the nearest multiple of 2^-52; of two equally near ones the even one. */
export function coarse(value: number): number {
  return (value + 1) - 1;
}

/** What `coarse` leaves, to the nearest multiple of 2^-87. */
export function fine(value: number, coarse: number): number {
  return ((value - coarse) + FINE) - FINE;
}

/** A sum in its two parts; both are exact. */
export interface Parts {
  readonly coarse: number;
  readonly fine: number;
}

/** The sum of all values times `scale`, which is a power of two. */
export function addUp(values: Float64Array, scale: number): Parts {
  let a = 0, b = 0, c = 0, d = 0; // two sums of each part: one would wait for itself
  let i = 0;
  for (; i + 1 < values.length; i += 2) {
    const x = values[i] * scale;
    const y = values[i + 1] * scale;
    const m = coarse(x);
    const n = coarse(y);
    a += m;
    b += n;
    c += fine(x, m);
    d += fine(y, n);
  }
  if (i < values.length) {
    const x = values[i] * scale;
    a += coarse(x);
    c += fine(x, coarse(x));
  }
  return { coarse: a + b, fine: c + d };
}

/** A sum of values that were multiplied by `scale`, a power of two: 2^-20 ≤ sum < 2, or 0; NaN or Infinity where values are. */
export interface Scaled {
  readonly sum: number;
  readonly scale: number;
}

/** Whether the values must be scaled otherwise before their sum can be told. */
export function tells(sum: number, scale: number): boolean {
  return !(sum < SMALL && scale < MOST) && !(sum >= 2 && sum < Infinity);
}

/**
 * The power of two to try next. It is chosen so that the sum cannot get to 2 from below, and by nothing that depends on
 * the order: sums from 2 on are not exact, but in any order they are 2 or more.
 */
export function nextScale(sum: number, scale: number): number {
  return sum >= 2 ? scale * 2 ** -19 : Math.min(scale * (sum < 2 ** -66 ? 2 ** 64 : 2 ** 19), MOST);
}

function empty(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) return false; // `some` takes ten times as long
  return true;
}

/** The sum of `values` at the scale at which it can be told. `first`: the sum at scale 1, where it is known. */
export function sumOf(values: Float64Array, first = addUp(values, 1)): Scaled {
  let scale = 1;
  let sum = first.coarse + first.fine;
  if (sum === 0 && empty(values)) return { sum, scale }; // however close one looks
  while (!tells(sum, scale)) {
    scale = nextScale(sum, scale);
    const parts = addUp(values, scale);
    sum = parts.coarse + parts.fine;
  }
  return { sum, scale };
}
