// Random weights in the blocks of GGML types, roughly normal with a standard deviation of 0.02, as they would be after
// training: values that overflow nowhere. A few megabytes are drawn and repeated, so that gigabytes are written at the
// speed of the disk.
import type { MixType } from "./mixes.ts";
import { halfTable } from "../../src/model/tensors/quants/half.ts";

const DEVIATION = 0.02;
/** Blocks that are drawn; then they repeat. */
const POOL = 8192;

export interface BlockType {
  /** Its number in GGUF. */
  readonly id: number;
  readonly name: string;
  /** Weights in a block, and its bytes. */
  readonly weights: number;
  readonly bytes: number;
  /** Puts scales into a block whose bytes are all random, so that its weights come out as they should. */
  scale(block: DataView, random: () => number): void;
}

const half = (at: number, value: number) => (block: DataView) => block.setUint16(at, nearestHalf(value), true);

export const F32: BlockType = {
  ...{ id: 0, name: "F32", weights: 1, bytes: 4 },
  scale: (block, random) => block.setFloat32(0, DEVIATION * normal(random), true),
};
const F16: BlockType = {
  ...{ id: 1, name: "F16", weights: 1, bytes: 2 },
  scale: (block, random) => block.setUint16(0, nearestHalf(DEVIATION * normal(random)), true),
};
/** 4 bits from −8 to 7. */
const Q4_0: BlockType = { id: 2, name: "Q4_0", weights: 32, bytes: 18, scale: half(0, DEVIATION / 4.6) };
/** 5 bits from −16 to 15. */
const Q5_0: BlockType = { id: 6, name: "Q5_0", weights: 32, bytes: 22, scale: half(0, DEVIATION / 9.2) };
const Q8_0: BlockType = { id: 8, name: "Q8_0", weights: 32, bytes: 34, scale: half(0, DEVIATION / 73.9) };
/** Eight scales and offsets of 6 bits: the mean of scale × 4 bits is that of the offset where d is 1/7.5 of dmin. */
const Q4_K: BlockType = {
  ...{ id: 12, name: "Q4_K", weights: 256, bytes: 144 },
  scale(block) {
    block.setUint16(0, nearestHalf(DEVIATION / 258), true);
    block.setUint16(2, nearestHalf(7.5 * DEVIATION / 258), true);
  },
};
/** 16 scales of 8 bits, here from 32 to 63, times 6 bits from −32 to 31. */
const Q6_K: BlockType = {
  ...{ id: 14, name: "Q6_K", weights: 256, bytes: 210 },
  scale(block, random) {
    for (let i = 192; i < 208; i++) block.setInt8(i, 32 + Math.floor(32 * random()));
    block.setUint16(208, nearestHalf(DEVIATION / 898), true);
  },
};

export const BLOCKS: Readonly<Record<MixType, BlockType>> = { F16, Q4_0, Q5_0, Q8_0, Q4_K, Q6_K };

/** [POOL] blocks of a type in a row. */
export function pool(type: BlockType, random: () => number): Uint8Array {
  const words = new Uint32Array(Math.ceil(POOL * type.bytes / 4)).map(() => Math.floor(random() * 2 ** 32));
  const bytes = new Uint8Array(words.buffer, 0, POOL * type.bytes);
  for (let i = 0; i < POOL; i++) type.scale(new DataView(bytes.buffer, i * type.bytes, type.bytes), random);
  return bytes;
}

/** Xorshift (Marsaglia, 2003): uniform numbers 0 ≤ u < 1 whose 32 bits are all as good as random. */
export function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Bits of the float16 nearest to a value below its greatest. */
export function nearestHalf(value: number): number {
  const table = halfTable();
  const wanted = Math.abs(value);
  let [low, high] = [0, 0x7bff];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (table[middle] <= wanted) low = middle;
    else high = middle;
  }
  const nearest = wanted - table[low] <= table[high] - wanted ? low : high;
  return value < 0 ? nearest | 0x8000 : nearest;
}
