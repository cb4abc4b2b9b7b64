// Keys and values in blocks of absolute positions, in memory that grows where it stands: ONNX Runtime writes rows into
// it, and a pass binds the blocks that it needs.
import { HunchError } from "../../../src/errors.ts";
import type { AttentionSpec, ModelSpec } from "../../../src/model/spec/spec.ts";
import type { Runtime, Value } from "../runtime.ts";
import type { Cache } from "./attention.ts";
import { BLOCK, COUNT } from "./blocks.ts";

/** Keys or values of one layer, [blocks, heads, 64, size] float32. */
interface Part {
  readonly heads: number;
  readonly size: number;
  readonly window: number;
  readonly buffer: ArrayBuffer;
  /** The whole of it, however long it has become. */
  readonly data: Float32Array;
  /** What is bound, and from which block to which. */
  value?: Value;
  first: number;
  end: number;
}

export class BlockCache implements Cache {
  readonly #parts: readonly Part[];

  /** `context`: most committed tokens. */
  constructor(
    private readonly runtime: Runtime,
    private readonly spec: ModelSpec,
    private readonly context: number,
  ) {
    const most = Math.ceil(context / BLOCK) + 1; // rows of a tree may stand past the context that their positions keep to
    const part = ({ kvHeads: heads, window = Infinity }: AttentionSpec, size: number): Part => {
      const buffer = reserved(most * heads * BLOCK * size * 4);
      return { heads, size, window, buffer, data: new Float32Array(buffer), first: 0, end: 0 };
    };
    this.#parts = spec.layers.flatMap(({ attention }) => [
      part(attention, attention.headSize),
      part(attention, attention.headSize + COUNT),
    ]);
  }

  /** A row stands in the block of its position, as long as there is room; where there is none, in the next. */
  place(past: number, depths: Int32Array): Int32Array {
    const border = borderAfter(past);
    let [here, next] = [past, border];
    return depths.map((depth) => past + depth < border && here < border ? here++ : next++);
  }

  inPlace(past: number, depths: Int32Array): number {
    const border = borderAfter(past);
    const astray = this.place(past, depths).findIndex((column, row) => column >= border && past + depths[row] < border);
    return astray < 0 ? depths.length : astray;
  }

  /** Tensors of the blocks up to `end` that rows from position `past` on can see: layer by layer, keys before values. */
  bind(past: number, end: number): Value[] {
    return this.#parts.map((part) => {
      const first = firstBlock(past, part.window);
      if (part.value === undefined || part.first !== first || part.end !== end) this.#bind(part, first, end);
      return part.value!;
    });
  }

  move(from: number, to: number): void {
    for (const { heads, size, data } of this.#parts) {
      const at = (column: number, head: number) =>
        ((Math.floor(column / BLOCK) * heads + head) * BLOCK + column % BLOCK) * size;
      for (let head = 0; head < heads; head++) {
        const start = at(from, head);
        data.copyWithin(at(to, head), start, start + size);
      }
    }
  }

  copy(length: number): BlockCache {
    const copy = new BlockCache(this.runtime, this.spec, this.context);
    const blocks = Math.ceil(length / BLOCK);
    this.#parts.forEach(({ heads, size, data }, i) => {
      const part = copy.#parts[i];
      grow(part, blocks);
      part.data.set(data.subarray(0, blocks * heads * BLOCK * size));
    });
    return copy;
  }

  close(): void {
    for (const part of this.#parts) {
      if (part.value) this.runtime.release(part.value);
      part.value = undefined;
      part.buffer.resize(0);
    }
  }

  #bind(part: Part, first: number, end: number): void {
    const { heads, size, buffer } = part;
    grow(part, end);
    if (part.value) this.runtime.release(part.value);
    const block = heads * BLOCK * size;
    const data = new Float32Array(buffer, 4 * first * block, (end - first) * block);
    part.value = this.runtime.tensor(data, "float32", [end - first, heads, BLOCK, size]);
    part.first = first;
    part.end = end;
  }
}

/** The first block that a row at `position` or later can see. */
export function firstBlock(position: number, window: number): number {
  return Math.floor(Math.max(0, position - window + 1) / BLOCK);
}

/** Where the block of position `past` ends. */
function borderAfter(past: number): number {
  return (Math.floor(past / BLOCK) + 1) * BLOCK;
}

function grow({ heads, size, buffer }: Part, blocks: number): void {
  const bytes = blocks * heads * BLOCK * size * 4;
  if (bytes > buffer.byteLength) buffer.resize(bytes);
}

/** No memory yet, but addresses for so many bytes. */
function reserved(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(0, { maxByteLength: bytes });
  } catch {
    const gib = (bytes / 2 ** 30).toFixed(1);
    throw new HunchError("input", `no address space for ${gib} GiB of keys`, { hint: "use a smaller --context" });
  }
}
