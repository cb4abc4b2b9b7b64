// GGML's K-quants: blocks of 256 with scales that are quantised themselves.
import type { QuantFormat } from "./format.ts";
import { halfAt, halfTable } from "./half.ts";
import { pairsOfBits } from "./pairs.ts";

export const Q2_K: QuantFormat = {
  elements: 256,
  bytes: 84,
  group: 16,
  bits: 4,
  zero: 6,
  affine: true,
  half: false,
  unpack(raw, at, count, { codes, scales, offsets }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 84) {
      const d = halfAt(half, raw, at + 80);
      const least = halfAt(half, raw, at + 82);
      for (let g = 0; g < 16; g++) {
        scales[b * 16 + g] = d * (raw[at + g] & 15);
        offsets[b * 16 + g] = -least * (raw[at + g] >> 4);
      }
      pairsOfBits(raw, at + 16, 6, codes, b * 256);
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
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 110) {
      const d = halfAt(half, raw, at + 108);
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
  const d = halfAt(half, raw, at);
  const least = halfAt(half, raw, at + 2);
  for (let g = 0; g < 4; g++) {
    const first = raw[at + 4 + g], second = raw[at + 8 + g], rest = raw[at + 12 + g];
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

export const Q5_K: QuantFormat = {
  elements: 256,
  bytes: 176,
  group: 32,
  bits: 8,
  zero: 112,
  affine: true,
  half: false,
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

export const Q6_K: QuantFormat = {
  elements: 256,
  bytes: 210,
  group: 16,
  bits: 8,
  zero: 128,
  affine: false,
  half: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 210) {
      const d = halfAt(half, raw, at + 208);
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
