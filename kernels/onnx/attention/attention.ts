// What every way of attending has in common. There are two: blocks of positions, out of standard operators, whose sums
// do not depend on what else is in a pass; and ONNX Runtime's own operator, for execution providers that have it.
import type { AttentionSpec, ModelSpec } from "../../../src/model/spec/spec.ts";
import type { GraphBuilder, Value } from "../graph.ts";
import type { Value as Tensor } from "../runtime.ts";

/** A layer's attention, as the graph is built. */
export interface AttendingLayer {
  readonly attention: AttentionSpec;
  readonly index: number;
  /** Names of the rotation's cosines and sines, float32 [positions, dimensions / 2], where the layer rotates. */
  readonly rotation?: readonly [cos: Value, sin: Value];
  /** Those of queries, where they are others. */
  readonly ofQueries?: readonly [cos: Value, sin: Value];
  readonly normalises: boolean;
  /** float32 [heads], scores of what is attended to in vain, where there are such. */
  readonly sinks?: Value;
  /** Normalises queries or keys, [R, heads, 1, headSize]. */
  normHeads(value: Value, part: "q" | "k"): Value;
}

/** What a layer's caches are called in the graph before rows are written to them, and after: the same memory. */
export interface CacheValues {
  readonly past: { readonly [part in Part]: Value };
  readonly present: { readonly [part in Part]: Value };
}

/** One way of attending, as nodes of a graph. */
export interface AttentionNodes {
  /** Declares the feeds that layers share. */
  declare(g: GraphBuilder, spec: ModelSpec): void;
  /** Shapes of a layer's caches, float32. */
  shapes(attention: AttentionSpec): { readonly [part in Part]: readonly (number | string)[] };
  /** `packed`: queries, keys and values [R, (heads + 2·kvHeads)·headSize]. Gives what each head found, [R, heads·headSize]. */
  attend(g: GraphBuilder, packed: Value, layer: AttendingLayer, caches: CacheValues): Value;
}

/** The rows of a pass: where they stand in the text, and where in the cache. */
export interface PlacedRows {
  /** Committed tokens before the pass. */
  readonly past: number;
  /** [rows], −1: continues the committed text. */
  readonly parents: Int32Array;
  /** [rows], positions in the text from `past` on. */
  readonly depths: Int32Array;
  readonly chain: boolean;
  /** [rows], as `Cache.place` gave them. */
  readonly columns: Int32Array;
}

/** Keys and values of one sequence. Committed token n stands in column n. */
export interface Cache {
  /** Columns for rows after `past` committed tokens. */
  place(past: number, depths: Int32Array): Int32Array;
  /** How many of such rows, from the front, `place` puts where their bits are those of a chain. */
  inPlace(past: number, depths: Int32Array): number;
  /** Moves keys and values of one column to another, in every layer. */
  move(from: number, to: number): void;
  /** Another cache with the first `length` columns. */
  copy(length: number): Cache;
  close(): void;
}

/** What a way of attending is fed. */
export interface AttentionFeeds<C extends Cache = Cache> {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  newCache(): C;
  /** Values in the order of the names, for `count` rows: those placed, and the last of them once more where it is one more. */
  bind(cache: C, rows: PlacedRows, count: number): { readonly inputs: Tensor[]; readonly outputs: Tensor[] };
  close(): void;
}

export const PARTS = ["key", "value"] as const;
export type Part = typeof PARTS[number];

export const cacheName = (kind: "past" | "present", layer: number, part: Part) => `${kind}_${layer}_${part}`;

/** Names of all caches, in the order of layers, keys before values. */
export function cacheNames(kind: "past" | "present", spec: ModelSpec): string[] {
  return spec.layers.flatMap((_, layer) => [cacheName(kind, layer, "key"), cacheName(kind, layer, "value")]);
}
