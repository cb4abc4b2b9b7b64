// Folders of models that also take images: the text part opens, however the folder tells it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import { folderOf, folderWith, type Json, readConfig } from "./support/folder.ts";

const fixture = (name: string) => `test/fixtures/tiny/${name}`;

test("Gemma 3's text_config may leave out what every published model has in common", async () => {
  const [width, hidden, layers] = [8, 4, 6];
  const zeros = (...shape: number[]) => ({
    dtype: "BF16",
    shape,
    bytes: new Uint8Array(2 * shape.reduce((product, length) => product * length, 1)),
  });
  const layer = {
    "self_attn.q_proj": [8 * 256, width],
    "self_attn.k_proj": [4 * 256, width],
    "self_attn.v_proj": [4 * 256, width],
    "self_attn.o_proj": [width, 8 * 256],
    "self_attn.q_norm": [256],
    "self_attn.k_norm": [256],
    "mlp.gate_proj": [hidden, width],
    "mlp.up_proj": [hidden, width],
    "mlp.down_proj": [width, hidden],
    input_layernorm: [width],
    post_attention_layernorm: [width],
    pre_feedforward_layernorm: [width],
    post_feedforward_layernorm: [width],
  };
  const named = (prefix: string) => `language_model.model.${prefix}.weight`;
  const tensors = Object.fromEntries([
    [named("embed_tokens"), zeros(5, width)],
    [named("norm"), zeros(width)],
    ...Array.from(
      { length: layers },
      (_, n) => Object.entries(layer).map(([name, shape]) => [named(`layers.${n}.${name}`), zeros(...shape)]),
    ).flat(),
    ["vision_tower.vision_model.embeddings.position_embedding.weight", { ...zeros(16), dtype: "I64", shape: [4] }],
    ["multi_modal_projector.mm_soft_emb_norm.weight", zeros(width)],
  ]);
  const text_config = {
    hidden_size: width,
    intermediate_size: hidden,
    model_type: "gemma3_text",
    num_hidden_layers: layers,
    rope_scaling: { factor: 8, rope_type: "linear" },
    sliding_window: 1024,
  };
  const source = await openModel(folderOf({ model_type: "gemma3", text_config }, tensors));
  const { spec } = source;
  assert.deepEqual([spec.context, spec.norm.epsilon, spec.layers[0].attention.heads], [131072, 1e-6, 8]);
  assert.deepEqual(spec.layers.map(({ attention }) => attention.window), [1024, 1024, 1024, 1024, 1024, undefined]);
  assert.deepEqual(spec.layers.map(({ attention }) => attention.rope!.frequencies[0]), [1, 1, 1, 1, 1, 1 / 8]);
  assert.ok(Math.abs(spec.layers[5].attention.rope!.frequencies[127] * 8 / 1e6 ** (-254 / 256) - 1) < 1e-12);
  source.close();
});

test("Qwen2.5-VL's configuration may be flat, with mrope", async () => {
  const { text_config, ...outer } = readConfig(fixture("qwen2_vl"));
  const { rope_parameters, model_type: _, ...text } = text_config as Json;
  const { rope_theta, mrope_section } = rope_parameters as Json;
  const flat = { ...text, ...outer, rope_theta, rope_scaling: { type: "mrope", mrope_section } };
  const [a, b] = [await openModel(fixture("qwen2_vl")), await openModel(folderWith(flat, fixture("qwen2_vl")))];
  assert.deepEqual(b.spec, a.spec);
  assert.deepEqual(b.names, a.names);
  a.close();
  b.close();
});

test("whether embedding and head are one is told outside the text part", async () => {
  const text_config = { ...readConfig(fixture("gemma3-images")).text_config as Json, tie_word_embeddings: false };
  const config = { ...readConfig(fixture("gemma3-images")), text_config };
  (await openModel(folderWith({ ...config, tie_word_embeddings: true }, fixture("gemma3-images")))).close();
  await assert.rejects(openModel(folderWith({ ...config, tie_word_embeddings: false }, fixture("gemma3-images"))));
});

test("what a field of the text part says in vain is named, what other parts say is not", async () => {
  const config = readConfig(fixture("mistral-images"));
  const text_config = { ...config.text_config as Json, attention_chunk_size: 8 };
  const said: string[] = [];
  const options = { warn: (line: string) => said.push(line) };
  (await openModel(
    folderWith({ ...config, text_config, projector_hidden_act: "x" }, fixture("mistral-images")),
    options,
  ))
    .close();
  assert.match(said.join(), /text_config\.attention_chunk_size/);
  assert.doesNotMatch(said.join(), /projector/);
});

for (
  const [what, change, message] of [
    ["another family", (config: Json) => ({ ...config, model_type: "llava" }), /"llava" is not supported.*model_type/],
    [
      "another text part",
      (config: Json) => ({ ...config, text_config: { ...config.text_config as Json, model_type: "mamba" } }),
      /"mamba" is not supported.*text_config\.model_type.*mistral/,
    ],
  ] as const
) {
  test(`${what} is refused by name`, async () => {
    const folder = folderWith(change(readConfig(fixture("mistral-images"))), fixture("mistral-images"));
    await assert.rejects(openModel(folder), (error) => {
      assert.ok(error instanceof HunchError);
      assert.match(error.line, message);
      return true;
    });
  });
}
