// Granite 4 (IBM, 2025), the dense models: Granite 3 with gate and up in one matrix, some without rotation. In GGUF they
// go by Granite 3's name; those with recurrent layers or experts are not supported.
import type { Architecture } from "../spec/architecture.ts";
import { layers, PRE_NORMS } from "../spec/names.ts";
import { splitGateUp } from "../spec/packed.ts";
import { graniteSpec } from "./granite.ts";

export const granite4: Architecture = {
  name: "granite4",
  huggingFace: "granitemoehybrid",
  tensors: [
    "embed.weight",
    "output.weight?",
    "norm.weight",
    ...["q", "k", "v", "output"].map((part) => `layers.N.attention.${part}.weight`),
    "layers.N.feedForward.gateUp.weight",
    "layers.N.feedForward.down.weight",
    ...PRE_NORMS,
  ],
  names: {
    huggingFace: layers("model.layers.N.", {
      "feedForward.gateUp": "shared_mlp.input_linear",
      "feedForward.down": "shared_mlp.output_linear",
    }),
  },
  config: { intermediate_size: "shared_intermediate_size" },
  harmless: [/^mamba_/, /^(time_step|num_experts|output_router|router_aux)_/],
  spec(file) {
    const { hyper } = file;
    const count = hyper.integer(["num_hidden_layers"]);
    const other = hyper.texts(["layer_types"], count)?.find((type) => !["attention", "full_attention"].includes(type));
    if (other !== undefined || !hyper.has("layer_types")) {
      const message = `layers of type ${other?.slice(0, 40) ?? "mamba"} are not supported`;
      throw hyper.wrong("layer_types", message, "use a dense Granite 4 model");
    }
    return graniteSpec(file, "granite4", hyper.text(["position_embedding_type"], "nope") === "rope");
  },
  rearrange: splitGateUp,
};
