// ERNIE 4.5 (Baidu, 2025), the dense models: Llama with rotated pairs that are neighbours, in both formats.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { llama } from "./llama.ts";

export const ernie4_5: Architecture = {
  name: "ernie4_5",
  gguf: "ernie4_5",
  huggingFace: "ernie4_5",
  tensors: llama.tensors,
  harmless: [/^use_bias$/],
  spec: (file) => decoderSpec(file, { name: "ernie4_5", headSize: 128, rope: { interleaved: true, base: 500_000 } }),
};
