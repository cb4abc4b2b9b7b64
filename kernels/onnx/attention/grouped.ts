// Attention by ONNX Runtime's GroupQueryAttention, for execution providers that have kernels of their own for it. It
// sums up by columns of the cache, so a tree's node, which stands in another column than in a chain, is a little off.
import { UnsupportedError } from "../../../src/errors.ts";
import type { AttentionSpec, ModelSpec } from "../../../src/model/spec/spec.ts";
import type { GraphBuilder, Value } from "../graph.ts";
import type { AttendingLayer, AttentionNodes, CacheValues } from "./attention.ts";

/** Names of what attention is fed, besides the caches. R rows, T rows in the cache after the pass. */
export const GROUPED_FEEDS = {
  positions: "positions", // int64 [1, R]
  bias: "bias", // float32 [1, 1, R, T], 0 or −∞: which cache rows a row may see
  lastKey: "last_key", // int32 [1], T − 1
  total: "total", // int32 [1], T
} as const;

/** The bias of layers that see only a window. */
export const windowBias = (window: number) => `bias_window_${window}`;

/** Windows of the layers, each once. */
export function windowsOf({ layers }: ModelSpec): number[] {
  return [...new Set(layers.map(({ attention }) => attention.window))].filter((window) => window !== undefined);
}

/** Head size as the operator takes it: a multiple of 8, the rest filled with zeros. */
export const paddedHead = (headSize: number): number => Math.ceil(headSize / 8) * 8;

/** `rotates`: the operator rotates queries and keys itself, where it can. */
export const groupedAttention = (rotates: boolean): AttentionNodes => ({
  declare(g: GraphBuilder, spec: ModelSpec): void {
    g.input(GROUPED_FEEDS.positions, "int64", [1, "R"]);
    g.input(GROUPED_FEEDS.bias, "float32", [1, 1, "R", "T"]);
    for (const window of windowsOf(spec)) g.input(windowBias(window), "float32", [1, 1, "R", "T"]);
    g.input(GROUPED_FEEDS.lastKey, "int32", [1]);
    g.input(GROUPED_FEEDS.total, "int32", [1]);
  },

  shapes({ kvHeads, headSize }: AttentionSpec) {
    const shape = [1, kvHeads, "C", paddedHead(headSize)];
    return { key: shape, value: shape };
  },

  attend(g: GraphBuilder, packed: Value, layer: AttendingLayer, { past, present }: CacheValues): Value {
    const { heads, kvHeads, headSize, rope, window, scale, softcap } = layer.attention;
    const { rotation, ofQueries = rotation, normalises } = layer;
    if (layer.sinks) {
      const hint = "leave the execution provider out, or use --backend reference";
      throw new UnsupportedError("attention with sinks is not computed by this execution provider", { hint });
    }
    const reshape = (value: Value, ...shape: number[]) => g.op("Reshape", [value, g.constant("int64", shape)]);
    const sizes = [heads * headSize, kvHeads * headSize, kvHeads * headSize];
    // Head sizes that the fused rotation does not take are rotated outside it.
    const padded = paddedHead(headSize);
    const fused = padded === headSize && ofQueries === rotation &&
      (rope === undefined || (rotates && rope.dimensions % 16 === 0));
    let [query, key, value]: Value[] = [reshape(packed, 1, -1, sizes[0] + sizes[1] + sizes[2]), "", ""];
    if (!fused || normalises) {
      [query, key, value] = g.split(packed, sizes);
      if (normalises) {
        query = layer.normHeads(reshape(query, -1, heads, 1, headSize), "q");
        key = layer.normHeads(reshape(key, -1, kvHeads, 1, headSize), "k");
      }
      [query, key, value] = [query, key, value].map((part, i) => reshape(part, 1, -1, sizes[i]));
    }
    if (rope && rotation && !fused) {
      const rotate = (x: Value, count: number, tables = rotation) =>
        g.contrib("RotaryEmbedding", [x, GROUPED_FEEDS.positions, ...tables], {
          interleaved: { int: Number(rope.interleaved) },
          num_heads: { int: count },
          rotary_embedding_dim: { int: rope.dimensions === headSize ? 0 : rope.dimensions },
        });
      [query, key] = [rotate(query, heads, ofQueries), rotate(key, kvHeads)];
    }
    if (padded !== headSize) {
      const widen = (x: Value, count: number) => {
        const wide = g.op("Pad", [
          reshape(x, -1, count, headSize),
          g.constant("int64", [0, 0, 0, 0, 0, padded - headSize]),
        ]);
        return reshape(wide, 1, -1, count * padded);
      };
      [query, key, value] = [widen(query, heads), widen(key, kvHeads), widen(value, kvHeads)];
    }
    const rotated = rope !== undefined && fused;
    const attended = g.contrib(
      "GroupQueryAttention",
      [
        query,
        key,
        value,
        past.key,
        past.value,
        GROUPED_FEEDS.lastKey,
        GROUPED_FEEDS.total,
        ...(rotated && rotation ? [...rotation, GROUPED_FEEDS.positions] : ["", "", ""]),
        window === undefined ? GROUPED_FEEDS.bias : windowBias(window),
      ],
      {
        num_heads: { int: heads },
        kv_num_heads: { int: kvHeads },
        do_rotary: { int: Number(rotated) },
        rotary_interleaved: { int: Number(rotated && rope.interleaved) },
        scale,
        ...(softcap ? { softcap } : {}),
      },
      [g.fresh(), present.key, present.value],
    );
    if (padded === headSize) return reshape(attended, -1, heads * headSize);
    const longs = (value: number) => g.constant("int64", [value]);
    const narrow = g.op("Slice", [reshape(attended, -1, heads, padded), longs(0), longs(headSize), longs(2)]);
    return reshape(narrow, -1, heads * headSize);
  },
});
