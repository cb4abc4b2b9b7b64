// The order of many positive numbers, fast.

/**
 * Indices by ascending value, values ≥ 0; overwrites `values`. The bits of positive doubles sort as the numbers do, and
 * engines sort 64-bit integers many times faster than by a comparison. The lowest bits make room for the index: values
 * that agree to 2^−34 may change places, which moves a bound by no more than that. Every platform of Bun and Deno
 * is little-endian.
 */
export function ascending(values: Float64Array): Uint32Array {
  const size = values.length;
  if (size < 2048) {
    return Uint32Array.from(values.keys()).sort((a, b) => values[a] < values[b] ? -1 : +(values[a] > values[b]));
  }
  const mask = 2 ** Math.ceil(Math.log2(size)) - 1;
  const low = new Uint32Array(values.buffer, values.byteOffset, size * 2);
  for (let i = 0; i < size; i++) low[2 * i] = (low[2 * i] & ~mask) | i;
  new BigUint64Array(values.buffer, values.byteOffset, size).sort();
  const order = new Uint32Array(size);
  for (let i = 0; i < size; i++) order[i] = low[2 * i] & mask;
  return order;
}
