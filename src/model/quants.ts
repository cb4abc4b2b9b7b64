// The number formats of GGML: how each stores a block, and loops that take blocks apart.
//
// Every quantised type is affine per group: value = (code − zero)·scale + offset, with codes that fit 4 or 8 bits.
// Layouts as ggml-quants.c has them; exact against gguf-py (test/model/weights.test.ts).
import type { TensorType } from "./source.ts";

/** Half-precision bit pattern to number; made at first use. */
let halves: Float32Array | undefined;

export function halfTable(): Float32Array {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size = exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
      ? (fraction === 0 ? Infinity : NaN)
      : (1024 + fraction) * 2 ** (exponent - 25);
    halves[bits] = bits & 0x8000 ? -size : size;
  }
  return halves;
}

/** Where a type's blocks are unpacked to. */
export interface Unpacked {
  /** One code per element. */
  readonly codes: Uint8Array;
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
  /** Takes `count` blocks apart, from byte `at` of `raw` on, to the start of `out`. */
  unpack(raw: Uint8Array, at: number, count: number, out: Unpacked): void;
}

/** Codes of 32 elements from 16 bytes: the low nibbles, then the high ones. */
function nibbles16(raw: Uint8Array, at: number, codes: Uint8Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const byte = raw[at + j];
    codes[to + j] = byte & 15;
    codes[to + j + 16] = byte >> 4;
  }
}

const Q4_0: QuantFormat = {
  elements: 32,
  bytes: 18,
  group: 32,
  bits: 4,
  zero: 8,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 18) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      nibbles16(raw, at + 2, codes, b * 32);
    }
  },
};

const Q4_1: QuantFormat = {
  elements: 32,
  bytes: 20,
  group: 32,
  bits: 4,
  zero: 0,
  affine: true,
  unpack(raw, at, count, { codes, scales, offsets }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 20) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      offsets[b] = half[raw[at + 2] | raw[at + 3] << 8];
      nibbles16(raw, at + 4, codes, b * 32);
    }
  },
};

/** Nibbles as in Q4, and a fifth bit of each element in 4 bytes; 112 added, so that the middle is the container's. */
function nibbles16and1(raw: Uint8Array, high: number, at: number, codes: Uint8Array, to: number): void {
  const low = raw[high] | raw[high + 1] << 8;
  const top = raw[high + 2] | raw[high + 3] << 8;
  for (let j = 0; j < 16; j++) {
    const byte = raw[at + j];
    codes[to + j] = ((byte & 15) | (low >> j & 1) << 4) + 112;
    codes[to + j + 16] = ((byte >> 4) | (top >> j & 1) << 4) + 112;
  }
}

const Q5_0: QuantFormat = {
  elements: 32,
  bytes: 22,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 22) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      nibbles16and1(raw, at + 2, at + 6, codes, b * 32);
    }
  },
};

const Q5_1: QuantFormat = {
  elements: 32,
  bytes: 24,
  group: 32,
  bits: 8,
  zero: 112,
  affine: true,
  unpack(raw, at, count, { codes, scales, offsets }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 24) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      offsets[b] = half[raw[at + 2] | raw[at + 3] << 8];
      nibbles16and1(raw, at + 4, at + 8, codes, b * 32);
    }
  },
};

const Q8_0: QuantFormat = {
  elements: 32,
  bytes: 34,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 34) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      const to = b * 32;
      for (let j = 0; j < 32; j++) codes[to + j] = raw[at + 2 + j] ^ 128;
    }
  },
};

const Q2_K: QuantFormat = {
  elements: 256,
  bytes: 84,
  group: 16,
  bits: 4,
  zero: 6,
  affine: true,
  unpack(raw, at, count, { codes, scales, offsets }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 84) {
      const d = half[raw[at + 80] | raw[at + 81] << 8];
      const least = half[raw[at + 82] | raw[at + 83] << 8];
      for (let g = 0; g < 16; g++) {
        scales[b * 16 + g] = d * (raw[at + g] & 15);
        offsets[b * 16 + g] = -least * (raw[at + g] >> 4);
      }
      for (let part = 0; part < 2; part++) {
        const to = b * 256 + part * 128;
        for (let j = 0; j < 32; j++) {
          const byte = raw[at + 16 + part * 32 + j];
          codes[to + j] = (byte & 3) + 6;
          codes[to + j + 32] = (byte >> 2 & 3) + 6;
          codes[to + j + 64] = (byte >> 4 & 3) + 6;
          codes[to + j + 96] = (byte >> 6) + 6;
        }
      }
    }
  },
};

