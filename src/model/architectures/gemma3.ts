// Gemma 3 Technical Report (2025, arXiv:2503.19786): five layers with a window to one without, each kind with a
// rotation of its own, q and k normalised. The text model only. Hugging Face stores gains less one.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { addOneToGains, GEMMA_NAMES, gemmaActivation, gemmaScale } from "./gemma-family.ts";
import { CORE, POST_NORMS, PRE_NORMS, QK_NORMS } from "../spec/names.ts";
import { windowRope } from "../spec/rope-config.ts";
import { layerWindows } from "../spec/windows.ts";

export const gemma3: Architecture = {
  name: "gemma3",
  gguf: "gemma3",
  huggingFace: "gemma3_text",
  multimodal: ["gemma3"],
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...PRE_NORMS, ...POST_NORMS, ...QK_NORMS],
  names: { huggingFace: GEMMA_NAMES },
  harmless: [/^hidden_act$/],
  // `text_config` of the published models tells little more than the sizes.
  defaults: {
    huggingFace: {
      num_attention_heads: 8,
      num_key_value_heads: 4,
      max_position_embeddings: 131072,
      rms_norm_eps: 1e-6,
      rope_theta: 1_000_000,
      sliding_window: 4096,
    },
  },
  spec(file) {
    const { hyper } = file;
    const every = hyper.integer(["sliding_window_pattern", "_sliding_window_pattern"], 6);
    const window = layerWindows(file, { windowed: (n) => (n + 1) % every !== 0 });
    const logitSoftcap = hyper.number(["final_logit_softcapping"], 0) || undefined;
    return decoderSpec(file, {
      name: "gemma3",
      headSize: 256,
      activation: gemmaActivation(file),
      rope: { interleaved: false, layerType: "full_attention" },
      attention: (n, common) => {
        const own = { ...window(n), scale: gemmaScale(file, common, 62) };
        if (own.window === undefined) return own;
        return { ...own, rope: windowRope(file, common.headSize, ["rope.freq_base_swa", "rope_local_base_freq"]) };
      },
      embeddingScale: Math.sqrt,
      logitSoftcap,
    });
  },
  rearrange: addOneToGains,
};
