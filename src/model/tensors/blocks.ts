// Quantised tensors in the one form that engines compute with: a 4- or 8-bit container, a scale per group of 16 or 32
// elements, and an offset where the type has one.
import type { Blocks, Tensor } from "./tensor.ts";
import { type QuantFormat, QUANTS } from "./quants.ts";
import { columnsOf, eachStretch, rowsOf } from "./weights.ts";

/** Rows `from` to `to` (exclusive) of a quantised tensor; undefined where the type is F32, F16 or BF16. */
export function blocks(tensor: Tensor, from = 0, to = rowsOf(tensor)): Blocks | undefined {
  if (tensor.blocks) return tensor.blocks(from, to);
  const stored = storedBlocks(tensor, from, to);
  if (!stored?.offsets) return stored;
  const { scales, offsets } = stored;
  const shift = shiftOf(QUANTS[tensor.type]!);
  if (shift !== 0) { for (let g = 0; g < offsets.length; g++) offsets[g] += shift * scales[g]; }
  return stored;
}

/** Scales that are added to a type's own offsets because the container has another zero. */
function shiftOf({ bits, zero }: QuantFormat): number {
  return 2 ** (bits - 1) - zero;
}

/** The same with the type's own offsets. */
export function storedBlocks(tensor: Tensor, from = 0, to = rowsOf(tensor)): Blocks | undefined {
  const format = QUANTS[tensor.type];
  if (!format) return undefined;
  const { bits, group, affine } = format;
  const columns = columnsOf(tensor);
  const elements = (to - from) * columns;
  const codes = new Uint8Array(elements * bits / 8);
  const scales = new Float32Array(elements / group);
  const offsets = affine ? new Float32Array(elements / group) : undefined;
  eachStretch(tensor.type, tensor.bytes(from, to), elements, (out, start, count) => {
    const first = start / group, groups = count / group;
    for (let g = 0; g < groups; g++) scales[first + g] = out.scales[g];
    if (offsets) { for (let g = 0; g < groups; g++) offsets[first + g] = out.offsets[g]; }
    if (bits === 8) {
      codes.set(count === out.codes.length ? out.codes : out.codes.subarray(0, count), start);
    } else {
      const unpacked = out.codes;
      for (let i = 0, at = start / 2; i < count; i += 2, at++) codes[at] = unpacked[i] | unpacked[i + 1] << 4;
    }
  });
  return { bits, block: group, rows: to - from, columns, codes, scales, offsets };
}

/** The form that a tensor's rows take in an engine's `exact` format; undefined where it is not quantised. */
export function blockForm(tensor: Tensor): { bits: 4 | 8; block: number; affine: boolean } | undefined {
  const format = QUANTS[tensor.type];
  return format && { bits: format.bits, block: format.group, affine: format.affine };
}

/**
 * Where a tensor's scales and own offsets are float16 numbers: how many scales are added to an offset. `storedBlocks` has
 * them. Undefined elsewhere.
 */
export function halfForm(tensor: Tensor): { shift: number } | undefined {
  const format = QUANTS[tensor.type];
  // What comes out of another engine's file has its shift already, and sums of two float16 numbers need more bits.
  if (!format?.half || (format.affine && tensor.blocks)) return undefined;
  return { shift: format.affine ? shiftOf(format) : 0 };
}
