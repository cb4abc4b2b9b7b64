// 4-bit weights as GPTQ and AWQ pack them into integers of 32 bits, as tensors of type AFFINE4: the same numbers, in
// rows and blocks as every other type has them.
//
// GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers (2022, arXiv:2210.17323); AWQ:
// Activation-aware Weight Quantization (2023, arXiv:2306.00978). A weight is (code − zero)·scale; scales and zeros
// belong to a group of consecutive inputs, or, in GPTQ's activation order, to a group that `g_idx` names for each
// input. Those have no blocks and become float32.
import { HunchError } from "../../errors.ts";
import type { Hyper } from "../spec/hyper.ts";
import { safeFloats, type SafeTensor } from "../files/safetensors.ts";
import type { Tensor } from "./tensor.ts";
import { mxfp4Experts } from "./mxfp4.ts";
import type { PackedWeights } from "./packed-weights.ts";
import { computed, computedBytes } from "./weights.ts";

/** Throws HunchError("input") for a method of quantisation that is not supported. */
export function packedWeights(stored: ReadonlyMap<string, SafeTensor>, hyper: Hyper): PackedWeights {
  const tensors = new Map<string, Tensor>();
  const used = new Set<string>();
  const config = hyper.inside(["quantization_config"]);
  if (!config) return { tensors, used };
  const method = config.text(["quant_method"]);
  if (method === "mxfp4") return mxfp4Experts(stored);
  if (method !== "gptq" && method !== "awq") {
    const hint = "take the model in GPTQ, AWQ, safetensors without quantisation, or GGUF";
    throw config.wrong("quant_method", `weights quantised by ${method} are not supported`, hint);
  }
  if (config.integer(["bits", "w_bit"]) !== 4) throw config.wrong("bits", "only 4-bit weights are supported");
  const version = config.text(["version"], "gemm").toLowerCase();
  if (method === "awq" && version !== "gemm") throw config.wrong("version", `the packing ${version} is not supported`);
  const zeroOffset = method === "gptq" && config.text(["checkpoint_format"], "gptq") === "gptq" ? 1 : 0;
  for (const name of stored.keys()) {
    if (!name.endsWith(".qweight")) continue;
    const module = name.slice(0, -"qweight".length);
    const parts = new Parts(stored, module, method, zeroOffset);
    for (const part of parts.names) used.add(part);
    tensors.set(`${module}weight`, parts.tensor());
  }
  return { tensors, used };
}

/** Columns in the order in which AWQ packs eight of them, lowest bits first. */
const AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7];
const GPTQ_ORDER = [0, 1, 2, 3, 4, 5, 6, 7];
const BLOCK = 32;
const BLOCK_BYTES = 24;

/** The stored tensors of one matrix. Shapes are checked at once, contents read when they are asked for. */
class Parts {
  readonly names: string[];
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  readonly #codes: SafeTensor;
  readonly #zeros: SafeTensor;
  readonly #scales: SafeTensor;
  readonly #order: SafeTensor | undefined;

