// GGML's types whose codes stand for values of a table (IQ4, MXFP4), and ternary ones (TQ).
import { block32 } from "./block32.ts";
import type { QuantFormat } from "./format.ts";
import { halfAt, halfTable } from "./half.ts";
import { pairsOfBits } from "./pairs.ts";

/** IQ4's values, 128 added. */
const IQ4 = Uint8Array.of(1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241);
/** MXFP4's values (E2M1), doubled to be whole, 128 added. */
const E2M1 = Uint8Array.of(128, 129, 130, 131, 132, 134, 136, 140, 128, 127, 126, 125, 124, 122, 120, 116);

function lookup16(raw: DataView, at: number, table: Uint8Array, codes: Uint8Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const byte = raw.getUint8(at + j);
    codes[to + j] = table[byte & 15];
    codes[to + j + 16] = table[byte >> 4];
  }
}

export const IQ4_NL = block32(
  { bytes: 18, bits: 8, zero: 128 },
  (raw, at, { codes }, to) => lookup16(raw, at, IQ4, codes, to),
);

export const IQ4_XS: QuantFormat = {
  elements: 256,
  bytes: 136,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  half: false,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 136) {
      const d = halfAt(half, raw, at);
      const high = raw.getUint16(at + 2, true);
      for (let g = 0; g < 8; g++) {
        const low = raw.getUint8(at + 4 + (g >> 1)) >> (g & 1) * 4 & 15;
        scales[b * 8 + g] = d * ((low | (high >> g * 2 & 3) << 4) - 32);
        lookup16(raw, at + 8 + g * 16, IQ4, codes, b * 256 + g * 32);
      }
    }
  },
};

export const MXFP4: QuantFormat = {
  elements: 32,
  bytes: 17,
  group: 32,
  bits: 8,
  zero: 128,
  affine: false,
  half: false,
  unpack(raw, at, count, { codes, scales }) {
    for (let b = 0; b < count; b++, at += 17) {
      scales[b] = 2 ** (raw.getUint8(at) - 128);
      lookup16(raw, at + 1, E2M1, codes, b * 32);
    }
  },
};

/** Ternary digits, base 3: a byte is a fraction of 256, and multiplying it by 3^n brings digit n to the top. */
function ternary(raw: DataView, at: number, bytes: number, digits: number, codes: Uint8Array, to: number): void {
  let power = 1;
  for (let digit = 0; digit < digits; digit++, power *= 3) {
    for (let j = 0; j < bytes; j++) codes[to++] = ((raw.getUint8(at + j) * power & 255) * 3 >> 8) + 7;
  }
}

/** Groups of 32 as everywhere, though the whole block shares one scale. */
function repeatScale(d: number, scales: Float32Array, to: number): void {
  for (let g = 0; g < 8; g++) scales[to + g] = d;
}

export const TQ1_0: QuantFormat = {
  elements: 256,
  bytes: 54,
  group: 32,
  bits: 4,
  zero: 8,
  affine: false,
  half: true,
  unpack(raw, at, count, { codes, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 54) {
      repeatScale(halfAt(half, raw, at + 52), scales, b * 8);
      ternary(raw, at, 32, 5, codes, b * 256);
      ternary(raw, at + 32, 16, 5, codes, b * 256 + 160);
      ternary(raw, at + 48, 4, 4, codes, b * 256 + 240);
    }
  },
};

export const TQ2_0: QuantFormat = {
  elements: 256,
  bytes: 66,
  group: 32,
  bits: 4,
  zero: 8,
  affine: false,
  half: true,
  unpack(raw, at, count, { words, scales }) {
    const half = halfTable();
    for (let b = 0; b < count; b++, at += 66) {
      repeatScale(halfAt(half, raw, at + 64), scales, b * 8);
      pairsOfBits(raw, at, 7, words, b * 256);
    }
  },
};
