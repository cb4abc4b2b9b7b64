// What follows from a row of logits: how much they are together, and which are the largest.

/** From so many on, sorting everything is quicker than keeping the best in order. */
const MANY = 256;

/** ln Σ exp(x), from the largest on, so that nothing overflows. */
export function logSumExp(values: Float32Array | Float64Array): number {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] > most) most = values[i];
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - most);
  return most + Math.log(sum);
}

/** Places of the `k` largest values, k ≤ values.length, largest first, equal ones by ascending place. */
export function largest(values: Float32Array | Float64Array, k: number): Int32Array {
  if (k > MANY) {
    const all = Int32Array.from(values, (_, place) => place);
    return all.sort((a, b) => values[b] - values[a] || a - b).slice(0, k);
  }
  const best = new Int32Array(k);
  let count = 0;
  for (let place = 0; place < values.length; place++) {
    const value = values[place];
    if (count === k && !(value > values[best[k - 1]])) continue;
    let at = count < k ? count++ : k - 1;
    for (; at > 0 && value > values[best[at - 1]]; at--) best[at] = best[at - 1];
    best[at] = place;
  }
  return best;
}
