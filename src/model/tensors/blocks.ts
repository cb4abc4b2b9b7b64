// Quantised tensors in the one form that engines compute with: a 4- or 8-bit container, a scale per group of 16 or 32
// elements, and an offset where the type has one.
import type { Blocks, Tensor } from "./tensor.ts";
import { type QuantFormat, QUANTS } from "./quants.ts";
import { bytesOf, columnsOf, eachStretch, rowsOf } from "./weights.ts";

/** Memory that blocks are written to, and what the file has of them read to. */
interface Space extends Pick<Blocks, "codes" | "scales" | "offsets"> {
  readonly raw?: Uint8Array<ArrayBuffer>;
}

/** Elements of a stretch: enough for few system calls, and few enough to stay in the processor's cache. */
const STRETCH = 1 << 20;

/**
 * The rows of quantised tensors of one form and width, one tensor after the other, some rows at a time. The arrays are
 * reused: what is in them is valid until the next stretch is asked for.
 */
export function* stretchesOf(tensors: readonly Tensor[]): Generator<Blocks> {
  const format = QUANTS[tensors[0].type]!;
  const columns = columnsOf(tensors[0]);
  const most = Math.max(1, Math.floor(STRETCH / columns));
  const steps = tensors.map((tensor) => tensor.atOnce ? rowsOf(tensor) : Math.min(rowsOf(tensor), most));
  const elements = Math.max(...steps) * columns;
  const raw = new Uint8Array(Math.max(...tensors.map(({ type }) => bytesOf(type, elements))));
  const all = { ...spaceOf(format, elements), raw };
  for (const [i, tensor] of tensors.entries()) {
    const rows = rowsOf(tensor);
    for (let from = 0; from < rows; from += steps[i]) {
      const to = Math.min(rows, from + steps[i]);
      yield blocks(tensor, from, to, startOf(all, format, (to - from) * columns))!;
    }
  }
}

/** The part of a space that `elements` take. */
function startOf({ codes, scales, offsets, raw }: Space, { bits, group }: QuantFormat, elements: number): Space {
  return {
    codes: codes.subarray(0, elements * bits / 8),
    scales: scales.subarray(0, elements / group),
    offsets: offsets?.subarray(0, elements / group),
    raw,
  };
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
  eachStretch(tensor.type, tensor.bytes(from, to, space?.raw), elements, (out, start, count) => {
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