const Q3_K: QuantFormat = {
  elements: 256,
  bytes: 110,
  group: 16,
  bits: 4,
  zero: 8,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 110) {
      const d = half[raw[at + 108] | raw[at + 109] << 8];
      for (let g = 0; g < 16; g++) {
        const low = raw[at + 96 + (g & 7)] >> (g >> 3) * 4 & 15;
        const high = raw[at + 104 + (g & 3)] >> (g >> 2) * 2 & 3;
        scales[b * 16 + g] = d * ((low | high << 4) - 32);
      }
      for (let part = 0; part < 2; part++) {
        const to = b * 256 + part * 128;
        for (let j = 0; j < 32; j++) {
          const byte = raw[at + 32 + part * 32 + j];
          const high = raw[at + j] >> part * 4; // a set bit means: nothing to subtract
          codes[to + j] = (byte & 3) + 4 + (high & 1) * 4;
          codes[to + j + 32] = (byte >> 2 & 3) + 4 + (high >> 1 & 1) * 4;
          codes[to + j + 64] = (byte >> 4 & 3) + 4 + (high >> 2 & 1) * 4;
          codes[to + j + 96] = (byte >> 6) + 4 + (high >> 3 & 1) * 4;
        }
      }
    }
  },
};

/** Eight 6-bit scales and minima in 12 bytes, of Q4_K and Q5_K, after two halves for both. */
function sixBitScales(raw: Uint8Array, at: number, scales: Float32Array, offsets: Float32Array, to: number): void {
  const half = halfTable();
  const d = half[raw[at] | raw[at + 1] << 8];
  const least = half[raw[at + 2] | raw[at + 3] << 8];
  for (let g = 0; g < 4; g++) {
    const first = raw[at + 4 + g], second = raw[at + 8 + g], rest = raw[at + 12 + g];
    scales[to + g] = d * (first & 63);
    offsets[to + g] = -least * (second & 63);
    scales[to + g + 4] = d * (rest & 15 | first >> 2 & 48);
    offsets[to + g + 4] = -least * (rest >> 4 | second >> 2 & 48);
  }
}

const Q4_K: QuantFormat = {
  elements: 256,
  bytes: 144,
  group: 32,
  bits: 4,
  zero: 0,
  affine: true,
  unpack(raw, at, count, { codes, scales, offsets }) {
    for (let b = 0; b < count; b++, at += 144) {
      sixBitScales(raw, at, scales, offsets, b * 8);
      for (let part = 0; part < 4; part++) {
        const to = b * 256 + part * 64;
        const from = at + 16 + part * 32;
        for (let j = 0; j < 32; j++) {
          const byte = raw[from + j];
          codes[to + j] = byte & 15;
          codes[to + j + 32] = byte >> 4;
        }
      }
    }
  },
};

const Q5_K: QuantFormat = {
  elements: 256,
  bytes: 176,
  group: 32,
  bits: 8,
  zero: 112,
  affine: true,
  unpack(raw, at, count, { codes, scales, offsets }) {
    for (let b = 0; b < count; b++, at += 176) {
      sixBitScales(raw, at, scales, offsets, b * 8);
      for (let part = 0; part < 4; part++) {
        const to = b * 256 + part * 64;
        const from = at + 48 + part * 32;
        for (let j = 0; j < 32; j++) {
          const byte = raw[from + j];
          const high = raw[at + 16 + j] >> part * 2;
          codes[to + j] = (byte & 15 | (high & 1) << 4) + 112;
          codes[to + j + 32] = (byte >> 4 | (high & 2) << 3) + 112;
        }
      }
    }
  },
};

const Q6_K: QuantFormat = {
  elements: 256,
  bytes: 210,
  group: 16,
  bits: 8,
  zero: 128,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 210) {
      const d = half[raw[at + 208] | raw[at + 209] << 8];
      for (let g = 0; g < 16; g++) scales[b * 16 + g] = d * (raw[at + 192 + g] << 24 >> 24);
      for (let part = 0; part < 2; part++) {
        const to = b * 256 + part * 128;
        const low = at + part * 64;
        for (let j = 0; j < 32; j++) {
          const first = raw[low + j], second = raw[low + 32 + j], high = raw[at + 128 + part * 32 + j];
          codes[to + j] = (first & 15 | (high & 3) << 4) + 96;
          codes[to + j + 32] = (second & 15 | (high & 12) << 2) + 96;
          codes[to + j + 64] = (first >> 4 | high & 48) + 96;
          codes[to + j + 96] = (second >> 4 | (high & 192) >> 2) + 96;
        }
      }
    }
  },
};

