// What a file leaves out means what transformers (folders) or llama.cpp (GGUF) take for it, or the file is refused by the
// name of what it lacks. The defaults stand here as they stand in those programs.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { HunchError } from "../../src/errors.ts";
import { describeGguf } from "../../src/model/files/gguf-source.ts";
import { readGguf } from "../../src/model/files/gguf.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSpec } from "../../src/model/spec/spec.ts";
import { folderWith, type Json, readConfig } from "./support/folder.ts";

const fixture = (name: string) => `test/fixtures/tiny/${name}`;

function textOf(config: Json): Json {
  return (config.text_config ?? config) as Json;
}

/** The spec of the folder with these fields, those that are undefined left out, in a context that shows every window. */
async function folderSpec(model: string, changes: Json): Promise<ModelSpec> {
  const config = structuredClone(readConfig(fixture(model)));
  Object.assign(textOf(config), { max_position_embeddings: 8192, ...changes });
  const source = await openModel(folderWith(config, fixture(model)));
  source.close();
  return source.spec;
}

function ggufSpec(model: string, changes: Json): ModelSpec {
  const { file, metadata, tensors } = readGguf(`test/fixtures/tiny/gguf/${model}.gguf`);
  const told = new Map<string, unknown>(metadata), prefix = metadata.get("general.architecture");
  const context = tensors.has("position_embd.weight") ? {} : { context_length: 8192 };
  for (const [key, value] of Object.entries({ ...context, ...changes })) {
    if (value === undefined) told.delete(`${prefix}.${key}`);
    else told.set(`${prefix}.${key}`, value);
  }
  try {
    return describeGguf(file.path, told, tensors).spec;
  } finally {
    file.close();
  }
}

const YARN = { rope_type: "yarn", beta_fast: 32, beta_slow: 1 };
const GPT_OSS = { ...YARN, factor: 32, truncate: false, original_max_position_embeddings: 4096, rope_theta: 150_000 };
const MINISTRAL = {
  ...YARN,
  factor: 16,
  original_max_position_embeddings: 16384,
  rope_theta: 1_000_000,
  mscale: 1,
  mscale_all_dim: 1,
  llama_4_scaling_beta: 0.1,
};
const both = (rope_theta: number) => ({
  full_attention: { rope_type: "default", rope_theta },
  sliding_attention: { rope_type: "default", rope_theta },
});

/** Fields of a folder, and what transformers' configuration classes (5.x) have where they are absent. */
const FOLDERS: readonly (readonly [model: string, defaults: Json])[] = [
  ["gemma2", { attn_logit_softcapping: 50 }],
  ["gemma2", { final_logit_softcapping: 30 }],
  ["gemma2", { sliding_window: 4096 }],
  ["gemma3", { sliding_window: 4096 }],
  ["gemma3-images", { sliding_window: 4096 }],
  ["olmo3", { sliding_window: 4096 }],
  ["olmo3", { rope_parameters: both(500_000) }],
  ["exaone4", { sliding_window: 4096 }],
  ["cohere2", { sliding_window: 4096 }],
  ["mistral-window", { sliding_window: 4096 }],
  ["mistral-images", { sliding_window: 4096 }],
  ["mixtral", { rope_parameters: { rope_type: "default", rope_theta: 1_000_000 } }],
  ["gpt_oss", { sliding_window: 128 }],
  ["gpt_oss", { rope_parameters: GPT_OSS }],
  ["ministral3", { rope_parameters: MINISTRAL }],
];

for (const [model, defaults] of FOLDERS) {
  const [name] = Object.keys(defaults);
  const own = textOf(readConfig(fixture(model)))[name];
  test(`${model}: a folder without ${name} has transformers' default`, async () => {
    const plain = await folderSpec(model, {});
    const absent = await folderSpec(model, { [name]: undefined });
    assert.deepEqual(absent, await folderSpec(model, defaults));
    if (!isDeepStrictEqual(own, defaults[name])) assert.notDeepEqual(absent, plain);
  });
}

test("null is none, not the default", async () => {
  const windows = ({ layers }: ModelSpec) => layers.map(({ attention }) => attention.window).filter(Boolean);
  for (const model of ["gemma2", "gemma3-images", "mistral-window", "mistral-images", "exaone4", "gpt_oss"]) {
    assert.deepEqual(windows(await folderSpec(model, { sliding_window: null })), [], model);
  }
  const uncapped = await folderSpec("gemma2", { attn_logit_softcapping: null, final_logit_softcapping: null });
  assert.deepEqual([uncapped.logitSoftcap, uncapped.layers[0].attention.softcap], [undefined, undefined]);
});

test("Ministral 3's heads have 128 numbers where the folder does not tell", async () => {
  await assert.rejects(folderSpec("ministral3", { head_dim: undefined }), /ask for \[512, 32\]/);
});

