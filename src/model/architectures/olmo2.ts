// 2 OLMo 2 Furious (2024, arXiv:2501.00656): norms stand after the blocks; q and k are normalised over all heads.
// GGUF files of OLMo 3 (Allen Institute for AI, 2025) have the same name: three layers with a window to one without, and
// only those without scale their rotation.
import type { Architecture, ModelFile } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { CORE, POST_NORM_NAMES, POST_NORMS, QK_NORMS } from "../spec/names.ts";
import { windowRope } from "../spec/rope-config.ts";
import type { ModelSpec } from "../spec/spec.ts";
import { layerWindows } from "../spec/windows.ts";

export const olmo2: Architecture = {
  name: "olmo2",
  gguf: "olmo2",
  huggingFace: "olmo2",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...POST_NORMS, ...QK_NORMS],
  names: { huggingFace: POST_NORM_NAMES },
  spec: (file) => olmoSpec(file, "olmo2"),
};

export function olmoSpec(file: ModelFile, name: "olmo2" | "olmo3"): ModelSpec {
  // In config.json OLMo 3 goes by its own name, and OLMo 2 has no windows.
  const windows = file.kind === "gguf" || name === "olmo3";
  const window = windows ? layerWindows(file, { windowed: (n) => (n + 1) % 4 !== 0 }) : () => ({ window: undefined });
  return decoderSpec(file, {
    name,
    rope: { interleaved: false, layerType: windows ? "full_attention" : undefined },
    attention(n, { headSize }) {
      const own = window(n);
      if (own.window === undefined) return own;
      return { ...own, rope: windowRope(file, headSize, ["rope.freq_base_swa", "rope.freq_base", "rope_theta"]) };
    },
  });
}
