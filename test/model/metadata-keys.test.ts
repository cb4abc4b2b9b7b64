// Each metadata key that converters write (gguf-py's list of them, and llama.cpp's conversion/*.py), one at a time: the
// model is what its folder is with the same in config.json, or the key is named, as ignored or in a refusal.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { describeGguf } from "../../src/model/files/gguf-source.ts";
import { type GgufFile, readGguf } from "../../src/model/files/gguf.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSpec } from "../../src/model/spec/spec.ts";
import { folderWith, type Json, readConfig } from "./support/folder.ts";

const MODELS = [
  "llama",
  "qwen2",
  "qwen3",
  "phi3",
  "gpt_neox",
  "gpt2",
  "gemma2",
  "gemma3",
  "olmo2",
  "smollm3",
  "granite",
]
  .concat([
    "gemma",
    "olmo3",
    "granite4",
    "seed_oss",
    "ernie4_5",
    "exaone4",
    "glm4",
    "cohere2",
    "ministral3",
    "qwen2_vl",
  ])
  .concat(["qwen3_vl", "mixtral", "olmoe", "qwen3_moe", "gpt_oss"]);

/**
 * Keys of a decoder's arithmetic, with a value that says something. `rope.scaling.original_context_length` says nothing
 * without a scaling and is below with one.
 */
const KEYS: readonly (readonly [key: string, value: unknown])[] = [
  ["attention.causal", false],
  ["attention.clamp_kqv", 2],
  ["attention.group_norm_epsilon", 1e-5],
  ["attention.indexer.head_count", 4],
  ["attention.key_length_mla", 8],
  ["attention.key_length_swa", 4],
  ["attention.kv_lora_rank", 4],
  ["attention.layer_norm_epsilon", 1e-2],
  ["attention.layer_norm_rms_epsilon", 1e-2],
  ["attention.max_alibi_bias", 8],
  ["attention.output_scale", 2],
  ["attention.q_lora_rank", 4],
  ["attention.relative_buckets_count", 32],
  ["attention.scale", 0.5],
  ["attention.shared_kv_layers", 1],
  ["attention.sliding_window", 6],
  ["attention.temperature_length", 16],
  ["attention.temperature_scale", 0.5],
  ["attention.value_length", 5],
  ["attention.value_length_swa", 4],
  ["attn_logit_softcapping", 2],
  ["deepstack_mapping", Int32Array.of(-1, 1)],
  ["embedding_length_out", 24],
  ["embedding_length_per_layer_input", 8],
  ["embedding_scale", 3],
  ["expert_count", 7],
  ["expert_feed_forward_length", 8],
  ["expert_shared_count", 1],
  ["expert_used_count", 3],
  ["expert_weights_scale", 2],
  ["final_logit_softcapping", 2],
  ["full_attention_interval", 2],
  ["interleave_moe_layer_step", 2],
  ["leading_dense_block_count", 1],
  ["logit_scale", 8],
  ["nextn_predict_layers", 1],
  ["pooling_type", 1],
  ["residual_scale", 0.7],
  ["rope.dimension_count", 2],
  ["rope.dimension_count_swa", 4],
  ["rope.dimension_sections", Int32Array.of(2, 1, 1, 0)],
  ["rope.freq_base", 500],
  ["rope.freq_base_swa", 500],
  ["rope.scale_linear", 2],
  ["rope.scaling.alpha", 2],
  ["rope.scaling.attn_factor", 2],
  ["rope.scaling.factor", 2],
  ["rope.scaling.type", "longrope"],
  ["rope.scaling.yarn_attn_factor", 2],
  ["rope.scaling.yarn_beta_fast", 0.5],
  ["rope.scaling.yarn_beta_slow", 0.01],
  ["rope.scaling.yarn_ext_factor", 0.5],
  ["rope.scaling.yarn_log_multiplier", 0.5],
  ["ssm.conv_kernel", 4],
  ["swiglu_clamp_exp", Float32Array.of(7)],
  ["use_parallel_residual", false],
  ["wkv.head_size", 8],
];

/** What is read and changes nothing, as in transformers. */
const WITHOUT_EFFECT: Readonly<Record<string, readonly string[]>> = {
  granite4: ["ssm.conv_kernel"], // of layers that would be recurrent, and none is
  cohere2: ["rope.scale_linear", "rope.scaling.factor"], // the file's scaling is of type `none`
  ministral3: ["attention.temperature_scale"], // beyond the original context, where it is not opened
  qwen2_vl: ["rope.dimension_sections"], // one position in a text
  qwen3_vl: ["rope.dimension_sections"],
  glm4: ["rope.dimension_sections"], // tells how rows lie, which is not compared here
};

