// How likely all of `n` draws without replacement fall into a set of tokens, for every set of a growing row of sets.
//
// Draws without replacement are races: give token i an exponential clock of rate q_i, then the order in which the clocks
// ring is the order of the draws (Efraimidis & Spirakis, "Weighted random sampling with a reservoir", 2006). All of the
// first n are in H when n clocks of H ring before the first one outside, which rings after Exp(r), r = q(outside):
//   P(H) = ∫ r·e^(−rt) · Pr[at least n clocks of H ring by t] dt.
// With t = e^y the integrand is analytic and falls off on both sides, where the trapezoid rule with step h is right to
// about e^(−π²/h); h = 0.3 gives 5e-15.

const STEP = 0.3;
/** Below e^−10 a clock rings three times with probability under 1e-13·t. */
const FIRST = -10.2;
/** A number of rings below n that is less likely than this is taken as impossible. */
const NEVER = 1e-18;

/**
 * For `q` [size], each positive, summing to 1, and n ≥ 1: a function of k, P(all n draws are among the first k tokens). Call it with
 * ascending k. O(size) altogether for n ≤ 2, O(size·n·steps) with about 100 steps beyond.
 */
export function allDrawnWithin(q: Float64Array, n: number): (k: number) => number {
  const size = q.length;
  if (n > size) return () => 0; // and no law draws that many
  const outside = new Float64Array(size + 1); // summed from the small end of the row of sets, without cancellation
  for (let k = size - 1; k >= 0; k--) outside[k] = outside[k + 1] + q[k];
  const inner = n === 1 ? (k: number) => 1 - outside[k] : n === 2 ? twoWithin(q) : manyWithin(q, outside, n);
  return (k) => k < n ? 0 : k === size ? 1 : Math.min(1, Math.max(0, inner(k)));
}

/** Σ over a in H of q_a·q(H without a)/(1 − q_a), by running sums; the likeliest token apart, where 1 − q_a cancels. */
function twoWithin(q: Float64Array): (k: number) => number {
  let largest = 0;
  for (let i = 1; i < q.length; i++) if (q[i] > q[largest]) largest = i;
  let others = 0;
  for (let i = 0; i < q.length; i++) if (i !== largest) others += q[i];
  let at = 0;
  let inSet = 0; // of all but the likeliest
  let first = 0; // Σ q/(1 − q) over the same
  let second = 0; // Σ q²/(1 − q)
  return (k) => {
    for (; at < k; at++) {
      if (at === largest) continue;
      inSet += q[at];
      first += q[at] / (1 - q[at]);
      second += q[at] * q[at] / (1 - q[at]);
    }
    const withLargest = k > largest ? q[largest] : 0;
    return (inSet + withLargest) * first - second + (withLargest > 0 ? withLargest * inSet / others : 0);
  };
}

function manyWithin(q: Float64Array, outside: Float64Array, n: number): (k: number) => number {
  let least = 1;
  for (let k = 0; k < q.length; k++) if (outside[k] > 0) least = Math.min(least, outside[k]);
  const steps = Math.ceil((Math.log(40) - Math.log(least) - FIRST) / STEP) + 1;
  const times = Float64Array.from({ length: steps }, (_, i) => Math.exp(FIRST + i * STEP));
  /** value · times[i], also where that time is no number. */
  const by = (value: number, i: number) =>
    times[i] < Infinity ? value * times[i] : Math.exp(Math.log(value) + FIRST + i * STEP);
  const rings = Array.from({ length: steps }, () => { // rings[i][j] = Pr[exactly j clocks of H ring by times[i]], j < n
    const row = new Float64Array(n);
    row[0] = 1;
    return row;
  });
  let open = steps; // from this step on, n clocks ring for certain
  let at = 0;
  return (k) => {
    for (; at < k; at++) {
      for (let i = 0; i < open; i++) {
        const ring = -Math.expm1(-by(q[at], i));
        const row = rings[i];
        for (let j = n - 1; j > 0; j--) row[j] += (row[j - 1] - row[j]) * ring;
        row[0] -= row[0] * ring;
      }
      while (open > 0 && fewer(rings[open - 1]) < NEVER) open--;
    }
    const r = outside[k];
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const rate = by(r, i);
      if (rate > 745) break;
      sum += rate * Math.exp(-rate) * (i < open ? 1 - fewer(rings[i]) : 1);
    }
    return sum * STEP;
  };
}

function fewer(row: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += row[j];
  return sum;
}
