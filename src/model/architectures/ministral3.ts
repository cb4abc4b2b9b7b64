// Ministral 3 (Mistral AI, 2025): Mistral with YaRN, and queries that grow with the position from the original context on.
// GGUF files of Mistral Small 3 have the same name.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { fromRecord } from "../spec/hyper.ts";
import { llama } from "./llama.ts";

/** Of a folder that tells none. */
const ROPE = {
  type: "yarn",
  rope_theta: 1_000_000,
  factor: 16,
  original_max_position_embeddings: 16384,
  beta_fast: 32,
  beta_slow: 1,
  mscale: 1,
  mscale_all_dim: 1,
  llama_4_scaling_beta: 0.1,
};

export const ministral3: Architecture = {
  name: "ministral3",
  gguf: "mistral3",
  huggingFace: "ministral3",
  multimodal: ["mistral3"],
  tensors: llama.tensors,
  defaults: { huggingFace: { head_dim: 128 } },
  spec(file) {
    const { hyper } = file;
    const window = hyper.integer(["attention.sliding_window", "sliding_window"], 0);
    const rope = hyper.inside(["rope_parameters", "rope_scaling"]) ??
      (file.kind === "gguf" ? hyper : fromRecord(file.path, ROPE));
    const beta = rope.number(["attention.temperature_scale", "llama_4_scaling_beta"], 0);
    const every = ["rope.scaling.original_context_length", "original_max_position_embeddings"];
    const growth = beta === 0 ? undefined : { beta, every: rope.integer(every) };
    return decoderSpec(file, {
      name: "ministral3",
      rope: { interleaved: file.kind === "gguf", parameters: ROPE },
      attention: () => ({ window: window || undefined, ...growth && { growth } }),
    });
  },
};
