// Seed-OSS (ByteDance, 2025): Llama with biases on q, k and v.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { layers } from "../spec/names.ts";
import { llama } from "./llama.ts";

export const seedOss: Architecture = {
  name: "seed_oss",
  gguf: "seed_oss",
  huggingFace: "seed_oss",
  tensors: llama.tensors,
  harmless: [/^attention_out_bias$/, /^residual_dropout$/],
  names: { gguf: layers("blk.N.", { "feedForward.norm": "post_attention_norm" }) },
  spec: (file) => decoderSpec(file, { name: "seed_oss", headSize: 128, rope: { interleaved: false } }),
};
