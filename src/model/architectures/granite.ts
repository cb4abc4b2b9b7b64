// Granite 3 (IBM, 2024): Llama with four multipliers: on embeddings, scores, residuals and logits.
import type { Architecture, ModelFile } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import type { ModelSpec } from "../spec/spec.ts";
import { llama } from "./llama.ts";

export const granite: Architecture = {
  name: "granite",
  gguf: "granite",
  huggingFace: "granite",
  tensors: llama.tensors,
  // In these files the key says whether there is a rotation at all: Granite 4 has models without.
  spec: (file) => graniteSpec(file, "granite", file.hyper.flag(["rope.scaling.finetuned"], true)),
};

export function graniteSpec(file: ModelFile, name: string, rotated: boolean): ModelSpec {
  const { hyper } = file;
  const embeddingScale = hyper.positive(["embedding_scale", "embedding_multiplier"], 1);
  const scale = hyper.positive(["attention.scale", "attention_multiplier"], 1);
  return decoderSpec(file, {
    name,
    rope: { interleaved: file.kind === "gguf" },
    attention: () => rotated ? { scale } : { scale, rope: undefined },
    embeddingScale: () => embeddingScale,
    residualScale: hyper.positive(["residual_scale", "residual_multiplier"], 1),
    logitScale: 1 / hyper.positive(["logit_scale", "logits_scaling"], 1),
  });
}
