// Quantised tensors in the one form that engines compute with: a 4- or 8-bit container, a scale per group of 16 or 32
// elements, and an offset where the type has one.
import type { Blocks, Tensor } from "./tensor.ts";
import { type QuantFormat, QUANTS } from "./quants.ts";
import { columnsOf, eachStretch, rowsOf } from "./weights.ts";

/** Memory that blocks are written to. */
type Space = Pick<Blocks, "codes" | "scales" | "offsets">;

/** The rows of quantised tensors of one form and width, one tensor after the other. */
export function stackedBlocks(tensors: readonly Tensor[]): Blocks {
  const { bits, group, affine } = QUANTS[tensors[0].type]!;
  const columns = columnsOf(tensors[0]);
  const rows = tensors.reduce((total, tensor) => total + rowsOf(tensor), 0);
  const all = spaceOf({ bits, group, affine }, rows * columns);
  let at = 0;
  for (const tensor of tensors) {
    const end = at + rowsOf(tensor) * columns;
    const groups = [at / group, end / group] as const;
    const space = {
      codes: all.codes.subarray(at * bits / 8, end * bits / 8),
      scales: all.scales.subarray(...groups),
      offsets: all.offsets?.subarray(...groups),
    };
    const found = blocks(tensor, 0, rowsOf(tensor), space)!;
    if (found.codes !== space.codes) {
      space.codes.set(found.codes);
      space.scales.set(found.scales);
      if (found.offsets) space.offsets?.set(found.offsets);
    }
    at = end;
  }
  return { bits, block: group, rows, columns, ...all };
}

function spaceOf({ bits, group, affine }: Pick<QuantFormat, "bits" | "group" | "affine">, elements: number): Space {
  return {
    codes: new Uint8Array(elements * bits / 8),
    scales: new Float32Array(elements / group),
    offsets: affine ? new Float32Array(elements / group) : undefined,
  };
}

/**
 * Rows `from` to `to` (exclusive) of a quantised tensor; undefined where the type is F32, F16 or BF16. `space`: where to
 * write them, unless the tensor has them made already.
 */
export function blocks(tensor: Tensor, from = 0, to = rowsOf(tensor), space?: Space): Blocks | undefined {
  if (tensor.blocks) return tensor.blocks(from, to);
  const stored = storedBlocks(tensor, from, to, space);
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
export function storedBlocks(tensor: Tensor, from = 0, to = rowsOf(tensor), space?: Space): Blocks | undefined {
  const format = QUANTS[tensor.type];
  if (!format) return undefined;
  const { bits, group } = format;
  const columns = columnsOf(tensor);
  const elements = (to - from) * columns;
  const { codes, scales, offsets } = space ?? spaceOf(format, elements);
  eachStretch(tensor.type, tensor.bytes(from, to), elements, (out, start, count) => {
    const first = start / group, groups = count / group;
    for (let g = 0; g < groups; g++) scales[first + g] = out.scales[g];
    if (offsets) { for (let g = 0; g < groups; g++) offsets[first + g] = out.offsets[g]; }
    if (bits === 8) {
      codes.set(count === out.codes.length ? out.codes : out.codes.subarray(0, count), start);
    } else {
      nibblesOf(out.words, count / 4, codes, start / 2);
    }
  });
  return { bits, block: group, rows: to - from, columns, codes, scales, offsets };
}

/** `count` words of four codes as bytes of two, to place `at` of `codes`. */
function nibblesOf(words: Int32Array, count: number, codes: Uint8Array, at: number): void {
  const out = new Int32Array(codes.buffer, codes.byteOffset + at, count / 2);
  for (let i = 0, to = 0; i < count; i += 2, to++) {
    const first = words[i] | words[i] >>> 4, second = words[i + 1] | words[i + 1] >>> 4;
    out[to] = first & 0xff | first >>> 8 & 0xff00 | (second & 0xff | second >>> 8 & 0xff00) << 16;
  }
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
