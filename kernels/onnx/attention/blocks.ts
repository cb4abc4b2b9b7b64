// Attention whose sums do not depend on what else is in a pass, out of ONNX's standard operators.
//
// Keys and values stand in blocks of 64 absolute positions. Queries meet one block after the other: scores, weights
// relative to the largest score of all blocks, weighted sums per block, and the sums of the blocks added up in their
// order. Inside a block a product adds up column by column, and a column that a row does not see adds an exact zero. So
// a row's bits depend on the columns it sees, their order and their blocks, not on those between: a node of a tree, a
// row of a prompt and a row of its own say the same, as long as each stands in the block of its position.
//
// That holds because no product here is long enough to be cut by ONNX Runtime, neither by cache nor by threads, and
// because the denominators are sums of the same kind: values have a last element that is 1 (a soft-max operator adds up
// by vector lanes, in which a column's place matters).
import type { AttentionSpec, ModelSpec } from "../../../src/model/spec/spec.ts";
import type { GraphBuilder, Value } from "../graph.ts";
import type { AttendingLayer, AttentionNodes, CacheValues } from "./attention.ts";

/** Positions of a block. */
export const BLOCK = 64;

/** int64 [R, 1], each row's position. */
export const POSITIONS = "positions";
/** int64 [R, kvHeads, 1, 3], where rows go: block among those bound, head, column. */
export const targetsName = (kvHeads: number, window: number | undefined) => `targets_${kvHeads}${suffix(window)}`;
/** int64 [M, 1], those among the bound blocks in which a row does not see every column. */
export const maskedName = (window: number | undefined) => `masked${suffix(window)}`;
/**
 * float32 [M, kvHeads, group·R, 64], what the scores of these blocks are at most: ∞ where a row sees a column, else −∞.
 * Rows of a query head stand after those of the head before.
 */
export const maskName = (heads: number, kvHeads: number, window: number | undefined) =>
  `mask_${kvHeads}x${heads / kvHeads}${suffix(window)}`;
/** What weights are at most: ∞ or 0. */
const limitName = (mask: string) => `${mask}_weights`;
const suffix = (window: number | undefined) => window === undefined ? "" : `_window_${window}`;

/** Sizes that blocks of values have beside the heads': the 1 that counts. */
export const COUNT = 1;

