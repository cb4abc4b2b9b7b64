// OLMoE: Open Mixture-of-Experts Language Models (2024, arXiv:2409.02060): q and k normalised over all heads; the experts'
// weights are shares among all.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { EXPERT_CORE, PRE_NORMS, QK_NORMS } from "../spec/names.ts";
import { splitExperts } from "../spec/packed.ts";

export const olmoe: Architecture = {
  name: "olmoe",
  gguf: "olmoe",
  huggingFace: "olmoe",
  tensors: [...EXPERT_CORE, ...PRE_NORMS, ...QK_NORMS],
  harmless: [/^(output_router_logits|router_aux_loss_coef)$/],
  spec(file) {
    const { hyper } = file;
    const clipped = ["attention.clamp_kqv", "clip_qkv"];
    if (hyper.number(clipped, 0) !== 0) {
      throw hyper.wrong(hyper.find(clipped)!.name, "queries and keys that are clipped are not supported");
    }
    const chosen = file.kind === "huggingFace" && hyper.flag(["norm_topk_prob"], false);
    return decoderSpec(file, {
      name: "olmoe",
      rope: { interleaved: false },
      experts: { share: chosen ? "chosen" : "all" },
    });
  },
  rearrange: splitExperts,
};
