// Mistral 7B (2023, arXiv:2310.06825): Llama with a sliding window. In GGUF it goes by Llama's name.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { llama } from "./llama.ts";

export const mistral: Architecture = {
  name: "mistral",
  huggingFace: "mistral",
  multimodal: ["mistral3"],
  tensors: llama.tensors,
  defaults: { huggingFace: { sliding_window: 4096 } },
  spec(file) {
    const window = file.hyper.integer(["sliding_window"], 0);
    return decoderSpec(file, {
      name: "mistral",
      rope: { interleaved: false },
      attention: () => ({ window: window || undefined }),
    });
  },
};
