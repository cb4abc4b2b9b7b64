// What a quantised type is: affine per group, value = (code − zero)·scale + offset, with codes that fit 4 or 8 bits.

/** Where a type's blocks are unpacked to. */
export interface Unpacked {
  /** One code per element. */
  readonly codes: Uint8Array;
  /** The same memory, four codes a word, the first in the lowest byte: what many types are unpacked by. */
  readonly words: Int32Array;
  /** One per group. */
  readonly scales: Float32Array;
  /** One per group; untouched where the type has none. */
  readonly offsets: Float32Array;
}

export interface QuantFormat {
  /** Elements and bytes of one block. */
  readonly elements: number;
  readonly bytes: number;
  /** Elements that share a scale. */
  readonly group: number;
  /** Container that the codes fit. */
  readonly bits: 4 | 8;
  /** value = (code − zero)·scale + offset. */
  readonly zero: number;
  readonly affine: boolean;
  /** Scales and offsets are float16 numbers, as the file has them. */
  readonly half: boolean;
  /** Takes `count` blocks apart, from byte `at` of `raw` on, to the start of `out`. */
  unpack(raw: DataView, at: number, count: number, out: Unpacked): void;
}
