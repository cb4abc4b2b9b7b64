// 2 OLMo 2 Furious (2024, arXiv:2501.00656): norms stand after the blocks; q and k are normalised over all heads.
import type { Architecture } from "../architecture.ts";
import { decoderSpec } from "../decoder.ts";
import { CORE, layers, POST_NORMS, QK_NORMS } from "../names.ts";

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
  spec: (file) => decoderSpec(file, { name: "olmo2", rope: { interleaved: false } }),
};
