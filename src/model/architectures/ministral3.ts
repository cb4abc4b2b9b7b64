// Ministral 3 (Mistral AI, 2025): Mistral with YaRN, and scores that grow with the position from the original context on.
// That growth is not computed: a text may be as long as the original context. GGUF files of Mistral Small 3 have the same
// name.
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
    const spec = decoderSpec(file, {
      name: "ministral3",
      rope: { interleaved: file.kind === "gguf" },
      attention: () => ({ window: window || undefined }),
    });
    const rope = hyper.inside(["rope_parameters", "rope_scaling"]) ?? hyper;
    const growth = rope.number(["attention.temperature_scale", "llama_4_scaling_beta"], 0);
    if (growth === 0) return spec;
    const names = ["rope.scaling.original_context_length", "original_max_position_embeddings"];
    return { ...spec, context: Math.min(spec.context, rope.integer(names)) };
  },
};