export const blockAttention: AttentionNodes = {
  declare(g: GraphBuilder, { layers }: ModelSpec): void {
    g.input(POSITIONS, "int64", ["R", 1]);
    const declared = new Set<string>();
    const once = (name: string, type: "int64" | "float32", shape: (number | string)[]) => {
      if (declared.has(name)) return;
      declared.add(name);
      g.input(name, type, shape);
      if (type === "float32") g.op("Relu", [name], {}, limitName(name));
    };
    for (const { attention: { heads, kvHeads, window } } of layers) {
      const masked = `M${suffix(window)}`;
      once(targetsName(kvHeads, window), "int64", ["R", kvHeads, 1, 3]);
      once(maskedName(window), "int64", [masked, 1]);
      once(maskName(heads, kvHeads, window), "float32", [masked, kvHeads, `R${heads / kvHeads}`, BLOCK]);
    }
  },

  shapes({ kvHeads, headSize, window }: AttentionSpec) {
    const shape = (size: number) => [`B${suffix(window)}`, kvHeads, BLOCK, size];
    return { key: shape(headSize), value: shape(headSize + COUNT) };
  },

  attend(g: GraphBuilder, packed: Value, layer: AttendingLayer, { past, present }: CacheValues): Value {
    const { heads, kvHeads, headSize, window, scale, softcap } = layer.attention;
    const longs = (...values: number[]) => g.constant("int64", values);
    const { query, key, value } = rotated(g, packed, layer);
    const counted = g.op("Pad", [value, longs(0, 0, 0, 0, 0, 0, 0, COUNT), g.constant("float32", [1], [])]);
    const targets = targetsName(kvHeads, window);
    // In place: past and present are the same memory.
    const keys = g.op("ScatterND", [past.key, targets, key], {}, present.key);
    const values = g.op("ScatterND", [past.value, targets, counted], {}, present.value);

    // The query heads of a group are rows of one product: [1, kvHeads, group·R, headSize].
    const byHead = g.op("Transpose", [query], { perm: { ints: [1, 2, 0, 3] } });
    const queries = g.op("Reshape", [byHead, longs(1, kvHeads, -1, headSize)]);
    const alpha = softcap ? scale / softcap : scale;
    let scores = g.contrib("FusedMatMul", [queries, keys], { alpha, transB: { int: 1 } });
    if (softcap) scores = g.op("Mul", [g.op("Tanh", [scores]), g.constant("float32", [softcap], [])]);
    // Most blocks are older than the pass, and all of their columns are seen.
    const mask = maskName(heads, kvHeads, window);
    const limited = (value: Value, limit: Value) =>
      g.op("ScatterND", [value, maskedName(window), limit], { reduction: "min" });
    const seen = limited(scores, mask);
    const highest = g.op("ReduceMax", [seen, longs(0, 3)], { keepdims: { int: 1 } });
    // A head's sink is one more score, [kvHeads, group, 1, 1], beside every row's, which no value stands for.
    const byGroup = (value: Value) => g.op("Reshape", [value, longs(kvHeads, heads / kvHeads, -1, 1)]);
    const sinks = layer.sinks && byGroup(layer.sinks);
    const largest = sinks
      ? g.op("Reshape", [g.op("Max", [byGroup(highest), sinks]), longs(1, kvHeads, -1, 1)])
      : highest;
    // Hidden columns are cut to 0 after Exp: processors take long over exponentials as small as exp(−∞).
    const weights = limited(g.op("Exp", [g.op("Sub", [scores, largest])]), limitName(mask));
    const sums = g.op("ReduceSum", [g.op("MatMul", [weights, values]), longs(0)], { keepdims: { int: 0 } });
    const [sum, weighed] = g.split(sums, [headSize, COUNT]);
    const vain = sinks && g.op("Exp", [g.op("Sub", [sinks, byGroup(largest)])]);
    const count = vain ? g.op("Add", [weighed, g.op("Reshape", [vain, longs(kvHeads, -1, COUNT)])]) : weighed;
    const found = g.op("Reshape", [g.op("Div", [sum, count]), longs(heads, -1, headSize)]);
    const byRow = g.op("Transpose", [found], { perm: { ints: [1, 0, 2] } });
    return g.op("Reshape", [byRow, longs(-1, heads * headSize)]);
  },
};

/** Queries, keys and values, [R, heads, 1, headSize] each, normalised and rotated. */
function rotated(g: GraphBuilder, packed: Value, layer: AttendingLayer): { query: Value; key: Value; value: Value } {
  const { heads, kvHeads, headSize, rope } = layer.attention;
  const all = g.op("Reshape", [packed, g.constant("int64", [-1, heads + 2 * kvHeads, 1, headSize])]);
  const { rotation, ofQueries = rotation } = layer;
  // To the operator each row is a text of its own that is one token long.
  const rotate = (value: Value, count: number, tables = rotation) =>
    tables === undefined || rope === undefined ? value : g.contrib("RotaryEmbedding", [value, POSITIONS, ...tables], {
      interleaved: { int: Number(rope.interleaved) },
      num_heads: { int: count },
      rotary_embedding_dim: { int: rope.dimensions === headSize ? 0 : rope.dimensions },
    });
  if (layer.normalises || ofQueries !== rotation) {
    const [query, key, value] = g.split(all, [heads, kvHeads, kvHeads], 1);
    return {
      query: rotate(layer.normHeads(query, "q"), heads, ofQueries),
      key: rotate(layer.normHeads(key, "k"), kvHeads),
      value,
    };
  }
  if (rotation === undefined) {
    const [query, key, value] = g.split(all, [heads, kvHeads, kvHeads], 1);
    return { query, key, value };
  }
  const [both, value] = g.split(all, [heads + kvHeads, kvHeads], 1);
  const [query, key] = g.split(rotate(both, heads + kvHeads), [heads, kvHeads], 1);
  return { query, key, value };
}
