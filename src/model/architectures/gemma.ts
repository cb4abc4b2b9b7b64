// Gemma: Open Models Based on Gemini Research and Technology (2024, arXiv:2403.08295): Llama with larger heads, scaled
// embeddings and GELU (its approximation by tanh, also where old files say `gelu`). Hugging Face stores gains less one.
import type { Architecture } from "../spec/architecture.ts";
import { activationOf, decoderSpec } from "../spec/decoder.ts";
import { CORE, PRE_NORMS } from "../spec/names.ts";
import { addOneToGains } from "./gemma-family.ts";

export const gemma: Architecture = {
  name: "gemma",
  gguf: "gemma",
  huggingFace: "gemma",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...PRE_NORMS],
  harmless: [/^hidden_activation$/],
  spec: (file) =>
    decoderSpec(file, {
      name: "gemma",
      headSize: 256,
      activation: activationOf(file, "gelu_pytorch_tanh") === "silu" ? "silu" : "gelu-tanh",
      rope: { interleaved: false },
      embeddingScale: Math.sqrt,
    }),
  rearrange: addOneToGains,
};