  constructor(
    stored: ReadonlyMap<string, SafeTensor>,
    readonly module: string,
    readonly method: "gptq" | "awq",
    readonly zeroOffset: number,
  ) {
    this.#codes = this.#part(stored, "qweight", ["I32"]);
    this.#zeros = this.#part(stored, "qzeros", ["I32"]);
    this.#scales = this.#part(stored, "scales", ["F16", "BF16", "F32"]);
    const order = stored.get(`${module}g_idx`);
    this.#order = order && this.#part(stored, "g_idx", ["I32"]);
    this.names = [this.#codes, this.#zeros, this.#scales, order].flatMap((part) => part?.name ?? []);
    if (this.#codes.shape.length !== 2) throw this.#wrong(this.#codes, "the tensor is not a matrix");
    const [rows, columns] = this.#codes.shape;
    this.inputs = method === "gptq" ? rows * 8 : rows;
    this.outputs = method === "gptq" ? columns : columns * 8;
    this.groups = this.#scales.shape[0];
    this.#expect(this.#scales, [this.groups, this.outputs]);
    this.#expect(this.#zeros, [this.groups, this.outputs / 8]);
    if (this.#order) this.#expect(this.#order, [this.inputs]);
    if (!(this.groups >= 1) || this.inputs % this.groups) {
      throw this.#wrong(this.#scales, `${this.groups} groups do not divide ${this.inputs} inputs`);
    }
  }

  tensor(): Tensor {
    const shape = [this.outputs, this.inputs];
    const name = `${this.module}weight`;
    const order = this.#groupOf();
    const perGroup = this.inputs / this.groups;
    const consecutive = order === undefined || order.every((group, i) => group === Math.floor(i / perGroup));
    if (consecutive && perGroup % BLOCK === 0) {
      return computedBytes(name, shape, "AFFINE4", () => this.#blocks(perGroup));
    }
    return computed(name, shape, () => this.#floats(order, perGroup));
  }

  /** [outputs, inputs / 32] blocks of AFFINE4. */
  #blocks(perGroup: number): Uint8Array<ArrayBuffer> {
    const { inputs, outputs } = this;
    const code = this.#reader();
    const { scales, zeros } = this.#groupValues();
    const perRow = inputs / BLOCK;
    const out = new Uint8Array(outputs * perRow * BLOCK_BYTES);
    const view = new DataView(out.buffer);
    const row = new Uint8Array(outputs * BLOCK);
    for (let block = 0; block < perRow; block++) {
      code(block * BLOCK, BLOCK, row);
      const group = Math.floor(block * BLOCK / perGroup) * outputs;
      for (let c = 0; c < outputs; c++) {
        let at = (c * perRow + block) * BLOCK_BYTES;
        const scale = scales[group + c];
        view.setFloat32(at, scale, true);
        view.setFloat32(at + 4, -zeros[group + c] * scale, true);
        at += 8;
        for (let j = 0, from = c * BLOCK; j < 16; j++, from++) out[at + j] = row[from] | row[from + 16] << 4;
      }
    }
    return out;
  }

  #floats(order: Int32Array | undefined, perGroup: number): Float32Array {
    const { inputs, outputs } = this;
    const code = this.#reader();
    const { scales, zeros } = this.#groupValues();
    const out = new Float32Array(outputs * inputs);
    const codes = new Uint8Array(outputs * 8);
    for (let from = 0; from < inputs; from += 8) {
      const count = Math.min(8, inputs - from);
      code(from, count, codes);
      for (let j = 0; j < count; j++) {
        const group = (order ? order[from + j] : Math.floor((from + j) / perGroup)) * outputs;
        for (let c = 0; c < outputs; c++) {
          out[c * inputs + from + j] = (codes[c * count + j] - zeros[group + c]) * scales[group + c];
        }
      }
    }
    return out;
  }

  /** Codes of `count` inputs from `from` on, [outputs, count]; both are multiples of 8 for GPTQ. */
  #reader(): (from: number, count: number, out: Uint8Array) => void {
    const words = new Int32Array(this.#codes.file.read(this.#codes.offset, this.#codes.bytes, this.#codes.name).buffer);
    const { outputs } = this;
    if (this.method === "gptq") {
      return (from, count, out) => {
        for (let row = 0; row < count / 8; row++) {
          const start = (from / 8 + row) * outputs;
          for (let c = 0; c < outputs; c++) {
            const word = words[start + c];
            const to = c * count + row * 8;
            for (let k = 0; k < 8; k++) out[to + k] = word >>> 4 * k & 15;
          }
        }
      };
    }
    const perRow = outputs / 8;
    return (from, count, out) => {
      for (let i = 0; i < count; i++) {
        for (let c8 = 0; c8 < perRow; c8++) {
          const word = words[(from + i) * perRow + c8];
          for (let k = 0; k < 8; k++) out[(c8 * 8 + AWQ_ORDER[k]) * count + i] = word >>> 4 * k & 15;
        }
      }
    };
  }

  /** Scales and zeros, [groups, outputs]. */
  #groupValues(): { scales: Float32Array; zeros: Uint8Array } {
    const { outputs, groups } = this;
    const scales = safeFloats(this.#scales);
    const words = new Int32Array(this.#zeros.file.read(this.#zeros.offset, this.#zeros.bytes, this.#zeros.name).buffer);
    const order = this.method === "awq" ? AWQ_ORDER : GPTQ_ORDER;
    const zeros = new Uint8Array(groups * outputs);
    words.forEach((word, i) => {
      for (let k = 0; k < 8; k++) zeros[i * 8 + order[k]] = (word >>> 4 * k & 15) + this.zeroOffset & 15;
    });
    return { scales, zeros };
  }

  /** The group of each input where the file tells it. */
  #groupOf(): Int32Array | undefined {
    const order = this.#order;
    if (!order) return undefined;
    const groups = new Int32Array(order.file.read(order.offset, order.bytes, order.name).buffer);
    if (!groups.every((group) => group >= 0 && group < this.groups)) {
      throw this.#wrong(order, `a group is not one of the ${this.groups}`);
    }
    return groups;
  }

  #part(stored: ReadonlyMap<string, SafeTensor>, suffix: string, types: readonly string[]): SafeTensor {
    const part = stored.get(this.module + suffix);
    if (!part) {
      const place = { file: [...stored.values()][0]?.file.path, field: this.module + suffix };
      throw new HunchError("input", "the model lacks a tensor", { ...place, hint: "the file is incomplete" });
    }
    if (!types.includes(part.dtype)) throw this.#wrong(part, `the tensor is ${part.dtype}, not ${types.join(" or ")}`);
    return part;
  }

  #expect(part: SafeTensor, shape: readonly number[]): void {
    if (part.shape.length === shape.length && part.shape.every((length, i) => length === shape[i])) return;
    throw this.#wrong(part, `the tensor is [${part.shape.join(", ")}], not [${shape.join(", ")}]`);
  }

  #wrong(part: SafeTensor, message: string): HunchError {
    return new HunchError("input", message, {
      file: part.file.path,
      field: part.name,
      hint: "the packing is not supported",
    });
  }
}
