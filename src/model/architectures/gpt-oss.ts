// gpt-oss-120b & gpt-oss-20b Model Card (2025, arXiv:2508.10925): experts with biases and clamped gates, every other layer
// with a window, and for each head a score of what is attended to in vain. Hugging Face packs gates and ups in turn.
import type { Architecture, ModelFile } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { layers, PRE_NORMS, ROUTED } from "../spec/names.ts";
import { checkExperts, rowOf, splitExperts } from "../spec/packed.ts";
import type { ModelSpec } from "../spec/spec.ts";
import { layerWindows } from "../spec/windows.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { computed } from "../tensors/weights.ts";

const EXPERTS = "layers.N.feedForward.experts.";

/** Of a folder that tells none. */
const ROPE = {
  rope_type: "yarn",
  factor: 32,
  beta_fast: 32,
  beta_slow: 1,
  truncate: false,
  original_max_position_embeddings: 4096,
};

export const gptOss: Architecture = {
  name: "gpt_oss",
  gguf: "gpt-oss",
  huggingFace: "gpt_oss",
  tensors: [
    ...ROUTED,
    ...PRE_NORMS,
    "layers.N.attention.sinks",
    ...["q", "k", "v", "output"].map((part) => `layers.N.attention.${part}.bias`),
    "layers.N.feedForward.router.bias",
    ...["gate", "up", "gateUp", "down"].flatMap((part) => [`${EXPERTS}${part}.weight?`, `${EXPERTS}${part}.bias`]),
    ...["gate", "up", "down"].map((part) => `${EXPERTS}E.${part}.weight?`), // MXFP4 in a folder
  ],
  names: {
    gguf: layers("blk.N.", { "feedForward.norm": "post_attention_norm" }),
    huggingFace: {
      "layers.N.attention.sinks": "model.layers.N.self_attn.sinks",
      ...layers("model.layers.N.", { "feedForward.router": "mlp.router" }),
      [`${EXPERTS}gateUp.weight`]: "model.layers.N.mlp.experts.gate_up_proj",
      [`${EXPERTS}gateUp.bias`]: "model.layers.N.mlp.experts.gate_up_proj_bias",
      [`${EXPERTS}down.weight`]: "model.layers.N.mlp.experts.down_proj",
      [`${EXPERTS}down.bias`]: "model.layers.N.mlp.experts.down_proj_bias",
    },
  },
  defaults: { huggingFace: { sliding_window: 128, head_dim: 64 } },
  required: ["attention.sliding_window", "rope.freq_base"],
  harmless: [/^(output_router_logits|router_aux_loss_coef|initial_context_length)$/],
  spec(file) {
    const { hyper } = file;
    return decoderSpec(file, {
      name: "gpt_oss",
      rope: { interleaved: false, base: 150_000, truncate: false, parameters: ROPE },
      attention: layerWindows(file, { windowed: (n) => n % 2 === 0 }),
      experts: { share: "chosen" },
      clamp: { limit: hyper.positive(["swiglu_limit"], 7), alpha: hyper.positive(["swiglu_alpha"], 1.702) },
    });
  },
  rearrange(tensors, spec, file) {
    if (file.kind === "huggingFace") splitGates(tensors, spec, file);
    splitExperts(tensors, spec, file);
  },
};

/** Matrices that are not quantised are [experts, in, out]; columns of gate and up, and their biases, lie in turn. */
function splitGates(tensors: Map<string, Tensor>, spec: ModelSpec, file: ModelFile): void {
  spec.layers.forEach(({ feedForward: { experts } }, n) => {
    const block = `layers.${n}.feedForward.experts`;
    const take = (name: string, dimensions: number, parts: readonly string[]) => {
      const packed = tensors.get(`${block}.${name}`);
      if (!packed) return;
      checkExperts(packed, dimensions, experts!.count, file);
      tensors.delete(`${block}.${name}`);
      const kind = name.slice(name.indexOf("."));
      for (let expert = 0; expert < experts!.count; expert++) {
        parts.forEach((part, first) => {
          const own = dimensions === 2
            ? everySecond(packed, expert, first)
            : column(packed, expert, first, parts.length);
          tensors.set(`${block}.${expert}.${part}${kind}`, own);
        });
      }
    };
    take("gateUp.weight", 3, ["gate", "up"]);
    take("gateUp.bias", 2, ["gate", "up"]);
    take("down.weight", 3, ["down"]);
  });
}

function everySecond(packed: Tensor, expert: number, first: number): Tensor {
  const row = rowOf(packed, expert);
  return computed(packed.name, [row.shape[0] / 2], () => row.floats().filter((_, i) => i % 2 === first));
}

/** Every `step`th column of an expert's matrix from `first` on, as rows. */
function column(packed: Tensor, expert: number, first: number, step: number): Tensor {
  const [, inputs, outputs] = packed.shape;
  const rows = outputs / step;
  return computed(packed.name, [rows, inputs], () => {
    const values = packed.floats(expert * inputs, (expert + 1) * inputs);
    const at = (row: number, input: number) => values[input * outputs + row * step + first];
    return Float32Array.from({ length: rows * inputs }, (_, i) => at(Math.floor(i / inputs), i % inputs));
  });
}
