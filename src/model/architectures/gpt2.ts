// GPT-2: Language Models are Unsupervised Multitask Learners (2019): learned positions, layer norms, biases everywhere.
// Hugging Face stores its matrices transposed.
import type { Architecture } from "../spec/architecture.ts";
import { activationOf, decoderSpec } from "../spec/decoder.ts";
import { layers, WITH_BIASES } from "../spec/names.ts";
import { splitQkv } from "../spec/packed.ts";
import { slice, transposed } from "../tensors/weights.ts";

export const gpt2: Architecture = {
  name: "gpt2",
  gguf: "gpt2",
  huggingFace: "gpt2",
  tensors: [
    "embed.weight",
    "positions.weight",
    "output.weight?",
    "norm.weight",
    "norm.bias",
    ...WITH_BIASES,
  ],
  names: {
    huggingFace: {
      "embed.weight": "transformer.wte.weight",
      "positions.weight": "transformer.wpe.weight",
      "norm.weight": "transformer.ln_f.weight",
      "norm.bias": "transformer.ln_f.bias",
      ...layers("transformer.h.N.", {
        "attention.norm": "ln_1",
        "attention.qkv": "attn.c_attn",
        "attention.output": "attn.c_proj",
        "feedForward.norm": "ln_2",
        "feedForward.up": "mlp.c_fc",
        "feedForward.down": "mlp.c_proj",
      }),
    },
  },
  config: {
    hidden_size: "n_embd",
    intermediate_size: "n_inner",
    num_hidden_layers: "n_layer",
    num_attention_heads: "n_head",
    max_position_embeddings: "n_positions",
    layer_norm_eps: "layer_norm_epsilon",
    hidden_act: "activation_function",
  },
  ignored: [/(^|\.)attn\.(bias|masked_bias)$/],
  spec(file) {
    const { hyper } = file;
    const scaled = hyper.flag(["scale_attn_weights"], true);
    const byLayer = hyper.flag(["scale_attn_by_inverse_layer_idx"], false);
    return decoderSpec(file, {
      name: "gpt2",
      norm: "layer",
      activation: activationOf(file, "gelu_new"),
      gated: false,
      hiddenIsFourfold: true,
      attention: (n, { scale }) => ({ scale: (scaled ? scale : 1) / (byLayer ? n + 1 : 1) }),
    });
  },
  rearrange(tensors, spec, file) {
    if (file.hyper.has("quantization_config")) {
      throw file.hyper.wrong("quantization_config", "quantised weights of GPT-2 are not supported", "take a GGUF file");
    }
    if (file.kind === "huggingFace") {
      for (const [name, tensor] of tensors) {
        if (/^layers\.\d+\..*(qkv|output|up|down)\.weight$/.test(name)) tensors.set(name, transposed(tensor));
      }
    }
    splitQkv(tensors, spec);
    const positions = tensors.get("positions.weight")!;
    // A shorter context was asked for.
    if (positions.shape[0] > spec.context) tensors.set("positions.weight", slice(positions, 0, spec.context));
  },
};
