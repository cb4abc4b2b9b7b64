// 2 OLMo 2 Furious (2024, arXiv:2501.00656): norms stand after the blocks; q and k are normalised over all heads.
// GGUF files of OLMo 3 (Allen Institute for AI, 2025) have the same name: three layers with a window to one without, and
// only those without scale their rotation.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { CORE, layers, POST_NORMS, QK_NORMS } from "../spec/names.ts";
import { plainRope } from "../spec/rope-config.ts";
import { layerWindows } from "../spec/windows.ts";

export const olmo2: Architecture = {
  name: "olmo2",
  gguf: "olmo2",
  huggingFace: "olmo2",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...POST_NORMS, ...QK_NORMS],
  names: {
    huggingFace: layers("model.layers.N.", {
      "attention.postNorm": "post_attention_layernorm",
      "feedForward.postNorm": "post_feedforward_layernorm",
    }),
  },
  spec(file) {
    // In config.json OLMo 3 goes by its own name, and OLMo 2 has no windows.
    const pattern = { every: 4, windowed: (n: number) => (n + 1) % 4 !== 0 };
    const window = file.kind === "gguf" ? layerWindows(file, pattern) : () => ({ window: undefined });
    return decoderSpec(file, {
      name: "olmo2",
      rope: { interleaved: false },
      attention(n, { headSize }) {
        const own = window(n);
        if (own.window === undefined) return own;
        return {
          ...own,
          rope: plainRope(file, headSize, file.hyper.positive(["rope.freq_base", "rope_theta"], 10000)),
        };
      },
    });
  },
};
