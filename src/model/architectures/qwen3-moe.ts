// Qwen3's mixtures of experts (2025, arXiv:2505.09388): Qwen3 with experts in every layer, whose weights are shares among
// the chosen.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { EXPERT_CORE, PRE_NORMS, QK_NORMS } from "../spec/names.ts";
import { splitExperts } from "../spec/packed.ts";
import { layerWindows } from "../spec/windows.ts";

export const qwen3Moe: Architecture = {
  name: "qwen3_moe",
  gguf: "qwen3moe",
  huggingFace: "qwen3_moe",
  tensors: [...EXPERT_CORE, ...PRE_NORMS, ...QK_NORMS],
  // What layers without experts would be; the balance of experts in training.
  harmless: [
    /^qwen3moe\.feed_forward_length$/,
    /^(intermediate_size|use_qk_norm)$/,
    /^(output_router_logits|router_aux_loss_coef)$/,
  ],
  spec(file) {
    const { hyper } = file;
    const dense = hyper.find(["mlp_only_layers"])?.value ?? [];
    if (hyper.integer(["decoder_sparse_step"], 1) !== 1 || !Array.isArray(dense) || dense.length > 0) {
      throw hyper.wrong("mlp_only_layers", "layers without experts beside others with them are not supported");
    }
    const chosen = file.kind === "gguf" || hyper.flag(["norm_topk_prob"], false);
    return decoderSpec(file, {
      name: "qwen3_moe",
      headSize: 128,
      rope: { interleaved: false },
      attention: layerWindows(file),
      experts: { share: chosen ? "chosen" : "all" },
    });
  },
  rearrange: splitExperts,
};
