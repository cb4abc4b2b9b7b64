// GGML's types of blocks of 32 with one scale: Q4_0 to Q8_0; and AFFINE4, which is not GGML's.
import { block32, type UnpackCodes } from "./block32.ts";
import type { QuantFormat } from "./format.ts";

/** 16 bytes: the low nibbles, then the high ones. */
const nibbles: UnpackCodes = (raw, at, codes, to) => {
  for (let j = 0; j < 16; j++) {
    const byte = raw[at + j];
    codes[to + j] = byte & 15;
    codes[to + j + 16] = byte >> 4;
  }
};

/** A fifth bit of each element in 4 bytes, then nibbles; 112 added, so that the middle is the container's. */
const nibblesAndOne: UnpackCodes = (raw, at, codes, to) => {
  const low = raw[at] | raw[at + 1] << 8;
  const top = raw[at + 2] | raw[at + 3] << 8;
  for (let j = 0; j < 16; j++) {
    const byte = raw[at + 4 + j];
    codes[to + j] = ((byte & 15) | (low >> j & 1) << 4) + 112;
    codes[to + j + 16] = ((byte >> 4) | (top >> j & 1) << 4) + 112;
  }
};

export const Q4_0 = block32({ bytes: 18, bits: 4, zero: 8 }, nibbles);
export const Q4_1 = block32({ bytes: 20, bits: 4, zero: 0, affine: true }, nibbles);
export const Q5_0 = block32({ bytes: 22, bits: 8, zero: 128 }, nibblesAndOne);
export const Q5_1 = block32({ bytes: 24, bits: 8, zero: 112, affine: true }, nibblesAndOne);
export const Q8_0 = block32({ bytes: 34, bits: 8, zero: 128 }, (raw, at, codes, to) => {
  for (let j = 0; j < 32; j++) codes[to + j] = raw[at + j] ^ 128;
});

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
      nibbles(raw, at + 8, codes, b * 32);
    }
  },
};
