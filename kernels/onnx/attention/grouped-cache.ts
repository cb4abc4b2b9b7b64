// Keys and values of one sequence, in buffers that ONNX Runtime writes in place: the same memory is bound as past and
// as present, so a rewind is only a smaller number of rows.
import type { AttentionSpec, ModelSpec } from "../../../src/model/spec/spec.ts";
import type { Runtime, Value } from "../runtime.ts";
import type { Cache } from "./attention.ts";
import { paddedHead } from "./grouped.ts";

/**
 * Rows in front of the text, which nobody sees. ONNX Runtime's attention ignores the positions it is given, and so the
 * shape of trees, when all rows of the cache are new; with one row that is always there, that never happens.
 */
export const RESERVED = 1;

/** Smallest buffer, in rows; it doubles from there. */
const FIRST = 256;

/** One buffer: keys or values of one layer, [1, kvHeads, capacity, headSize] float32. */
interface Part {
  readonly heads: number;
  readonly size: number;
  data: Float32Array;
  value: Value;
}

export class GroupedCache implements Cache {
  /** Rows that fit. */
  capacity = 0;
  readonly #parts: Part[];

  constructor(private readonly runtime: Runtime, private readonly spec: ModelSpec, private readonly most: number) {
    const part = ({ kvHeads, headSize }: AttentionSpec): Part => ({
      heads: kvHeads,
      size: paddedHead(headSize),
      data: new Float32Array(0),
      value: { handle: 0, data: new Float32Array(0) },
    });
    this.#parts = spec.layers.flatMap(({ attention }) => [part(attention), part(attention)]);
  }

  /** Keys, then values, layer by layer: what the graph is fed and what it fills. */
  get values(): Value[] {
    return this.#parts.map((part) => part.value);
  }

  /** Makes room for `rows`, keeping the first `used`. True where the buffers are new. */
  reserve(rows: number, used: number): boolean {
    if (rows <= this.capacity) return false;
    const capacity = Math.min(this.most, Math.max(rows, 2 * this.capacity, FIRST));
    for (const part of this.#parts) {
      const data = new Float32Array(part.heads * capacity * part.size);
      for (let head = 0; head < part.heads; head++) {
        const from = head * this.capacity * part.size;
        data.set(part.data.subarray(from, from + used * part.size), head * capacity * part.size);
      }
      this.#replace(part, data, capacity);
    }
    this.capacity = capacity;
    return true;
  }

  place(past: number, depths: Int32Array): Int32Array {
    return depths.map((_, row) => past + row);
  }

  inPlace(_: number, depths: Int32Array): number {
    return depths.length;
  }

  move(from: number, to: number): void {
    for (const { heads, size, data } of this.#parts) {
      for (let head = 0; head < heads; head++) {
        const start = (head * this.capacity + RESERVED + from) * size;
        data.copyWithin((head * this.capacity + RESERVED + to) * size, start, start + size);
      }
    }
  }

  copy(length: number): GroupedCache {
    const copy = new GroupedCache(this.runtime, this.spec, this.most);
    const used = Math.min(RESERVED + length, this.capacity); // nothing was reserved yet in a cache never used
    copy.reserve(used, 0);
    this.#parts.forEach(({ heads, size, data }, i) => {
      for (let head = 0; head < heads; head++) {
        const from = head * this.capacity * size;
        copy.#parts[i].data.set(data.subarray(from, from + used * size), head * copy.capacity * size);
      }
    });
    return copy;
  }

  close(): void {
    for (const part of this.#parts) this.#replace(part, new Float32Array(0), 0);
    this.capacity = 0;
  }

  #replace(part: Part, data: Float32Array, capacity: number): void {
    if (part.value.handle) this.runtime.release(part.value);
    part.data = data;
    part.value = capacity
      ? this.runtime.tensor(data, "float32", [1, part.heads, capacity, part.size])
      : { handle: 0, data };
  }
}
