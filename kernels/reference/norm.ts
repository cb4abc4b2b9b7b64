// Root Mean Square Layer Normalization (2019, arXiv 1910.07467) and Layer Normalization (2016, arXiv 1607.06450).
import type { ModelSpec } from "../../src/model/spec/spec.ts";

/** Gain, ready to multiply, and for layer norms perhaps a bias: [n] each. */
export interface Norm {
  readonly gain: Float32Array;
  readonly bias?: Float32Array;
}

/**
 * Each part of `x` as long as the gain is brought to unit size, then multiplied by the gain. A gain of the stream's
 * width makes one part; a gain of one head's size normalises head by head.
 */
export function normalise(x: Float64Array, norm: Norm, { kind, epsilon }: ModelSpec["norm"]): Float64Array {
  const { gain, bias } = norm;
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += gain.length) {
    const part = x.subarray(start, start + gain.length);
    const mean = kind === "layer" ? average(part, (value) => value) : 0;
    const variance = average(part, (value) => (value - mean) ** 2);
    const size = Math.sqrt(variance + epsilon);
    part.forEach((value, i) => out[start + i] = (value - mean) / size * gain[i] + (bias ? bias[i] : 0));
  }
  return out;
}

function average(values: Float64Array, of: (value: number) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum / values.length;
}
