// One tensor of a model file, and the types that it can have.

/**
 * How numbers are stored. Names as GGML writes them; blocks are 32 elements (K-quants, IQ4_XS, TQ: 256). AFFINE4 is
 * what GPTQ and AWQ pack: blocks of 32, 4 bits, float32 scale and offset.
 */
export type TensorType =
  | "F32"
  | "F16"
  | "BF16"
  | "Q4_0"
  | "Q4_1"
  | "Q5_0"
  | "Q5_1"
  | "Q8_0"
  | "Q2_K"
  | "Q3_K"
  | "Q4_K"
  | "Q5_K"
  | "Q6_K"
  | "IQ4_NL"
  | "IQ4_XS"
  | "MXFP4"
  | "TQ1_0"
  | "TQ2_0"
  | "AFFINE4";

/** One tensor of a file. Nothing is read before it is asked for. */
export interface Tensor {
  /** The file's own name. */
  readonly name: string;
  /** [length] or [rows, columns], row-major, columns contiguous. */
  readonly shape: readonly number[];
  readonly type: TensorType;
  /** Set where some rows cost as much as all of them. */
  readonly atOnce?: boolean;
  /**
   * Raw blocks of rows `from` to `to` (exclusive; a vector is one row), as the file has them. `into`: memory that may be
   * used for them.
   */
  bytes(from?: number, to?: number, into?: Uint8Array<ArrayBuffer>): Uint8Array;
  /** The same rows as numbers, [(to − from) · columns]. */
  floats(from?: number, to?: number): Float32Array;
  /** The same rows as an engine computes with them, where that is how the file has them. */
  blocks?(from?: number, to?: number): Blocks;
}

/**
 * Rows of a quantised matrix: value = (code − 2^(bits−1))·scale + offset, which is the file's own number up to the
 * rounding of that expression in float32.
 */
export interface Blocks {
  readonly bits: 4 | 8;
  /** Consecutive elements of a row that share scale and offset: 16 or 32. */
  readonly block: number;
  readonly rows: number;
  readonly columns: number;
  /** 8 bits: [rows, columns]. 4 bits: [rows, columns / 2], even columns in the low nibble. */
  readonly codes: Uint8Array;
  /** [rows, columns / block] */
  readonly scales: Float32Array;
  /** [rows, columns / block]; absent where all are 0. */
  readonly offsets?: Float32Array;
}
