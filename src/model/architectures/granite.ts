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
    const embeddingScale = hyper.positive(["embedding_scale", "embedding_multiplier"], 1);
    const scale = hyper.positive(["attention.scale", "attention_multiplier"], 1);
    // In these files the key says whether there is a rotation at all: Granite 4 has models without.
    const rotated = hyper.flag(["rope.scaling.finetuned"], true);
    return decoderSpec(file, {
      name: "granite",
      rope: { interleaved: file.kind === "gguf" },
      attention: () => rotated ? { scale } : { scale, rope: undefined },
      embeddingScale: () => embeddingScale,
      residualScale: hyper.positive(["residual_scale", "residual_multiplier"], 1),
      logitScale: 1 / hyper.positive(["logit_scale", "logits_scaling"], 1),
    });
  },
};
