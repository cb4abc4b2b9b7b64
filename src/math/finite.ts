// Whether numbers are finite, in a loop: `every` calls a function for each and takes thirty times as long, and a test of
// each twice as long as this.

export function allFinite(values: Float32Array | Float64Array): boolean {
  let sum = 0; // of zeros, unless a product with 0 is none: that of an infinite number, and of what is no number
  for (let i = 0; i < values.length; i++) sum += values[i] * 0;
  return sum === 0;
}
