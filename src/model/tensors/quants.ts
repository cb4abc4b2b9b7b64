// The number formats of GGML: how each stores a block. Layouts as ggml-quants.c has them; exact against gguf-py
// (test/model/weights.test.ts).
import { IQ4_NL, IQ4_XS, MXFP4, TQ1_0, TQ2_0 } from "./quants/codebook.ts";
import type { QuantFormat } from "./quants/format.ts";
import { Q2_K, Q3_K, Q4_K, Q5_K, Q6_K } from "./quants/k.ts";
import { AFFINE4, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 } from "./quants/simple.ts";
import type { TensorType } from "./tensor.ts";

export { halfAt, halfTable } from "./quants/half.ts";
export type { QuantFormat, Unpacked } from "./quants/format.ts";

/** Types that are not quantised: bytes of an element. */
export const PLAIN: Partial<Record<TensorType, number>> = { F32: 4, F16: 2, BF16: 2 };

export const QUANTS: Partial<Record<TensorType, QuantFormat>> = {
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  Q6_K,
  IQ4_NL,
  IQ4_XS,
  MXFP4,
  TQ1_0,
  TQ2_0,
  AFFINE4,
};
