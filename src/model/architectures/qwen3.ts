// Qwen3 Technical Report (2025, arXiv:2505.09388): q and k are normalised head by head; no biases.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { layerWindows } from "../spec/windows.ts";
import { CORE, PRE_NORMS, QK_NORMS } from "../spec/names.ts";

export const qwen3: Architecture = {
  name: "qwen3",
  gguf: "qwen3",
  huggingFace: "qwen3",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...PRE_NORMS, ...QK_NORMS],
  spec(file) {
    return decoderSpec(file, {
      name: "qwen3",
      headSize: 128,
      rope: { interleaved: false },
      attention: layerWindows(file),
    });
  },
};
