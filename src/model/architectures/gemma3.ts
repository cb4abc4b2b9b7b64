// Gemma 3 Technical Report (2025, arXiv:2503.19786): five layers with a window to one without, each kind with a
// rotation of its own, q and k normalised. The text model only. Hugging Face stores gains less one.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { addOneToGains, GEMMA_NAMES, gemmaActivation, gemmaScale } from "./gemma-family.ts";
import { CORE, POST_NORMS, PRE_NORMS, QK_NORMS } from "../spec/names.ts";
import { plainRope, readRope } from "../spec/rope-config.ts";
import { layerWindows } from "../spec/windows.ts";

export const gemma3: Architecture = {
  name: "gemma3",
  gguf: "gemma3",
  huggingFace: "gemma3_text",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...PRE_NORMS, ...POST_NORMS, ...QK_NORMS],
  names: { huggingFace: GEMMA_NAMES },
  spec(file) {
    const { hyper } = file;
    const every = hyper.integer(["sliding_window_pattern", "_sliding_window_pattern"], 6);
    const window = layerWindows(file, { every, windowed: (n) => (n + 1) % every !== 0 });
    const logitSoftcap = hyper.number(["final_logit_softcapping"], 0) || undefined;
    return decoderSpec(file, {
      name: "gemma3",
      headSize: 256,
      activation: gemmaActivation(file),
      rope: { interleaved: false, layerType: "full_attention" },
      attention: (n, common) => {
        const own = { ...window(n), scale: gemmaScale(file, common, 62) };
        return own.window === undefined ? own : { ...own, rope: localRope(common.headSize) };
      },
      embeddingScale: Math.sqrt,
      logitSoftcap,
    });

    function localRope(headSize: number) {
      if (hyper.has("rope_parameters")) {
        return readRope(file, headSize, { interleaved: false, layerType: "sliding_attention" }).spec;
      }
      return plainRope(file, headSize, hyper.positive(["rope.freq_base_swa", "rope_local_base_freq"], 10000));
    }
  },
  rearrange: addOneToGains,
};
