// Attention of one token over the tokens before it: Attention Is All You Need (2017, arXiv 1706.03762), with grouped
// queries (GQA, 2023, arXiv 2305.13245), sliding windows and soft caps (Gemma 2, 2024, arXiv 2408.00118), and sinks (gpt-oss
// Model Card, 2025, arXiv 2508.10925).
//
// What came before is a list in order of position. A tree node gets its own ancestors as that list, so its sums run
// over the same numbers in the same order as in a chain: trees are exact to the last bit.
import type { AttentionSpec, ModelSpec } from "../../src/model/spec/spec.ts";
import { type Matrix, multiply } from "./matrix.ts";
import { type Norm, normalise } from "./norm.ts";
import { growthAt } from "../rope.ts";
import { rotate } from "./rope.ts";

export interface AttentionWeights {
  readonly q: Matrix; // [heads · headSize, width]
  readonly k: Matrix; // [kvHeads · headSize, width]
  readonly v: Matrix; // [kvHeads · headSize, width]
  readonly output: Matrix; // [width, heads · headSize]
  readonly qNorm?: Norm;
  readonly kNorm?: Norm;
  readonly sinks?: Float32Array; // [heads], scores of what is attended to in vain
}

/** What one layer remembers of one token: [kvHeads · headSize] each, keys normalised and rotated. */
export interface KeyValue {
  readonly key: Float64Array;
  readonly value: Float64Array;
}

/** `past` in order of position, so that the token itself stands at position `past.length`. Returns [width]. */
export function attend(
  x: Float64Array,
  past: readonly KeyValue[],
  weights: AttentionWeights,
  spec: AttentionSpec,
  norm: ModelSpec["norm"],
): { readonly output: Float64Array; readonly own: KeyValue } {
  const position = past.length;
  let query = multiply(weights.q, x);
  let key = multiply(weights.k, x);
  const value = multiply(weights.v, x);
  if (weights.qNorm) query = normalise(query, weights.qNorm, norm);
  if (weights.kNorm) key = normalise(key, weights.kNorm, norm);
  if (spec.rope) {
    rotate(query, spec.headSize, spec.rope, position);
    const growth = growthAt(spec.growth, position);
    query = query.map((value) => value * growth);
    rotate(key, spec.headSize, spec.rope, position);
  }
  const own = { key, value };
  const oldest = spec.window === undefined ? 0 : Math.max(0, position - spec.window + 1);
  const mixed = mix(query, [...past.slice(oldest), own], spec, weights.sinks);
  return { output: multiply(weights.output, mixed), own };
}

/** Every head's weighted mean of the values it sees: [heads · headSize]. */
function mix(
  query: Float64Array,
  seen: readonly KeyValue[],
  spec: AttentionSpec,
  sinks: Float32Array | undefined,
): Float64Array {
  const { heads, kvHeads, headSize, scale, softcap } = spec;
  const mixed = new Float64Array(heads * headSize);
  for (let head = 0; head < heads; head++) {
    const from = head * headSize;
    const shared = Math.floor(head / (heads / kvHeads)) * headSize;
    const scores = seen.map(({ key }) => {
      let dot = 0;
      for (let i = 0; i < headSize; i++) dot += query[from + i] * key[shared + i];
      const score = dot * scale;
      return softcap === undefined ? score : softcap * Math.tanh(score / softcap);
    });
    const sink = sinks ? sinks[head] : -Infinity;
    const highest = scores.reduce((a, b) => Math.max(a, b), sink);
    const weights = scores.map((score) => Math.exp(score - highest));
    const total = weights.reduce((a, b) => a + b, Math.exp(sink - highest));
    seen.forEach(({ value }, n) => {
      const weight = weights[n] / total;
      for (let i = 0; i < headSize; i++) mixed[from + i] += weight * value[shared + i];
    });
  }
  return mixed;
}
