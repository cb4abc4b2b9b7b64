// Canonical tensor names (see spec.ts) as GGUF and Hugging Face files spell them. N stands for the layer's number, E
// for the expert's.

export type TensorNames = Readonly<Record<string, string>>;

/** GGUF has one spelling for every architecture. */
export const GGUF_NAMES: TensorNames = {
  "embed.weight": "token_embd.weight",
  "positions.weight": "position_embd.weight",
  "output.weight": "output.weight",
  "output.bias": "output.bias",
  "norm.weight": "output_norm.weight",
  "norm.bias": "output_norm.bias",
  ...layers("blk.N.", {
    "attention.norm": "attn_norm",
    "attention.qkv": "attn_qkv",
    "attention.q": "attn_q",
    "attention.k": "attn_k",
    "attention.v": "attn_v",
    "attention.output": "attn_output",
    "attention.qNorm": "attn_q_norm",
    "attention.kNorm": "attn_k_norm",
    "attention.postNorm": "post_attention_norm",
    "feedForward.norm": "ffn_norm",
    "feedForward.gate": "ffn_gate",
    "feedForward.up": "ffn_up",
    "feedForward.down": "ffn_down",
    "feedForward.postNorm": "post_ffw_norm",
    "feedForward.router": "ffn_gate_inp",
    "feedForward.experts.gate": "ffn_gate_exps",
    "feedForward.experts.up": "ffn_up_exps",
    "feedForward.experts.down": "ffn_down_exps",
  }),
  "layers.N.attention.sinks": "blk.N.attn_sinks.weight",
};

/** Hugging Face's names of Llama, which most architectures share. */
export const LLAMA_NAMES: TensorNames = {
  "embed.weight": "model.embed_tokens.weight",
  "output.weight": "lm_head.weight",
  "output.bias": "lm_head.bias",
  "norm.weight": "model.norm.weight",
  ...layers("model.layers.N.", {
    "attention.norm": "input_layernorm",
    "attention.q": "self_attn.q_proj",
    "attention.k": "self_attn.k_proj",
    "attention.v": "self_attn.v_proj",
    "attention.output": "self_attn.o_proj",
    "attention.qNorm": "self_attn.q_norm",
    "attention.kNorm": "self_attn.k_norm",
    "feedForward.norm": "post_attention_layernorm",
    "feedForward.gate": "mlp.gate_proj",
    "feedForward.up": "mlp.up_proj",
    "feedForward.down": "mlp.down_proj",
    "feedForward.router": "mlp.gate",
    "feedForward.experts.E.gate": "mlp.experts.E.gate_proj",
    "feedForward.experts.E.up": "mlp.experts.E.up_proj",
    "feedForward.experts.E.down": "mlp.experts.E.down_proj",
  }),
};

/** Names of both `weight` and `bias` under a layer's prefix. */
export function layers(prefix: string, modules: TensorNames): TensorNames {
  const entries = Object.entries(modules).flatMap(([canonical, module]) =>
    ["weight", "bias"].map((part) => [`layers.N.${canonical}.${part}`, `${prefix}${module}.${part}`])
  );
  return Object.fromEntries(entries);
}

const ATTENDING = [
  "embed.weight",
  "output.weight?",
  "norm.weight",
  ...["q", "k", "v", "output"].map((part) => `layers.N.attention.${part}.weight`),
];

/** The tensors of a Llama layer that every architecture with separate projections has. */
export const CORE = [...ATTENDING, "layers.N.feedForward.up.weight", "layers.N.feedForward.down.weight"];

/** The same with a router in place of the feed-forward. */
export const ROUTED = [...ATTENDING, "layers.N.feedForward.router.weight"];

/** The same with the router's experts: each by itself (Hugging Face), or all in one (GGUF, see splitExperts). */
export const EXPERT_CORE = [
  ...ROUTED,
  ...["gate", "up", "down"].flatMap((part) =>
    ["experts.E", "experts"].map((experts) => `layers.N.feedForward.${experts}.${part}.weight`)
  ),
];

/** Tensors that files have and engines don't need: they follow from the hyper-parameters, or are read with them. */
export const IGNORED = [
  /(^|\.)rotary_emb\.inv_freq$/,
  /^rope_(freqs|factors_long|factors_short)\.weight$/,
];

const PROJECTION_BIASES = ["q", "k", "v", "output"].map((part) => `layers.N.attention.${part}.bias?`);

/** Biases that some files of Llama's kind have. */
export const BIASES = [
  ...PROJECTION_BIASES,
  ...["gate", "up", "down"].map((part) => `layers.N.feedForward.${part}.bias?`),
];

export const PRE_NORMS = ["layers.N.attention.norm.weight", "layers.N.feedForward.norm.weight"];
export const POST_NORMS = ["layers.N.attention.postNorm.weight", "layers.N.feedForward.postNorm.weight"];
/** Hugging Face's names of the norms after the blocks, where none stands before them. */
export const POST_NORM_NAMES = layers("model.layers.N.", {
  "attention.postNorm": "post_attention_layernorm",
  "feedForward.postNorm": "post_feedforward_layernorm",
});
export const QK_NORMS = ["layers.N.attention.qNorm.weight", "layers.N.attention.kNorm.weight"];

/** A layer of GPT-2's kind: packed q, k, v; no gate; weight and bias of everything. */
export const WITH_BIASES = ["attention.norm", "attention.qkv", "attention.output"]
  .concat(["feedForward.norm", "feedForward.up", "feedForward.down"])
  .flatMap((module) => [`layers.N.${module}.weight`, `layers.N.${module}.bias`]);
