// GGML's blocks of 32 elements: a float16 scale, a float16 offset where the type is affine, then the codes.
import type { QuantFormat, Unpacked } from "./format.ts";
import { halfAt, halfTable } from "./half.ts";

/** Codes of 32 elements, from byte `at` of `raw` to element `to`. */
export type UnpackCodes = (raw: DataView, at: number, out: Unpacked, to: number) => void;

/** `bytes`: of a whole block. */
export function block32(
  { bytes, bits, zero, affine = false }: Pick<QuantFormat, "bytes" | "bits" | "zero"> & { readonly affine?: boolean },
  unpackCodes: UnpackCodes,
): QuantFormat {
  return {
    elements: 32,
    bytes,
    group: 32,
    bits,
    zero,
    affine,
    half: true,
    unpack(raw, at, count, out) {
      const half = halfTable();
      const { scales, offsets } = out;
      for (let b = 0; b < count; b++, at += bytes) {
        scales[b] = halfAt(half, raw, at);
        if (affine) offsets[b] = halfAt(half, raw, at + 2);
        unpackCodes(raw, affine ? at + 4 : at + 2, out, b * 32);
      }
    },
  };
}