/** Metadata and what config.json says for the same, for the models that have such a field. */
const SAME: readonly (readonly [models: readonly string[], metadata: Json, config: (own: Json) => Json])[] = [
  [["gemma2", "gemma3", "phi3"], { "attention.sliding_window": 6 }, () => ({ sliding_window: 6 })],
  [["gemma2"], { attn_logit_softcapping: 2 }, () => ({ attn_logit_softcapping: 2 })],
  [["gemma2", "gemma3"], { final_logit_softcapping: 2 }, () => ({ final_logit_softcapping: 2 })],
  [["granite"], { "attention.scale": 0.5 }, () => ({ attention_multiplier: 0.5 })],
  [["granite"], { embedding_scale: 3 }, () => ({ embedding_multiplier: 3 })],
  [["granite"], { residual_scale: 0.7 }, () => ({ residual_multiplier: 0.7 })],
  [["granite"], { logit_scale: 8 }, () => ({ logits_scaling: 8 })],
  [["gpt_neox"], { use_parallel_residual: false }, () => ({ use_parallel_residual: false })],
  [
    ["gpt_neox", "gpt2"],
    { "attention.layer_norm_epsilon": 0.5 },
    () => ({ layer_norm_eps: 0.5, layer_norm_epsilon: 0.5 }),
  ],
  [["gpt_neox"], { "rope.dimension_count": 8 }, (own) => rope(own, { partial_rotary_factor: 0.5 })],
  [["phi3"], { "rope.dimension_count": 6 }, (own) => rope(own, { partial_rotary_factor: 0.5 })],
  [["gemma3"], { "rope.freq_base_swa": 500 }, (own) => layerRope(own, { rope_theta: 500 })],
  [plain(), { "attention.layer_norm_rms_epsilon": 0.5 }, () => ({ rms_norm_eps: 0.5 })],
  [plain(), { "rope.freq_base": 500 }, (own) => rope(own, { rope_theta: 500 })],
  [
    plain(),
    { "rope.scaling.type": "linear", "rope.scaling.factor": 4 },
    (own) => rope(own, { rope_type: "linear", factor: 4 }),
  ],
  [plain(), { "rope.scaling.type": "linear", "rope.scaling.factor": 0 }, (own) => rope(own, {})],
  [plain(), yarnKeys({}), (own) => rope(own, yarn({}))],
  [plain(), yarnKeys({ yarn_attn_factor: 1.5 }), (own) => rope(own, yarn({ attention_factor: 1.5 }))],
  [plain(), yarnKeys({ attn_factor: 1.5 }), (own) => rope(own, yarn({ attention_factor: 1.5 }))],
  [
    plain(),
    yarnKeys({ yarn_beta_fast: 8, yarn_beta_slow: 0.5 }),
    (own) => rope(own, yarn({ beta_fast: 8, beta_slow: 0.5 })),
  ],
];

function plain(): string[] {
  return ["llama", "qwen2", "qwen3", "olmo2", "granite"];
}

function rope({ rope_parameters }: Json, changes: Json): Json {
  return { rope_parameters: { ...rope_parameters as Json, ...changes } };
}

function layerRope({ rope_parameters }: Json, changes: Json): Json {
  const { sliding_attention: own } = rope_parameters as { sliding_attention: Json };
  return { rope_parameters: { ...rope_parameters as Json, sliding_attention: { ...own, ...changes } } };
}

function yarn(changes: Json): Json {
  return { rope_type: "yarn", factor: 4, original_max_position_embeddings: 64, ...changes };
}

function yarnKeys(changes: Json): Json {
  const keys = { type: "yarn", factor: 4, original_context_length: 64, ...changes };
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [`rope.scaling.${key}`, value]));
}

function ggufOf(model: string): string {
  const [found] = ["f32", "f16"].map((type) => `test/fixtures/tiny/gguf/${model}-${type}.gguf`).filter(existsSync);
  return found;
}

/** The description of a file whose metadata say `changes` besides, or the complaint. */
function described({ metadata, tensors, file }: GgufFile, changes: Json) {
  const architecture = metadata.get("general.architecture");
  const own = Object.entries(changes).map(([key, value]) => [`${architecture}.${key}`, value] as const);
  try {
    const { spec, ignored } = describeGguf(file.path, new Map<string, unknown>([...metadata, ...own]), tensors);
    return { spec, said: ignored.join() };
  } catch (error) {
    if (error instanceof HunchError) return { said: error.line };
    throw error;
  }
}

/** Numbers rounded to float32's digits; without how rows lie, which the formats do differently, and the context. */
function comparable(spec: ModelSpec | undefined): string {
  return JSON.stringify(spec, (key, item) => {
    if (key === "interleaved" || key === "context") return undefined;
    if (item instanceof Float64Array) return [...item].map((value) => value.toPrecision(6));
    return typeof item === "number" ? Number(item.toPrecision(6)) : item;
  });
}

for (const model of MODELS) {
  test(`each metadata key changes ${model} or is named`, () => {
    const file = readGguf(ggufOf(model));
    const plain = comparable(described(file, {}).spec);
    const silent = KEYS.filter(([key, value]) => {
      if (WITHOUT_EFFECT[model]?.includes(key)) return false;
      // Converters write what Granite 4's recurrent layers would be for models without any; tensors of them are refused.
      if (model === "granite" && key.startsWith("ssm.")) return false;
      const { spec, said } = described(file, { [key]: value });
      return !said.includes(key) && comparable(spec) === plain;
    });
    file.file.close();
    assert.deepEqual(silent, []);
  });

  test(`metadata keys make ${model} what the same in config.json makes it`, async () => {
    const file = readGguf(ggufOf(model));
    const own = readConfig(`test/fixtures/tiny/${model}`);
    const before = comparable(described(file, {}).spec);
    for (const [models, metadata, config] of SAME) {
      if (!models.includes(model)) continue;
      const folder = await openModel(folderWith({ ...own, ...config(own) }, `test/fixtures/tiny/${model}`));
      folder.close();
      const { spec, said } = described(file, metadata);
      assert.equal(said, "");
      assert.equal(comparable(spec), comparable(folder.spec), JSON.stringify(metadata));
      const neutral = metadata["rope.scaling.factor"] === 0;
      assert.equal(comparable(spec) === before, neutral, JSON.stringify(metadata));
    }
    file.file.close();
  });
}
