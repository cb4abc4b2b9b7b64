// What attention in blocks is fed: where rows stand, where their keys and values go, and what each of them sees.
import type { ModelSpec } from "../../../src/model/spec.ts";
import { Feed } from "../feed.ts";
import type { Runtime, Value } from "../runtime.ts";
import { type AttentionFeeds, cacheNames, type PlacedRows } from "./attention.ts";
import { BLOCK, maskName, POSITIONS, targetsName } from "./blocks.ts";
import { BlockCache, firstBlock } from "./blocks-cache.ts";

interface Targets {
  readonly name: string;
  readonly kvHeads: number;
  readonly window: number;
  readonly feed: Feed<BigInt64Array>;
}

interface Mask {
  readonly name: string;
  readonly group: number;
  readonly window: number;
  readonly feed: Feed<Float32Array>;
}

export class BlockFeeds implements AttentionFeeds<BlockCache> {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly #positions: Feed<BigInt64Array>;
  readonly #targets: readonly Targets[];
  readonly #masks: readonly Mask[];

  constructor(private readonly runtime: Runtime, private readonly spec: ModelSpec, private readonly context: number) {
    const targets = new Map<string, Targets>(), masks = new Map<string, Mask>();
    for (const { attention: { heads, kvHeads, window } } of spec.layers) {
      const group = heads / kvHeads;
      const common = { window: window ?? Infinity };
      const [t, m] = [targetsName(kvHeads, window), maskName(group, window)];
      if (!targets.has(t)) targets.set(t, { name: t, kvHeads, feed: Feed.longs(runtime), ...common });
      if (!masks.has(m)) masks.set(m, { name: m, group, feed: Feed.floats(runtime), ...common });
    }
    this.#positions = Feed.longs(runtime);
    this.#targets = [...targets.values()];
    this.#masks = [...masks.values()];
    this.inputs = [POSITIONS, ...targets.keys(), ...masks.keys(), ...cacheNames("past", spec)];
    this.outputs = cacheNames("present", spec);
  }

  newCache(): BlockCache {
    return new BlockCache(this.runtime, this.spec, this.context);
  }

  bind(cache: BlockCache, rows: PlacedRows, count: number): { inputs: Value[]; outputs: Value[] } {
    const { past, depths, columns } = rows;
    const last = depths.length - 1;
    const end = Math.floor(columns.reduce((a, b) => Math.max(a, b)) / BLOCK) + 1;
    const positions = this.#positions.bind([count, 1]);
    for (let row = 0; row < count; row++) positions[row] = BigInt(past + depths[Math.min(row, last)]);
    for (const { kvHeads, window, feed } of this.#targets) {
      const first = firstBlock(past, window);
      const data = feed.bind([count, kvHeads, 1, 3]);
      for (let row = 0, at = 0; row < count; row++) {
        const column = columns[Math.min(row, last)];
        for (let head = 0; head < kvHeads; head++) {
          data[at++] = BigInt(Math.floor(column / BLOCK) - first);
          data[at++] = BigInt(head);
          data[at++] = BigInt(column % BLOCK);
        }
      }
    }
    for (const { group, window, feed } of this.#masks) {
      const first = firstBlock(past, window);
      writeBlockMask(feed.bind([end - first, 1, group * count, BLOCK]), rows, count, group, window, first, end);
    }
    const caches = cache.bind(past, end);
    const feeds = [this.#positions, ...this.#targets.map(({ feed }) => feed), ...this.#masks.map(({ feed }) => feed)];
    return { inputs: [...feeds.map((feed) => feed.value), ...caches], outputs: caches };
  }

  close(): void {
    this.#positions.close();
    for (const { feed } of [...this.#targets, ...this.#masks]) feed.close();
  }
}

/**
 * Fills `mask` [end − first, 1, group·count, 64] with 0 where a row sees a column, −∞ elsewhere: the `window` − 1
 * committed tokens and ancestors before it, and itself. Rows after those placed are the last of them once more.
 */
export function writeBlockMask(
  mask: Float32Array,
  { past, parents, depths, columns }: PlacedRows,
  count: number,
  group: number,
  window: number,
  first: number,
  end: number,
): void {
  const [line, block] = [BLOCK, group * count * BLOCK];
  mask.fill(-Infinity, 0, (end - first) * block);
  for (let row = 0; row < count; row++) {
    const own = Math.min(row, parents.length - 1);
    const oldest = Math.max(0, past + depths[own] - window + 1);
    for (let from = oldest; from < past;) {
      const at = Math.floor(from / BLOCK);
      const to = Math.min(past, (at + 1) * BLOCK);
      const start = (at - first) * block + row * line - at * BLOCK;
      mask.fill(0, start + from, start + to);
      from = to;
    }
    for (let node = own; node >= 0 && past + depths[node] >= oldest; node = parents[node]) {
      const at = Math.floor(columns[node] / BLOCK);
      mask[(at - first) * block + row * line + columns[node] % BLOCK] = 0;
    }
  }
  for (let start = 0; start < (end - first) * block; start += block) {
    for (let head = 1; head < group; head++) {
      mask.copyWithin(start + head * count * line, start, start + count * line);
    }
  }
}
