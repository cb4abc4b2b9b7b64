// Sums of float64 without any rounding, for what claims to round only once.

/** A number ≥ 0 in units of 2^-1074: every finite number is a whole number of them. */
export function exact(value: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0];
  const field = bits >> 52n;
  const fraction = bits & 0xfffffffffffffn;
  return field === 0n ? fraction : (fraction | 1n << 52n) << (field - 1n);
}

export function exactSum(values: Iterable<number>): bigint {
  let sum = 0n;
  for (const value of values) sum += exact(value);
  return sum;
}

/** a/b as a number, to about 2^-60, where both are of any size and a ≤ b. */
export function ratio(a: bigint, b: bigint): number {
  return Number((a << 80n) / b) / 2 ** 80;
}
