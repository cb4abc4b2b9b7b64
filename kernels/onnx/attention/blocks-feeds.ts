// What attention in blocks is fed: where rows stand, where their keys and values go, and what each of them sees.
import type { ModelSpec } from "../../../src/model/spec/spec.ts";
import { Feed } from "../feed.ts";
import type { Runtime, Value } from "../runtime.ts";
import { type AttentionFeeds, cacheNames, type PlacedRows } from "./attention.ts";
import { BLOCK, maskedName, maskName, POSITIONS, targetsName } from "./blocks.ts";
import { BlockCache, firstBlock } from "./blocks-cache.ts";

interface Targets {
  readonly kvHeads: number;
  readonly window: number;
  readonly feed: Feed<BigInt64Array>;
}

interface Masked {
  readonly window: number;
  readonly feed: Feed<BigInt64Array>;
}

interface Mask {
  readonly kvHeads: number;
  readonly group: number;
  readonly window: number;
  readonly feed: Feed<Float32Array>;
}

export class BlockFeeds implements AttentionFeeds<BlockCache> {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly #positions: Feed<BigInt64Array>;
  readonly #targets: readonly Targets[];
  readonly #masked: readonly Masked[];
  readonly #masks: readonly Mask[];

  constructor(private readonly runtime: Runtime, private readonly spec: ModelSpec, private readonly context: number) {
    const targets = new Map<string, Targets>(), masked = new Map<string, Masked>(), masks = new Map<string, Mask>();
    for (const { attention: { heads, kvHeads, window: own } } of spec.layers) {
      const window = own ?? Infinity;
      const [t, b, m] = [targetsName(kvHeads, own), maskedName(own), maskName(heads, kvHeads, own)];
      if (!targets.has(t)) targets.set(t, { kvHeads, window, feed: Feed.longs(runtime) });
      if (!masked.has(b)) masked.set(b, { window, feed: Feed.longs(runtime) });
      if (!masks.has(m)) masks.set(m, { kvHeads, group: heads / kvHeads, window, feed: Feed.floats(runtime) });
    }
    this.#positions = Feed.longs(runtime);
    this.#targets = [...targets.values()];
    this.#masked = [...masked.values()];
    this.#masks = [...masks.values()];
    this.inputs = [POSITIONS, ...targets.keys(), ...masked.keys(), ...masks.keys(), ...cacheNames("past", spec)];
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
    for (const { window, feed } of this.#masked) {
      const first = firstBlock(past, window);
      const blocks = maskedBlocks(rows, window, end);
      const data = feed.bind([blocks.length, 1]);
      blocks.forEach((block, i) => data[i] = BigInt(block - first));
    }
    for (const { kvHeads, group, window, feed } of this.#masks) {
      const blocks = maskedBlocks(rows, window, end);
      writeBlockMask(
        feed.bind([blocks.length, kvHeads, group * count, BLOCK]),
        rows,
        count,
        kvHeads * group,
        window,
        blocks,
      );
    }
    const caches = cache.bind(past, end);
    return { inputs: [...this.#feeds.map((feed) => feed.value), ...caches], outputs: caches };
  }

  close(): void {
    for (const feed of this.#feeds) feed.close();
  }

  get #feeds() {
    return [this.#positions, ...[...this.#targets, ...this.#masked, ...this.#masks].map(({ feed }) => feed)];
  }
}

/** The blocks up to `end` within reach that some row does not see all of. */
export function maskedBlocks({ past, depths }: PlacedRows, window: number, end: number): number[] {
  const deepest = depths.reduce((a, b) => Math.max(a, b));
  const seenByAll = Math.max(0, past + deepest - window + 1); // from this position to the end of the committed text
  const blocks: number[] = [];
  for (let block = firstBlock(past, window); block < end; block++) {
    if (block * BLOCK < seenByAll || (block + 1) * BLOCK > past) blocks.push(block);
  }
  return blocks;
}

/**
 * Fills `mask` [blocks, heads, count, 64] with ∞ where a row sees a column, −∞ elsewhere: the `window` − 1 committed
 * tokens and ancestors before it, and itself. Rows after those placed are the last of them once more.
 */
export function writeBlockMask(
  mask: Float32Array,
  { past, parents, depths, columns }: PlacedRows,
  count: number,
  heads: number,
  window: number,
  blocks: readonly number[],
): void {
  const head = count * BLOCK;
  mask.fill(-Infinity, 0, blocks.length * heads * head);
  blocks.forEach((block, i) => {
    const start = i * heads * head;
    for (let row = 0; row < count; row++) {
      const own = Math.min(row, parents.length - 1);
      const oldest = Math.max(0, past + depths[own] - window + 1);
      const column = start + row * BLOCK - block * BLOCK; // where position 0 would stand
      const [from, to] = [Math.max(oldest, block * BLOCK), Math.min(past, (block + 1) * BLOCK)];
      if (from < to) mask.fill(Infinity, column + from, column + to);
      for (let node = own; node >= 0 && past + depths[node] >= oldest; node = parents[node]) {
        if (Math.floor(columns[node] / BLOCK) === block) mask[column + columns[node]] = Infinity;
      }
    }
    for (let copy = 1; copy < heads; copy++) mask.copyWithin(start + copy * head, start, start + head);
  });
}
