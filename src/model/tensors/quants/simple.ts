// GGML's types of blocks of 32 with one scale: Q4_0 to Q8_0; and AFFINE4, which is not GGML's.
import { halfTable } from "./half.ts";
import type { QuantFormat } from "./format.ts";

/** Codes of 32 elements from 16 bytes: the low nibbles, then the high ones. */
function nibbles16(raw: Uint8Array, at: number, codes: Uint8Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const byte = raw[at + j];
    codes[to + j] = byte & 15;
    codes[to + j + 16] = byte >> 4;
  }
}

export const Q4_0: QuantFormat = {
  elements: 32,
  bytes: 18,
  group: 32,
  bits: 4,
  zero: 8,
  affine: false,
  half: true,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 18) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      nibbles16(raw, at + 2, codes, b * 32);
    }
  },
};

export const Q4_1: QuantFormat = {
  elements: 32,
  bytes: 20,
  group: 32,
  bits: 4,
  zero: 0,
  affine: true,
  half: true,
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

export const Q5_0: QuantFormat = {
  elements: 32,
  bytes: 22,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  half: true,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 22) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      nibbles16and1(raw, at + 2, at + 6, codes, b * 32);
    }
  },
};

export const Q5_1: QuantFormat = {
  elements: 32,
  bytes: 24,
  group: 32,
  bits: 8,
  zero: 112,
  affine: true,
  half: true,
  unpack(raw, at, count, { codes, scales, offsets }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 24) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      offsets[b] = half[raw[at + 2] | raw[at + 3] << 8];
      nibbles16and1(raw, at + 4, at + 8, codes, b * 32);
    }
  },
};

export const Q8_0: QuantFormat = {
  elements: 32,
  bytes: 34,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  half: true,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 34) {
      scales[b] = half[raw[at] | raw[at + 1] << 8];
      const to = b * 32;
      for (let j = 0; j < 32; j++) codes[to + j] = raw[at + 2 + j] ^ 128;
    }
  },
};

/** Not a type of GGML: what GPTQ and AWQ pack, after packed4.ts. float32 scale and offset, then nibbles as in Q4. */
export const AFFINE4: QuantFormat = {
  elements: 32,
  bytes: 24,
  group: 32,
  bits: 4,
  zero: 0,
  affine: true,
  half: false,
  unpack(raw, at, count, { codes, scales, offsets }) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    for (let b = 0; b < count; b++, at += 24) {
      scales[b] = view.getFloat32(at, true);
      offsets[b] = view.getFloat32(at + 4, true);
      nibbles16(raw, at + 8, codes, b * 32);
    }
  },
};
