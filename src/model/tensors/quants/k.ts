// GGML's K-quants: blocks of 256 with scales that are quantised themselves.
import type { QuantFormat } from "./format.ts";
import { halfAt, halfTable } from "./half.ts";
import { pairsOfBits } from "./pairs.ts";

/** Bits of four neighbours: a word has four bytes, whatever is shifted is masked, and no sum leaves its byte. */
const BIT = 0x01010101;
const PAIR = 0x03030303;
const NIBBLE = 0x0f0f0f0f;
const FIFTH = 0x10 * BIT;
const FIFTH_AND_SIXTH = 0x30 * BIT;

export const Q2_K: QuantFormat = {
  elements: 256,
  bytes: 84,
  group: 16,
  bits: 4,
  zero: 6,
  affine: true,
  half: false,
  unpack(raw, at, count, { words, scales, offsets }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 84) {
      const d = halfAt(half, raw, at + 80);
      const least = halfAt(half, raw, at + 82);
      for (let g = 0; g < 16; g++) {
        const both = raw.getUint8(at + g);
        scales[b * 16 + g] = d * (both & 15);
        offsets[b * 16 + g] = -least * (both >> 4);
      }
      pairsOfBits(raw, at + 16, 6, words, b * 256);
    }
  },
};

export const Q3_K: QuantFormat = {
  elements: 256,
  bytes: 110,
  group: 16,
  bits: 4,
  zero: 8,
  affine: false,
  half: false,
  unpack(raw, at, count, { words, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 110) {
      const d = halfAt(half, raw, at + 108);
      for (let g = 0; g < 16; g++) {
        const low = raw.getUint8(at + 96 + (g & 7)) >> (g >> 3) * 4 & 15;
        const high = raw.getUint8(at + 104 + (g & 3)) >> (g >> 2) * 2 & 3;
        scales[b * 16 + g] = d * ((low | high << 4) - 32);
      }
      for (let part = 0; part < 2; part++) {
        const to = b * 64 + part * 32;
        for (let j = 0; j < 8; j++) {
          const pairs = raw.getInt32(at + 32 + part * 32 + 4 * j, true);
          const high = raw.getInt32(at + 4 * j, true) >>> part * 4; // a set bit means: nothing to subtract
          words[to + j] = (pairs & PAIR) + 4 * BIT + ((high & BIT) << 2);
          words[to + j + 8] = (pairs >>> 2 & PAIR) + 4 * BIT + ((high >>> 1 & BIT) << 2);
          words[to + j + 16] = (pairs >>> 4 & PAIR) + 4 * BIT + ((high >>> 2 & BIT) << 2);
          words[to + j + 24] = (pairs >>> 6 & PAIR) + 4 * BIT + ((high >>> 3 & BIT) << 2);
        }
      }
    }
  },
};

/** Eight 6-bit scales and minima in 12 bytes, of Q4_K and Q5_K, after two halves for both. */
function sixBitScales(raw: DataView, at: number, scales: Float32Array, offsets: Float32Array, to: number): void {
  const half = halfTable();
  const d = halfAt(half, raw, at);
  const least = halfAt(half, raw, at + 2);
  for (let g = 0; g < 4; g++) {
    const first = raw.getUint8(at + 4 + g), second = raw.getUint8(at + 8 + g), rest = raw.getUint8(at + 12 + g);
    scales[to + g] = d * (first & 63);
    offsets[to + g] = -least * (second & 63);
    scales[to + g + 4] = d * (rest & 15 | first >> 2 & 48);
    offsets[to + g + 4] = -least * (rest >> 4 | second >> 2 & 48);
  }
}

export const Q4_K: QuantFormat = {
  elements: 256,
  bytes: 144,
  group: 32,
  bits: 4,
  zero: 0,
  affine: true,
  half: false,
  unpack(raw, at, count, { words, scales, offsets }) {
    for (let b = 0; b < count; b++, at += 144) {
      sixBitScales(raw, at, scales, offsets, b * 8);
      for (let part = 0; part < 4; part++) {
        const to = b * 64 + part * 16;
        const from = at + 16 + part * 32;
        for (let j = 0; j < 8; j++) {
          const nibbles = raw.getInt32(from + 4 * j, true);
          words[to + j] = nibbles & NIBBLE;
          words[to + j + 8] = nibbles >>> 4 & NIBBLE;
        }
      }
    }
  },
};

export const Q5_K: QuantFormat = {
  elements: 256,
  bytes: 176,
  group: 32,
  bits: 8,
  zero: 112,
  affine: true,
  half: false,
  unpack(raw, at, count, { words, scales, offsets }) {
    for (let b = 0; b < count; b++, at += 176) {
      sixBitScales(raw, at, scales, offsets, b * 8);
      for (let part = 0; part < 4; part++) {
        const to = b * 64 + part * 16;
        const from = at + 48 + part * 32;
        for (let j = 0; j < 8; j++) {
          const nibbles = raw.getInt32(from + 4 * j, true);
          const high = raw.getInt32(at + 16 + 4 * j, true) >>> part * 2;
          words[to + j] = (nibbles & NIBBLE | high << 4 & FIFTH) + 112 * BIT;
          words[to + j + 8] = (nibbles >>> 4 & NIBBLE | high << 3 & FIFTH) + 112 * BIT;
        }
      }
    }
  },
};

export const Q6_K: QuantFormat = {
  elements: 256,
  bytes: 210,
  group: 16,
  bits: 8,
  zero: 128,
  affine: false,
  half: false,
  unpack(raw, at, count, { words, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 210) {
      const d = halfAt(half, raw, at + 208);
      for (let g = 0; g < 16; g++) scales[b * 16 + g] = d * raw.getInt8(at + 192 + g);
      for (let part = 0; part < 2; part++) {
        const to = b * 64 + part * 32;
        const low = at + part * 64;
        for (let j = 0; j < 8; j++) {
          const first = raw.getInt32(low + 4 * j, true), second = raw.getInt32(low + 32 + 4 * j, true);
          const high = raw.getInt32(at + 128 + part * 32 + 4 * j, true);
          words[to + j] = (first & NIBBLE | high << 4 & FIFTH_AND_SIXTH) + 96 * BIT;
          words[to + j + 8] = (second & NIBBLE | high << 2 & FIFTH_AND_SIXTH) + 96 * BIT;
          words[to + j + 16] = (first >>> 4 & NIBBLE | high & FIFTH_AND_SIXTH) + 96 * BIT;
          words[to + j + 24] = (second >>> 4 & NIBBLE | high >>> 2 & FIFTH_AND_SIXTH) + 96 * BIT;
        }
      }
    }
  },
};
