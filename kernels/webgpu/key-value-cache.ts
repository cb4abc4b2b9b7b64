// Keys and values of one sequence on the device: per layer one buffer [2, capacity, kvHeads, headSize], keys
// first, each head filled up to a multiple of four.
import type { ModelSpec } from "../../src/model/spec/spec.ts";
import type { Device } from "./device.ts";
import { quads } from "./kernels.ts";

/** Smallest capacity, in columns; it doubles from there. */
const FIRST = 256;

export class KeyValueCache {
  /** Columns that fit. */
  capacity = 0;
  buffers: readonly GPUBuffer[] = [];
  /** Elements of one column of a layer's keys. */
  readonly widths: readonly number[];

  /** `most`: columns that a sequence can ever need. */
  constructor(private readonly device: Device, spec: ModelSpec, private readonly most: number) {
    this.widths = spec.layers.map(({ attention }) => attention.kvHeads * 4 * quads(attention.headSize));
  }

  /**
   * Makes room for `columns`, keeping the first `used`. Returns the buffers that are no longer needed once what is in
   * `encoder` was submitted.
   */
  reserve(columns: number, used: number, encoder: GPUCommandEncoder): readonly GPUBuffer[] {
    if (columns <= this.capacity) return [];
    const capacity = Math.min(this.most, Math.max(columns, 2 * this.capacity, FIRST));
    const old = this.buffers;
    this.buffers = this.#make(capacity);
    if (used > 0) copyColumns(encoder, old, this.capacity, this.buffers, capacity, this.widths, used);
    this.capacity = capacity;
    return old;
  }

  /** Takes over the first `columns` of another cache of the same model. */
  copyFrom(other: KeyValueCache, columns: number, encoder: GPUCommandEncoder): void {
    if (columns === 0) return;
    this.buffers = this.#make(other.capacity);
    this.capacity = other.capacity;
    copyColumns(encoder, other.buffers, other.capacity, this.buffers, this.capacity, this.widths, columns);
  }

  close(): void {
    for (const buffer of this.buffers) this.device.destroy(buffer);
    this.buffers = [];
    this.capacity = 0;
  }

  #make(capacity: number): GPUBuffer[] {
    return this.widths.map((width) => this.device.storage(2 * capacity * width * 4, "keys and values"));
  }
}

function copyColumns(
  encoder: GPUCommandEncoder,
  from: readonly GPUBuffer[],
  fromCapacity: number,
  to: readonly GPUBuffer[],
  toCapacity: number,
  widths: readonly number[],
  columns: number,
): void {
  widths.forEach((width, layer) => {
    const bytes = columns * width * 4;
    encoder.copyBufferToBuffer(from[layer], 0, to[layer], 0, bytes);
    encoder.copyBufferToBuffer(from[layer], fromCapacity * width * 4, to[layer], toCapacity * width * 4, bytes);
  });
}
