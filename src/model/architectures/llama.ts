// Llama: LLaMA: Open and Efficient Foundation Language Models (2023, arXiv:2302.13971), with grouped queries.
//
// GGUF stores the rows of q and k in another order, for a rotation of neighbouring pairs; it is told by `interleaved`.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { BIASES, CORE, PRE_NORMS } from "../spec/names.ts";

export const llama: Architecture = {
  name: "llama",
  gguf: "llama",
  huggingFace: "llama",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...PRE_NORMS, ...BIASES],
  spec(file) {
    const window = file.hyper.integer(["attention.sliding_window"], 0); // Mistral's files are Llama's in GGUF
    return decoderSpec(file, {
      name: "llama",
      rope: { interleaved: file.kind === "gguf" },
      attention: () => ({ window: window || undefined }),
    });
  },
};
