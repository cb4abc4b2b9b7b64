// Command R7B (Cohere, 2024): attention and feed-forward side by side after one norm that subtracts the mean; three layers
// with a window and a rotation of neighbouring pairs to one without either.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { CORE } from "../spec/names.ts";
import { layerWindows } from "../spec/windows.ts";

export const cohere2: Architecture = {
  name: "cohere2",
  gguf: "cohere2",
  huggingFace: "cohere2",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", "layers.N.attention.norm.weight"],
  defaults: { huggingFace: { sliding_window: 4096 } },
  required: ["attention.sliding_window", "logit_scale"],
  // Published files describe the architecture once more.
  harmless: [
    /^(layer_switch|order_of_interleaved_layers|position_embedding_type|rotary_pct)$/,
    /^use_(embedding_sharing|gated_activation|parallel_block|parallel_embedding|qk_norm)$/,
  ],
  spec(file) {
    const every = file.hyper.integer(["sliding_window_pattern"], 4);
    const window = layerWindows(file, { windowed: (n) => (n + 1) % every !== 0 });
    return decoderSpec(file, {
      name: "cohere2",
      norm: "layer",
      parallel: true,
      rope: { interleaved: true },
      attention(n, { rope }) {
        const own = window(n);
        return { ...own, rope: own.window === undefined ? undefined : rope };
      },
      logitScale: file.hyper.positive(["logit_scale"], 0.0625),
    });
  },
  rearrange(tensors, spec) {
    spec.layers.forEach((_, n) =>
      tensors.set(`layers.${n}.feedForward.norm.weight`, tensors.get(`layers.${n}.attention.norm.weight`)!)
    );
  },
};
