// Codes of two bits, as Q2_K and TQ2_0 lay them.

const PAIRS = 0x03030303;

/** 256 elements from 64 bytes: each 32 bytes hold 128 elements, 32 in the lowest pair of bits, then 32 in the next. */
export function pairsOfBits(raw: DataView, at: number, add: number, words: Int32Array, to: number): void {
  const each = add * 0x01010101;
  for (let part = 0, place = to >> 2; part < 2; part++, at += 32, place += 32) {
    for (let j = 0; j < 8; j++) {
      const word = raw.getInt32(at + 4 * j, true);
      words[place + j] = (word & PAIRS) + each;
      words[place + j + 8] = (word >>> 2 & PAIRS) + each;
      words[place + j + 16] = (word >>> 4 & PAIRS) + each;
      words[place + j + 24] = (word >>> 6 & PAIRS) + each;
    }
  }
}
