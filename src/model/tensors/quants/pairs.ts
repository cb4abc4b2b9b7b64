// Codes of two bits, as Q2_K and TQ2_0 lay them.

/** 256 elements from 64 bytes: each 32 bytes hold 128 elements, 32 in the lowest pair of bits, then 32 in the next. */
export function pairsOfBits(raw: Uint8Array, at: number, add: number, codes: Uint8Array, to: number): void {
  for (let part = 0; part < 2; part++, at += 32, to += 128) {
    for (let j = 0; j < 32; j++) {
      const byte = raw[at + j];
      codes[to + j] = (byte & 3) + add;
      codes[to + j + 32] = (byte >> 2 & 3) + add;
      codes[to + j + 64] = (byte >> 4 & 3) + add;
      codes[to + j + 96] = (byte >> 6) + add;
    }
  }
}
