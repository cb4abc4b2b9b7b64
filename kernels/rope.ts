// Rotary position embeddings as cached engines feed them: tables of cosines and sines.
// RoFormer: Enhanced Transformer with Rotary Position Embedding (2021, arXiv 2104.09864).
import type { AttentionSpec, ModelSpec, RopeSpec } from "../src/model/spec/spec.ts";

/** A rotation; that of queries may grow with the position. */
export interface Rotation extends RopeSpec {
  readonly growth?: AttentionSpec["growth"];
}

/** The rotations of a model, each once, and which of them turns a layer's keys and which its queries: −1 for none. */
export function rotationsOf({ layers }: ModelSpec): { ropes: Rotation[]; ofKeys: number[]; ofQueries: number[] } {
  const ropes: Rotation[] = [];
  const keys: string[] = [];
  const numberOf = (rope: Rotation | undefined) => {
    if (!rope) return -1;
    const key = `${rope.magnitude} ${rope.growth?.beta} ${rope.growth?.every} ${rope.frequencies.join(" ")}`;
    if (!keys.includes(key)) {
      keys.push(key);
      ropes.push(rope);
    }
    return keys.indexOf(key);
  };
  const ofKeys = layers.map(({ attention: { rope } }) => numberOf(rope));
  const ofQueries = layers.map(({ attention: { rope, growth } }) => numberOf(rope && { ...rope, growth }));
  return { ropes, ofKeys, ofQueries };
}

/** Factor on a query at this position. */
export function growthAt(growth: AttentionSpec["growth"], position: number): number {
  return growth ? 1 + growth.beta * Math.log1p(Math.floor(position / growth.every)) : 1;
}

/** Writes the cosines and sines of one position, each [dimensions / 2], times the magnitude, from the given places on. */
export function writeRotation(
  { frequencies, magnitude, growth }: Rotation,
  position: number,
  cos: Float32Array,
  cosAt: number,
  sin: Float32Array,
  sinAt: number,
): void {
  const factor = magnitude * growthAt(growth, position);
  for (let i = 0; i < frequencies.length; i++) {
    const angle = position * frequencies[i];
    cos[cosAt + i] = factor * Math.cos(angle);
    sin[sinAt + i] = factor * Math.sin(angle);
  }
}
