// Ministral 3 (Mistral AI, 2025): Mistral with YaRN, and queries that grow with the position from the original context on.
// GGUF files of Mistral Small 3 have the same name.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { llama } from "./llama.ts";

export const ministral3: Architecture = {
  name: "ministral3",
  gguf: "mistral3",
  huggingFace: "ministral3",
  multimodal: ["mistral3"],
  tensors: llama.tensors,
  spec(file) {
    const { hyper } = file;
    const window = hyper.integer(["attention.sliding_window", "sliding_window"], 0);
    const rope = hyper.inside(["rope_parameters", "rope_scaling"]) ?? hyper;
    const beta = rope.number(["attention.temperature_scale", "llama_4_scaling_beta"], 0);
    const every = ["rope.scaling.original_context_length", "original_max_position_embeddings"];
    const growth = beta === 0 ? undefined : { beta, every: rope.integer(every) };
    return decoderSpec(file, {
      name: "ministral3",
      rope: { interleaved: file.kind === "gguf" },
      attention: () => ({ window: window || undefined, ...growth && { growth } }),
    });
  },
};
