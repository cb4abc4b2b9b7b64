// GGML's types of blocks of 32 with one scale: Q4_0 to Q8_0; and AFFINE4, which is not GGML's.
import { block32, type UnpackCodes } from "./block32.ts";
import type { QuantFormat } from "./format.ts";

const NIBBLES = 0x0f0f0f0f;

/** 16 bytes: the low nibbles, then the high ones. */
const nibbles: UnpackCodes = (raw, at, { words }, to) => {
  for (let j = 0, place = to >> 2; j < 4; j++) {
    const word = raw.getInt32(at + 4 * j, true);
    words[place + j] = word & NIBBLES;
    words[place + j + 4] = word >>> 4 & NIBBLES;
  }
};

/** A fifth bit of each element in 4 bytes, then nibbles; 112 added, so that the middle is the container's. */
const nibblesAndOne: UnpackCodes = (raw, at, { words }, to) => {
  const fifths = raw.getInt32(at, true);
  for (let j = 0, place = to >> 2; j < 4; j++) {
    const word = raw.getInt32(at + 4 + 4 * j, true);
    words[place + j] = (word & NIBBLES | fifthBits(fifths >>> 4 * j)) + 0x70707070 | 0;
    words[place + j + 4] = (word >>> 4 & NIBBLES | fifthBits(fifths >>> 16 + 4 * j)) + 0x70707070 | 0;
  }
};

/** The lowest four bits, each as the fifth of its own byte. */
function fifthBits(bits: number): number {
  return ((bits & 15) * 0x00204081 & 0x01010101) << 4; // the product has the four bits at 0, 7, 14 and 21
}

export const Q4_0 = block32({ bytes: 18, bits: 4, zero: 8 }, nibbles);
export const Q4_1 = block32({ bytes: 20, bits: 4, zero: 0, affine: true }, nibbles);
export const Q5_0 = block32({ bytes: 22, bits: 8, zero: 128 }, nibblesAndOne);
export const Q5_1 = block32({ bytes: 24, bits: 8, zero: 112, affine: true }, nibblesAndOne);
export const Q8_0 = block32({ bytes: 34, bits: 8, zero: 128 }, (raw, at, { words }, to) => {
  for (let j = 0, place = to >> 2; j < 8; j++) words[place + j] = raw.getInt32(at + 4 * j, true) ^ 0x80808080;
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
  unpack(raw, at, count, out) {
    const { scales, offsets } = out;
    for (let b = 0; b < count; b++, at += 24) {
      scales[b] = raw.getFloat32(at, true);
      offsets[b] = raw.getFloat32(at + 4, true);
      nibbles(raw, at + 8, out, b * 32);
    }
  },
};
