// Qwen2 Technical Report (2024, arXiv:2407.10671): Llama with biases on q, k and v.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { layerWindows } from "../spec/windows.ts";
import { CORE, PRE_NORMS } from "../spec/names.ts";

export const qwen2: Architecture = {
  name: "qwen2",
  gguf: "qwen2",
  huggingFace: "qwen2",
  tensors: [
    ...CORE,
    "layers.N.feedForward.gate.weight",
    ...PRE_NORMS,
    ...["q", "k", "v"].map((part) => `layers.N.attention.${part}.bias`),
  ],
  spec(file) {
    return decoderSpec(file, { name: "qwen2", rope: { interleaved: false }, attention: layerWindows(file) });
  },
};
