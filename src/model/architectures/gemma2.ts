// Gemma 2: Improving Open Language Models at a Practical Size (2024, arXiv:2408.00118): norms before and after each
// block, soft caps on scores and logits, every other layer with a window. Hugging Face stores gains less one.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { CORE, POST_NORMS, PRE_NORMS } from "../spec/names.ts";
import { addOneToGains, GEMMA_NAMES, gemmaActivation, gemmaScale } from "./gemma-family.ts";
import { layerWindows } from "../spec/windows.ts";

const CAPS = { attn_logit_softcapping: 50, final_logit_softcapping: 30 };

export const gemma2: Architecture = {
  name: "gemma2",
  gguf: "gemma2",
  huggingFace: "gemma2",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...PRE_NORMS, ...POST_NORMS],
  names: { huggingFace: GEMMA_NAMES },
  defaults: {
    huggingFace: { ...CAPS, sliding_window: 4096 },
    gguf: { ...CAPS, "attention.sliding_window": 4096 },
  },
  harmless: [/^hidden_act$/],
  spec(file) {
    const { hyper } = file;
    const window = layerWindows(file, { windowed: (n) => n % 2 === 0 });
    const softcap = hyper.number(["attn_logit_softcapping"], 0) || undefined;
    const logitSoftcap = hyper.number(["final_logit_softcapping"], 0) || undefined;
    return decoderSpec(file, {
      name: "gemma2",
      headSize: 256,
      activation: gemmaActivation(file),
      rope: { interleaved: false },
      attention: (n, common) => ({ ...window(n), softcap, scale: gemmaScale(file, common, 46) }),
      embeddingScale: Math.sqrt,
      logitSoftcap,
    });
  },
  rearrange: addOneToGains,
};
