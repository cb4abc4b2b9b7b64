// Phi-3 Technical Report (2024, arXiv:2404.14219): Llama with q, k, v in one matrix and gate, up in another.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { layers, PRE_NORMS } from "../spec/names.ts";
import { splitGateUp, splitQkv } from "../spec/packed.ts";

export const phi3: Architecture = {
  name: "phi3",
  gguf: "phi3",
  huggingFace: "phi3",
  tensors: [
    "embed.weight",
    "output.weight?",
    "norm.weight",
    "layers.N.attention.qkv.weight",
    "layers.N.attention.output.weight",
    "layers.N.feedForward.gateUp.weight",
    "layers.N.feedForward.down.weight",
    ...PRE_NORMS,
  ],
  names: {
    huggingFace: layers("model.layers.N.", {
      "attention.qkv": "self_attn.qkv_proj",
      "feedForward.gateUp": "mlp.gate_up_proj",
    }),
    gguf: layers("blk.N.", { "feedForward.gateUp": "ffn_up" }),
  },
  spec(file) {
    const window = file.hyper.integer(["attention.sliding_window", "sliding_window"], 0);
    return decoderSpec(file, {
      name: "phi3",
      rope: { interleaved: false, fraction: 1 },
      attention: () => ({ window: window || undefined }),
    });
  },
  rearrange(tensors, spec) {
    splitQkv(tensors, spec);
    splitGateUp(tensors, spec);
  },
};
