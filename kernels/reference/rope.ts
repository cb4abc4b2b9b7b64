// RoFormer: Enhanced Transformer with Rotary Position Embedding (2021, arXiv 2104.09864).
import type { RopeSpec } from "../../src/model/spec/spec.ts";

/** Turns the leading dimensions of every head of `x` [heads · headSize] by its token's position, in place. */
export function rotate(x: Float64Array, headSize: number, rope: RopeSpec, position: number): void {
  const half = rope.dimensions / 2;
  for (let head = 0; head < x.length; head += headSize) {
    for (let pair = 0; pair < half; pair++) {
      const first = head + (rope.interleaved ? 2 * pair : pair);
      const second = rope.interleaved ? first + 1 : first + half;
      const angle = position * rope.frequencies[pair];
      const cos = Math.cos(angle) * rope.magnitude;
      const sin = Math.sin(angle) * rope.magnitude;
      const [a, b] = [x[first], x[second]];
      x[first] = a * cos - b * sin;
      x[second] = a * sin + b * cos;
    }
  }
}
