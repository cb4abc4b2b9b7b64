// Experts of gpt-oss folders (gpt-oss Model Card, 2025, arXiv:2508.10925), in the OCP microscaling format MXFP4: for every 32
// neighbours of a row 16 bytes of codes and one of scale, in two tensors. GGML has the same numbers in blocks of 17 bytes:
// the scale first, then element j beside element j + 16, where these files have neighbours beside each other.
import { HunchError } from "../../errors.ts";
import type { SafeTensor } from "../files/safetensors.ts";
import type { PackedWeights } from "./packed-weights.ts";
import type { Tensor } from "./tensor.ts";
import { computedBytes } from "./weights.ts";

const CODES = 16;
const BLOCK = 32;

/** `….experts.gate_up_proj` and `….experts.down_proj`, taken apart into the matrices of each expert. */
export function mxfp4Experts(stored: ReadonlyMap<string, SafeTensor>): PackedWeights {
  const tensors = new Map<string, Tensor>();
  const used = new Set<string>();
  for (const [name, codes] of stored) {
    const match = /^(.*\.experts\.)(gate_up|down)_proj_blocks$/.exec(name);
    if (!match) continue;
    const scales = stored.get(name.replace(/_blocks$/, "_scales"));
    const [experts, rows, blocks, bytes] = codes.shape;
    const fits = codes.dtype === "U8" && codes.shape.length === 4 && bytes === CODES &&
      scales?.dtype === "U8" && scales.shape.join() === [experts, rows, blocks].join();
    if (!scales || !fits) {
      const message = `codes [${codes.shape.join(", ")}] and scales [${scales?.shape.join(", ") ?? ""}] are not MXFP4`;
      throw new HunchError("input", message, {
        file: codes.file.path,
        field: name,
        hint: "the file contradicts itself",
      });
    }
    used.add(name).add(scales.name);
    // Rows of gate and up lie in turn.
    const parts = match[2] === "down" ? ["down"] : ["gate", "up"];
    for (let expert = 0; expert < experts; expert++) {
      parts.forEach((part, first) => {
        const own = `${match[1]}${expert}.${part}_proj.weight`;
        const shape = [rows / parts.length, blocks * BLOCK];
        tensors.set(
          own,
          computedBytes(own, shape, "MXFP4", () => blocksOf(codes, scales, expert, first, parts.length)),
        );
      });
    }
  }
  return { tensors, used };
}

/** Every `step`th row of an expert from `first` on, as GGML's blocks. */
function blocksOf(codes: SafeTensor, scales: SafeTensor, expert: number, first: number, step: number): Uint8Array {
  const [, rows, blocks] = codes.shape;
  const count = rows * blocks;
  const from = codes.file.read(codes.offset + expert * count * CODES, count * CODES, codes.name);
  const exponents = scales.file.read(scales.offset + expert * count, count, scales.name);
  const out = new Uint8Array(count / step * (CODES + 1));
  let at = 0;
  for (let row = first; row < rows; row += step) {
    for (let block = row * blocks; block < (row + 1) * blocks; block++, at += CODES + 1) {
      out[at] = exponents[block];
      for (let j = 0; j < BLOCK; j++) {
        const code = from[block * CODES + (j >> 1)] >> (j & 1) * 4 & 15;
        out[at + 1 + j % CODES] |= code << (j < CODES ? 0 : 4);
      }
    }
  }
  return out;
}
