// Quantised matrices below each other as constants of the graph. The file is walked once, some rows at a time: codes are
// written as they come, scales and offsets, which are written after them, are collected on the way.
import { stretchesOf } from "../../src/model/tensors/blocks.ts";
import type { Tensor } from "../../src/model/tensors/tensor.ts";

export class BlockStack {
  #scales: Float32Array | undefined;
  #offsets: Float32Array | undefined;

  /** `tensors` of one form and width, together [rows, perRow · block]. */
  constructor(readonly tensors: readonly Tensor[], readonly rows: number, readonly perRow: number) {}

  /** [rows, perRow, bytes of a block], in parts; a part is valid until the next is asked for. */
  *codes(): Generator<Uint8Array> {
    const { rows: out, perRow } = this;
    const collected = new Float32Array(out * perRow);
    let transposed: Float32Array | undefined;
    let first = 0;
    for (const { rows, codes, scales, offsets } of stretchesOf(this.tensors)) {
      collected.set(scales, first * perRow);
      if (offsets) {
        transposed ??= new Float32Array(out * perRow);
        for (let i = 0; i < perRow; i++) {
          for (let row = 0, at = i, to = i * out + first; row < rows; row++, at += perRow) {
            transposed[to++] = offsets[at];
          }
        }
      }
      first += rows;
      yield codes;
    }
    [this.#scales, this.#offsets] = [collected, transposed];
  }

  /** [rows, perRow], once all codes were asked for. */
  takeScales(): Float32Array {
    const scales = this.#scales;
    this.#scales = undefined;
    return collectedOf(scales);
  }

  /** [perRow, rows], once all codes were asked for. */
  takeOffsets(): Float32Array {
    const offsets = this.#offsets;
    this.#offsets = undefined;
    return collectedOf(offsets);
  }
}

function collectedOf(values: Float32Array | undefined): Float32Array {
  if (!values) throw new Error("codes are asked for first, then scales and offsets, each once");
  return values;
}
