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
  required: ["logit_scale"],
  // Converters write what Granite 4's recurrent layers and experts would be, for models without any.
  harmless: [/^granite\.ssm\./, /^granite\.expert_shared_feed_forward_length$/],
  // In these files the key says whether there is a rotation at all: Granite 4 has models without.
  spec: (file) => graniteSpec(file, "granite", file.hyper.flag(["rope.scaling.finetuned"], true)),
};

export function graniteSpec(file: ModelFile, name: string, rotated: boolean): ModelSpec {
  const { hyper } = file;
  const factor = (gguf: string, folder: string) => hyper.positive([file.kind === "gguf" ? gguf : folder], 1);
  const embeddingScale = factor("embedding_scale", "embedding_multiplier");
  const own = file.kind === "gguf" && !hyper.has("attention.scale") ? {} : {
    scale: factor("attention.scale", "attention_multiplier"),
  };
  return decoderSpec(file, {
    name,
    rope: { interleaved: file.kind === "gguf" },
    attention: () => rotated ? own : { ...own, rope: undefined },
    embeddingScale: () => embeddingScale,
    residualScale: factor("residual_scale", "residual_multiplier"),
    logitScale: 1 / factor("logit_scale", "logits_scaling"),
  });
}
