// What a file says and nobody reads is named in one line, or refused; what every file says is passed over.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { describeGguf } from "../../src/model/files/gguf-source.ts";
import { readGguf } from "../../src/model/files/gguf.ts";
import { openModel } from "../../src/model/open.ts";
import { folderWith, type Json, oldSpelling, readConfig } from "./support/folder.ts";

const TINY = "test/fixtures/tiny";

/** The lines of warning that come with a folder that says `changes` besides. */
async function warnings(name: string, changes: Json): Promise<string[]> {
  const lines: string[] = [];
  const folder = folderWith({ ...readConfig(`${TINY}/${name}`), ...changes }, `${TINY}/${name}`);
  (await openModel(folder, { warn: (line) => lines.push(line) })).close();
  return lines;
}

test("files as converters and transformers write them are opened without a word", async () => {
  const lines: string[] = [];
  const folders = readdirSync(TINY, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "gguf" && entry.name !== "variants")
    .map(({ name }) => `${TINY}/${name}`);
  const files = ["gguf", "variants"].flatMap((folder) =>
    readdirSync(`${TINY}/${folder}`).filter((name) => name.endsWith(".gguf")).map((name) => `${TINY}/${folder}/${name}`)
  );
  assert.ok(folders.length > 10 && files.length > 10);
  for (const path of [...folders, ...files]) (await openModel(path, { warn: (line) => lines.push(line) })).close();
  assert.deepEqual(lines, []);
});

/** What published configurations have besides those of the fixtures. */
const PUBLISHED: Readonly<Record<string, Json>> = {
  llama: {
    is_llama_config: true,
    rope_interleaved: false,
    rope_scaling: null,
    "transformers.js_config": { dtype: "q4" },
  },
  qwen2: { use_mrope: false, sliding_window: 131072, max_window_layers: 21, use_sliding_window: false },
  gemma2: { hidden_act: "gelu_pytorch_tanh", cache_implementation: "hybrid", torch_dtype: "bfloat16" },
  gemma3: { hidden_act: "gelu_pytorch_tanh" },
  cohere2: { layer_switch: 4, order_of_interleaved_layers: "local_attn_first", use_gated_activation: true },
  qwen3_moe: { shared_expert_intermediate_size: 0, qkv_bias: false, use_qk_norm: true },
  granite4: { init_method: "mup", normalization_function: "rmsnorm" },
  gpt2: { n_ctx: 256, summary_type: "cls_index", task_specific_params: { "text-generation": { do_sample: true } } },
  phi3: {
    full_attn_mod: 1,
    interpolate_factor: 1,
    lm_head_bias: false,
    mlp_bias: false,
    auto_map: { AutoConfig: "x" },
  },
};

test("both lists of longrope are read, whichever is used", async () => {
  const { rope_parameters: plain, ...own } = readConfig(`${TINY}/phi3`);
  const factors = { short_factor: [1, 1, 1, 1, 1, 1], long_factor: [1, 2, 3, 4, 5, 6] };
  const rope = { ...plain as Json, rope_type: "longrope", ...factors };
  assert.deepEqual(await warnings("phi3", { ...own, rope_parameters: rope, original_max_position_embeddings: 64 }), []);
});

test("published configurations say nothing that has to be named, in the old spelling neither", async () => {
  for (const [name, changes] of Object.entries(PUBLISHED)) {
    assert.deepEqual(await warnings(name, changes), [], name);
    const old = folderWith({ ...oldSpelling(readConfig(`${TINY}/${name}`)), ...changes }, `${TINY}/${name}`);
    const lines: string[] = [];
    (await openModel(old, { warn: (line) => lines.push(line) })).close();
    assert.deepEqual(lines, [], `${name}, old`);
  }
});

test("fields that are not read are named in one line, inside objects by their path", async () => {
  const rope = { rope_type: "default", rope_theta: 1e4, beta_fast: 3 };
  const lines = await warnings("llama", { sliding_window: 8, rope_parameters: rope, odd: [1], nothing: null });
  assert.equal(lines.length, 1);
  assert.match(lines[0], /ignored: "rope_parameters\.beta_fast", "sliding_window", "odd" \(/);
});

test("many of them are counted, long names cut", async () => {
  const odd = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${"x".repeat(200)}${n}`, n]));
  const [line] = await warnings("qwen3", odd);
  assert.match(line, / and 12 more \(/);
  assert.ok(line.length < 1000);
});

test("two words for one thing that agree are read, and the second is named where they do not", async () => {
  assert.deepEqual(await warnings("gpt2", { num_hidden_layers: 3 }), []);
  assert.match((await warnings("gpt2", { layer_norm_eps: 1e-5, layer_norm_epsilon: 1 }))[0], /"layer_norm_eps"/);
});

test("metadata keys of GGUF that are not read are named", () => {
  const { metadata, tensors, file } = readGguf(`${TINY}/gguf/llama-f32.gguf`);
  const told = (key: string, value: unknown) =>
    describeGguf(file.path, new Map<string, unknown>([...metadata, [key, value]]), tensors).ignored;
  assert.deepEqual(told("llama.logit_scale", 2), ["llama.logit_scale"]);
  assert.deepEqual(told("llama.attention.clamp_kqv", 8), ["llama.attention.clamp_kqv"]);
  assert.deepEqual(told("qwen2.block_count", 8), ["qwen2.block_count"]);
  for (const [key, value] of [["general.license", "x"], ["llama.expert_count", 0], ["llama.pooling_type", 0]]) {
    assert.deepEqual(told(key as string, value), []);
  }
  file.close();
});

/** Whether the complaint, as users see it, says this. */
function says(expected: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof HunchError && expected.test(error.line);
}

test("models whose rows see later ones are refused by name, whatever format says it", async () => {
  await assert.rejects(
    warnings("gemma3", { use_bidirectional_attention: true }),
    says(/later ones.*use_bidirectional_attention/),
  );
  await assert.rejects(warnings("llama", { is_causal: false }), says(/later ones.*is_causal/));
  const { metadata, tensors, file } = readGguf(`${TINY}/gguf/gemma3-f32.gguf`);
  const told = new Map<string, unknown>([...metadata, ["gemma3.attention.causal", false]]);
  assert.throws(() => describeGguf(file.path, told, tensors), says(/later ones.*gemma3\.attention\.causal/));
  file.close();
});

test("Gemma computes with its own word for the activation", async () => {
  const activation = async (changes: Json) => {
    const folder = folderWith({ ...readConfig(`${TINY}/gemma2`), ...changes }, `${TINY}/gemma2`);
    const model = await openModel(folder);
    model.close();
    return model.spec.layers[0].feedForward.activation;
  };
  assert.equal(await activation({ hidden_activation: "silu" }), "silu");
  assert.equal(await activation({ hidden_activation: null, hidden_act: "gelu" }), "gelu-tanh");
});