test("YaRN's ramp is rounded in a gpt-oss folder that does not say otherwise", async () => {
  const { truncate: _, ...rope } = textOf(readConfig(fixture("gpt_oss"))).rope_parameters as Json;
  const absent = await folderSpec("gpt_oss", { rope_parameters: rope });
  assert.deepEqual(absent, await folderSpec("gpt_oss", { rope_parameters: { ...rope, truncate: true } }));
  assert.notDeepEqual(absent, await folderSpec("gpt_oss", {}));
});

test("a scaling that no kind of layers is named for is refused", async () => {
  for (const model of ["olmo3", "gemma3"]) {
    const rope_parameters = { rope_theta: 10_000, rope_type: "linear", factor: 4 };
    await assert.rejects(folderSpec(model, { rope_parameters }), refusal("rope_parameters"));
  }
});

/** What llama.cpp has where a key is absent; a function where that depends on the file's other keys. */
const KEYS: Readonly<Record<string, unknown>> = {
  attn_logit_softcapping: 50, // Gemma 2
  final_logit_softcapping: 30,
  "attention.sliding_window": (told: (key: string) => unknown) => told("attn_logit_softcapping") ? 4096 : 0,
  "attention.scale": (told: (key: string) => number) =>
    1 / Math.sqrt(told("attention.key_length") ?? told("embedding_length") / told("attention.head_count")),
  "attention.temperature_scale": 0,
  embedding_scale: 1,
  residual_scale: 1,
  "rope.dimension_count": (told: (key: string) => number) =>
    told("attention.key_length") ?? told("embedding_length") / told("attention.head_count"),
  "rope.freq_base": 10_000,
  "rope.scaling.factor": 1,
  "rope.scaling.original_context_length": 8192, // the context
  "rope.scaling.type": "linear",
  "rope.scaling.yarn_log_multiplier": 0,
};

for (const name of readdirSync("test/fixtures/tiny/gguf").filter((name) => name.endsWith(".gguf"))) {
  const model = name.slice(0, -5);
  test(`${model}: a file without one of its keys has llama.cpp's default, or is refused by name`, () => {
    const { file, metadata } = readGguf(`test/fixtures/tiny/gguf/${name}`);
    file.close();
    const prefix = `${metadata.get("general.architecture")}.`;
    const plain = ggufSpec(model, {});
    for (const key of [...metadata.keys()].filter((key) => key.startsWith(prefix))) {
      const own = key.slice(prefix.length);
      if (own === "context_length") continue;
      let spec;
      try {
        spec = ggufSpec(model, { [own]: undefined });
      } catch (error) {
        assert.ok(error instanceof HunchError, key);
        continue;
      }
      const known = KEYS[own];
      const value = typeof known === "function" ? known((key: string) => metadata.get(prefix + key)) : known;
      assert.deepEqual(spec, value === undefined ? plain : ggufSpec(model, { [own]: value }), key);
    }
  });
}

function refusal(name: string) {
  return (error: unknown) => error instanceof HunchError && error.line.includes(name);
}

for (
  const [file, key] of [
    ["cohere2-f16", "attention.sliding_window"],
    ["cohere2-f16", "logit_scale"],
    ["granite-f32", "logit_scale"],
    ["gpt_oss-f16", "attention.sliding_window"],
    ["gpt_oss-f16", "rope.freq_base"],
  ]
) {
  test(`${file}: a file without ${key} is refused`, () => {
    assert.throws(() => ggufSpec(file, { [key]: undefined }), refusal(key));
  });
}

for (
  const [file, key, value] of [
    ["mixtral-f16", "expert_gating_func", 2],
    ["olmoe-f16", "expert_gating_func", 3],
    ["mixtral-f16", "expert_weights_scale", 2.5],
    ["olmoe-f16", "attention.clamp_kqv", 8],
  ] as const
) {
  test(`${file}: ${key} ${value} is refused`, () => {
    assert.throws(() => ggufSpec(file, { [key]: value }), refusal(key));
  });
}

test("GLM-4.1V's rows lie in halves, as its sections tell", () => {
  const rotation = (changes: Json) => ggufSpec("glm4-f16", changes).layers[0].attention.rope!.interleaved;
  assert.deepEqual([rotation({}), rotation({ "rope.dimension_sections": Int32Array.of(2, 1, 1, 0) })], [true, false]);
});

test("experts are counted by the router before anything is done for each of them", async () => {
  const loud = /16384 experts are announced, but the router has 4 rows.*num_local_experts/;
  await assert.rejects(
    folderSpec("mixtral", { num_local_experts: 16384 }),
    (error) => error instanceof HunchError && loud.test(error.line),
  );
});

test("Qwen2-VL's folders of current transformers open", async () => {
  const config = { ...readConfig(fixture("qwen2_vl")), model_type: "qwen2_vl" };
  Object.assign(textOf(config), { model_type: "qwen2_vl_text" });
  (await openModel(folderWith(config, fixture("qwen2_vl")))).close();
});
