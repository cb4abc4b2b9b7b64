// GPT-NeoX-20B: An Open-Source Autoregressive Language Model (2022, arXiv:2204.06745), also Pythia: attention and
// feed-forward side by side, a quarter of each head rotated. Hugging Face packs q, k, v head by head.
import type { Architecture } from "../spec/architecture.ts";
import { activationOf, decoderSpec } from "../spec/decoder.ts";
import { layers, WITH_BIASES } from "../spec/names.ts";
import { splitInterleavedQkv, splitQkv } from "../spec/packed.ts";

export const gptNeox: Architecture = {
  name: "gpt_neox",
  gguf: "gptneox",
  huggingFace: "gpt_neox",
  tensors: [
    "embed.weight",
    "output.weight?",
    "norm.weight",
    "norm.bias",
    ...WITH_BIASES.map((name) => /attention\.(qkv|output)\.bias$/.test(name) ? name + "?" : name),
  ],
  names: {
    huggingFace: {
      "embed.weight": "gpt_neox.embed_in.weight",
      "output.weight": "embed_out.weight",
      "norm.weight": "gpt_neox.final_layer_norm.weight",
      "norm.bias": "gpt_neox.final_layer_norm.bias",
      ...layers("gpt_neox.layers.N.", {
        "attention.norm": "input_layernorm",
        "attention.qkv": "attention.query_key_value",
        "attention.output": "attention.dense",
        "feedForward.norm": "post_attention_layernorm",
        "feedForward.up": "mlp.dense_h_to_4h",
        "feedForward.down": "mlp.dense_4h_to_h",
      }),
    },
  },
  config: { rope_theta: "rotary_emb_base", partial_rotary_factor: "rotary_pct" },
  ignored: [/(^|\.)attention\.(bias|masked_bias)$/],
  spec: (file) =>
    decoderSpec(file, {
      name: "gpt_neox",
      norm: "layer",
      activation: activationOf(file, "gelu"),
      gated: false,
      parallel: file.hyper.flag(["use_parallel_residual"], true),
      rope: { interleaved: false, fraction: 0.25 },
    }),
  rearrange(tensors, spec, file) {
    if (file.kind === "huggingFace") splitInterleavedQkv(tensors, spec, file);
    else splitQkv(tensors, spec);
  },
};
