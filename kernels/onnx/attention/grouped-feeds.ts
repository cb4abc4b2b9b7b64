// What GroupQueryAttention is fed.
import type { ModelSpec } from "../../../src/model/spec/spec.ts";
import { Feed } from "../feed.ts";
import type { Runtime, Value } from "../runtime.ts";
import { type AttentionFeeds, cacheNames, type PlacedRows } from "./attention.ts";
import { GroupedCache, RESERVED } from "./grouped-cache.ts";
import { writeMask } from "./grouped-mask.ts";
import { GROUPED_FEEDS, windowBias, windowsOf } from "./grouped.ts";

export class GroupedFeeds implements AttentionFeeds<GroupedCache> {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly #windows: readonly number[];
  readonly #positions: Feed<BigInt64Array>;
  readonly #bias: Feed<Float32Array>;
  readonly #windowBias: readonly Feed<Float32Array>[];
  readonly #lastKey: Feed<Int32Array>;
  readonly #total: Feed<Int32Array>;

  /** `most`: rows that a cache can ever need. */
  constructor(private readonly runtime: Runtime, private readonly spec: ModelSpec, private readonly most: number) {
    this.#windows = windowsOf(spec);
    this.#positions = Feed.longs(runtime);
    this.#bias = Feed.floats(runtime);
    this.#windowBias = this.#windows.map(() => Feed.floats(runtime));
    this.#lastKey = Feed.ints(runtime);
    this.#total = Feed.ints(runtime);
    const { positions, bias, lastKey, total } = GROUPED_FEEDS;
    this.inputs = [positions, bias, ...this.#windows.map(windowBias), lastKey, total, ...cacheNames("past", spec)];
    this.outputs = cacheNames("present", spec);
  }

  newCache(): GroupedCache {
    return new GroupedCache(this.runtime, this.spec, this.most);
  }

  bind(cache: GroupedCache, rows: PlacedRows, count: number): { inputs: Value[]; outputs: Value[] } {
    const { past, depths } = rows;
    const before = RESERVED + past;
    const total = before + count;
    cache.reserve(total, before);
    const positions = this.#positions.bind([1, count]);
    for (let row = 0; row < count; row++) positions[row] = BigInt(past + depths[Math.min(row, depths.length - 1)]);
    const tree = rows.chain ? undefined : rows;
    writeMask(this.#bias.bind([1, 1, count, total]), count, total, past, Infinity, tree);
    this.#windows.forEach((window, i) => {
      writeMask(this.#windowBias[i].bind([1, 1, count, total]), count, total, past, window, tree);
    });
    this.#lastKey.bind([1])[0] = total - 1;
    this.#total.bind([1])[0] = total;
    const caches = cache.values;
    return { inputs: [...this.#feeds.map((feed) => feed.value), ...caches], outputs: caches };
  }

  close(): void {
    for (const feed of this.#feeds) feed.close();
  }

  get #feeds() {
    return [this.#positions, this.#bias, ...this.#windowBias, this.#lastKey, this.#total];
  }
}
