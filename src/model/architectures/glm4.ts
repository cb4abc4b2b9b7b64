// GLM-4-0414 (Zhipu AI, 2025), the dense models: norms on both sides of a block, half of each head rotated in pairs of
// neighbours, gate and up in one matrix.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { layers, POST_NORMS, PRE_NORMS } from "../spec/names.ts";
import { splitGateUp } from "../spec/packed.ts";

export const glm4: Architecture = {
  name: "glm4",
  gguf: "glm4",
  huggingFace: "glm4",
  tensors: [
    "embed.weight",
    "output.weight?",
    "norm.weight",
    ...["q", "k", "v"].flatMap((part) => [`layers.N.attention.${part}.weight`, `layers.N.attention.${part}.bias?`]),
    "layers.N.attention.output.weight",
    "layers.N.feedForward.gateUp.weight",
    "layers.N.feedForward.down.weight",
    ...PRE_NORMS,
    ...POST_NORMS,
  ],
  names: {
    huggingFace: layers("model.layers.N.", {
      "attention.postNorm": "post_self_attn_layernorm",
      "feedForward.postNorm": "post_mlp_layernorm",
      "feedForward.gateUp": "mlp.gate_up_proj",
    }),
    gguf: layers("blk.N.", { "feedForward.gateUp": "ffn_up" }),
  },
  spec(file) {
    // GLM-4.1V's converter brings the pairs apart for the rotation by sections.
    const sections = file.hyper.numbers(["rope.dimension_sections"], 4);
    const interleaved = !sections || sections[0] <= 0 || sections[1] <= 0;
    return decoderSpec(file, { name: "glm4", headSize: 128, rope: { interleaved, fraction: 0.5 } });
  },
  rearrange: splitGateUp,
};
