// Rounds numbers to GGML's simplest block types and stores them so: 32 numbers of a row share a scale, and in Q4_1 an
// offset. For tests of engines that compute a file's own numbers.
import type { MemoryTensor } from "./memory-source.ts";

export type Packing = "F32" | "Q4_0" | "Q4_1" | "Q8_0";

const BLOCK = 32;
const BYTES = { Q4_0: 18, Q4_1: 20, Q8_0: 34 };

/** `shape` [rows, columns]; `values` comes back as stored. Rows that are not whole blocks stay F32, as in real files. */
export function pack(shape: readonly [number, number], values: Float32Array, type: Packing): MemoryTensor {
  if (type === "F32" || shape[1] % BLOCK !== 0) return { shape, values };
  const blocks = values.length / BLOCK;
  const bytes = new Uint8Array(blocks * BYTES[type]);
  const stored = new Float32Array(values.length);
  for (let block = 0; block < blocks; block++) {
    const numbers = values.subarray(block * BLOCK, (block + 1) * BLOCK);
    const view = new DataView(bytes.buffer, block * BYTES[type], BYTES[type]);
    stored.set(packBlock(numbers, type, view), block * BLOCK);
  }
  return { shape, values: stored, packed: { type, bytes } };
}

function packBlock(numbers: Float32Array, type: Exclude<Packing, "F32">, view: DataView): number[] {
  const largest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (type === "Q8_0") {
    const scale = putHalf(view, 0, largest / 127);
    return Array.from(numbers, (value, i) => {
      const level = clamp(Math.round(value / (scale || 1)), -127, 127);
      view.setInt8(2 + i, level);
      return level * scale;
    });
  }
  const scale = putHalf(view, 0, type === "Q4_0" ? largest / 7 : (high - low) / 15);
  const offset = type === "Q4_0" ? -8 * scale : putHalf(view, 2, low);
  const start = type === "Q4_0" ? 2 : 4;
  return Array.from(numbers, (value, i) => {
    const level = clamp(Math.round((value - offset) / (scale || 1)), 0, 15);
    const at = start + i % 16; // the low halves hold the first 16 numbers, the high halves the others
    view.setUint8(at, view.getUint8(at) | (i < 16 ? level : level << 4));
    return level * scale + offset;
  });
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value)) + 0; // codes know no negative zero
}

/** Writes a normal half-precision number near `value` and returns what was written. */
function putHalf(view: DataView, at: number, value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -14) return 0; // too small for these tests to matter: the block becomes zero
  const exponent = Math.floor(Math.log2(magnitude));
  const mantissa = Math.min(1023, Math.round((magnitude / 2 ** exponent - 1) * 1024));
  const sign = value < 0 ? 1 : 0;
  view.setUint16(at, sign << 15 | (exponent + 15) << 10 | mantissa, true);
  return (sign ? -1 : 1) * (1 + mantissa / 1024) * 2 ** exponent;
}
