// GGML's blocks of 32 elements: a float16 scale, a float16 offset where the type is affine, then the codes.
import type { QuantFormat } from "./format.ts";
import { halfAt, halfTable } from "./half.ts";

/** Codes of 32 elements, from byte `at` of `raw` to place `to`. */
export type UnpackCodes = (raw: Uint8Array, at: number, codes: Uint8Array, to: number) => void;

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
    unpack(raw, at, count, { codes, scales, offsets }) {
      const half = halfTable();
      for (let b = 0; b < count; b++, at += bytes) {
        scales[b] = halfAt(half, raw, at);
        if (affine) offsets[b] = halfAt(half, raw, at + 2);
        unpackCodes(raw, affine ? at + 4 : at + 2, codes, b * 32);
      }
    },
  };
}
