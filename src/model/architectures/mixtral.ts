// Mixtral of Experts (2024, arXiv:2401.04088): Mistral with experts, whose weights are shares among the chosen. In GGUF it
// goes by Llama's name.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { EXPERT_CORE, layers, PRE_NORMS } from "../spec/names.ts";
import { splitExperts } from "../spec/packed.ts";

export const mixtral: Architecture = {
  name: "mixtral",
  gguf: "llama",
  isIt: (hyper) => hyper.integer(["expert_count"], 0) > 0,
  huggingFace: "mixtral",
  tensors: [...EXPERT_CORE, ...PRE_NORMS],
  names: {
    huggingFace: layers("model.layers.N.", {
      "feedForward.router": "block_sparse_moe.gate",
      "feedForward.experts.E.gate": "block_sparse_moe.experts.E.w1",
      "feedForward.experts.E.down": "block_sparse_moe.experts.E.w2",
      "feedForward.experts.E.up": "block_sparse_moe.experts.E.w3",
    }),
  },
  defaults: { huggingFace: { rope_theta: 1_000_000 } },
  harmless: [/^(output_router_logits|router_(aux_loss_coef|jitter_noise))$/],
  spec(file) {
    const window = file.hyper.integer(["attention.sliding_window", "sliding_window"], 0);
    return decoderSpec(file, {
      name: "mixtral",
      rope: { interleaved: file.kind === "gguf" },
      attention: () => ({ window: window || undefined }),
      experts: { share: "chosen" },
    });
  },
  rearrange: splitExperts,
};
