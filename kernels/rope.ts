// Rotary position embeddings as cached engines feed them: tables of cosines and sines.
// RoFormer: Enhanced Transformer with Rotary Position Embedding (2021, arXiv 2104.09864).
import type { ModelSpec, RopeSpec } from "../src/model/spec/spec.ts";

/** The rotations of a model, each once, and which of them a layer has: −1 for none. */
export function rotationsOf({ layers }: ModelSpec): { ropes: RopeSpec[]; ofLayer: number[] } {
  const ropes: RopeSpec[] = [];
  const keys: string[] = [];
  const ofLayer = layers.map(({ attention: { rope } }) => {
    if (!rope) return -1;
    const key = `${rope.magnitude} ${rope.frequencies.join(" ")}`;
    if (!keys.includes(key)) {
      keys.push(key);
      ropes.push(rope);
    }
    return keys.indexOf(key);
  });
  return { ropes, ofLayer };
}

/** Writes the cosines and sines of one position, each [dimensions / 2], times the magnitude, from the given places on. */
export function writeRotation(
  { frequencies, magnitude }: RopeSpec,
  position: number,
  cos: Float32Array,
  cosAt: number,
  sin: Float32Array,
  sinAt: number,
): void {
  for (let i = 0; i < frequencies.length; i++) {
    const angle = position * frequencies[i];
    cos[cosAt + i] = magnitude * Math.cos(angle);
    sin[sinAt + i] = magnitude * Math.sin(angle);
  }
}