/** IQ4's values, 128 added. */
const IQ4 = Uint8Array.of(1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241);
/** MXFP4's values (E2M1), doubled to be whole, 128 added. */
const E2M1 = Uint8Array.of(128, 129, 130, 131, 132, 134, 136, 140, 128, 127, 126, 125, 124, 122, 120, 116);

function lookup16(raw: Uint8Array, at: number, table: Uint8Array, codes: Uint8Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const byte = raw[at + j];
    codes[to + j] = table[byte & 15];
    codes[to + j + 16] = table[byte >> 4];
  }
}

const IQ4_NL: QuantFormat = {
  elements: 32,
  bytes: 18,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 18) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      lookup16(raw, at + 2, IQ4, codes, b * 32);
    }
  },
};

const IQ4_XS: QuantFormat = {
  elements: 256,
  bytes: 136,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 136) {
      const d = half[raw[at] | raw[at + 1] << 8];
      const high = raw[at + 2] | raw[at + 3] << 8;
      for (let g = 0; g < 8; g++) {
        const low = raw[at + 4 + (g >> 1)] >> (g & 1) * 4 & 15;
        scales[b * 8 + g] = d * ((low | (high >> g * 2 & 3) << 4) - 32);
        lookup16(raw, at + 8 + g * 16, IQ4, codes, b * 256 + g * 32);
      }
    }
  },
};

const MXFP4: QuantFormat = {
  elements: 32,
  bytes: 17,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    for (let b = 0; b < count; b++, at += 17) {
      scales[b] = 2 ** (raw[at] - 128);
      lookup16(raw, at + 1, E2M1, codes, b * 32);
    }
  },
};

/** Ternary digits, base 3: a byte is a fraction of 256, and multiplying it by 3^n brings digit n to the top. */
function ternary(raw: Uint8Array, at: number, bytes: number, digits: number, codes: Uint8Array, to: number): void {
  let power = 1;
  for (let digit = 0; digit < digits; digit++, power *= 3) {
    for (let j = 0; j < bytes; j++) codes[to++] = ((raw[at + j] * power & 255) * 3 >> 8) + 7;
  }
}

/** Groups of 32 as everywhere, though the whole block shares one scale. */
function repeatScale(d: number, scales: Float32Array, to: number): void {
  for (let g = 0; g < 8; g++) scales[to + g] = d;
}

const TQ1_0: QuantFormat = {
  elements: 256,
  bytes: 54,
  group: 32,
  bits: 4,
  zero: 8,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 54) {
      repeatScale(half[raw[at + 52] | raw[at + 53] << 8], scales, b * 8);
      ternary(raw, at, 32, 5, codes, b * 256);
      ternary(raw, at + 32, 16, 5, codes, b * 256 + 160);
      ternary(raw, at + 48, 4, 4, codes, b * 256 + 240);
    }
  },
};

const TQ2_0: QuantFormat = {
  elements: 256,
  bytes: 66,
  group: 32,
  bits: 4,
  zero: 8,
  affine: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 66) {
      repeatScale(half[raw[at + 64] | raw[at + 65] << 8], scales, b * 8);
      for (let part = 0; part < 2; part++) {
        const to = b * 256 + part * 128;
        for (let j = 0; j < 32; j++) {
          const byte = raw[at + part * 32 + j];
          codes[to + j] = (byte & 3) + 7;
          codes[to + j + 32] = (byte >> 2 & 3) + 7;
          codes[to + j + 64] = (byte >> 4 & 3) + 7;
          codes[to + j + 96] = (byte >> 6) + 7;
        }
      }
    }
  },
};

/** Not a type of GGML: what GPTQ and AWQ pack, after packed4.ts. float32 scale and offset, then nibbles as in Q4. */
const AFFINE4: QuantFormat = {
  elements: 32,
  bytes: 24,
  group: 32,
  bits: 4,
  zero: 0,
  affine: true,
  unpack(raw, at, count, { codes, scales, offsets }) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    for (let b = 0; b < count; b++, at += 24) {
      scales[b] = view.getFloat32(at, true);
      offsets[b] = view.getFloat32(at + 4, true);
      nibbles16(raw, at + 8, codes, b * 32);
    }
  },
};

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
