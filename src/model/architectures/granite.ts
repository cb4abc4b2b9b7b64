// Granite 3 (IBM, 2024): Llama with four multipliers: on embeddings, scores, residuals and logits.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { llama } from "./llama.ts";

export const granite: Architecture = {
  name: "granite",
  gguf: "granite",
  huggingFace: "granite",
  tensors: llama.tensors,
  spec(file) {
    const { hyper } = file;
    const factor = (gguf: string, folder: string) => hyper.positive([file.kind === "gguf" ? gguf : folder], 1);
    const embeddingScale = factor("embedding_scale", "embedding_multiplier");
    const scale = factor("attention.scale", "attention_multiplier");
    // In these files the key says whether there is a rotation at all: Granite 4 has models without.
    const rotated = hyper.flag(["rope.scaling.finetuned"], true);
    return decoderSpec(file, {
      name: "granite",
      rope: { interleaved: file.kind === "gguf" },
      attention: () => rotated ? { scale } : { scale, rope: undefined },
      embeddingScale: () => embeddingScale,
      residualScale: factor("residual_scale", "residual_multiplier"),
      logitScale: 1 / factor("logit_scale", "logits_scaling"),
    });
  },
};
