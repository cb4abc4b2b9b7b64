// What methods do with the target between drafts, to learn which of its blocks matter. Not a method of its own.
import type { Engine, Sequence } from "../../src/backend.ts";

/**
 * Takes the last `count` tokens of a sequence back, and after `use` of them computes them again; so no second cache is
 * needed. The sequence holds `text` but its last token.
 */
export async function lookBack<T>(
  target: Sequence,
  text: Int32Array,
  count: number,
  use: (tokens: Int32Array) => Promise<T>,
): Promise<T> {
  const tokens = text.slice(text.length - 1 - count, text.length - 1);
  target.rewind(text.length - 1 - count);
  try {
    return await use(tokens);
  } finally {
    await target.forward({ tokens, score: "last", need: "argmax" });
    target.keep(Int32Array.from(tokens, (_, row) => row));
  }
}

/**
 * [rows · width] Hidden states as embeddings of rows that stand at `position`: what the model would add or multiply is taken
 * out. Throws HunchError where the file has no such position.
 */
export function asEmbeddings({ source }: Engine, states: ArrayLike<number>, position: number): Float32Array {
  const { width, embeddingScale } = source.spec;
  const added = source.has("positions.weight")
    ? source.tensor("positions.weight").floats(position, position + 1)
    : undefined;
  return Float32Array.from(states, (value, i) => (value - (added?.[i % width] ?? 0)) / embeddingScale);
}
