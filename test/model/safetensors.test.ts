// Hugging Face folders: shards, number formats, 4-bit packings; and what is wrong with damaged ones.
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { blocks } from "../../src/model/tensors/blocks.ts";
import { openModel } from "../../src/model/open.ts";
import { readSafetensors } from "../../src/model/files/safetensors.ts";
import { folderOf, folderWith, rawSafetensors, readConfig, safetensors, type Stored } from "./support/folder.ts";
import { written } from "./support/gguf-writer.ts";
import { code, inBlocks, PACKED_CONFIG, packedLlama, PACKINGS, scale, zero } from "./support/packed.ts";
import { temporaryFolder } from "../support/folder.ts";

const LLAMA = "test/fixtures/tiny/llama";

/** The tensors of a fixture as they are stored. */
function stored(fixture: string): Record<string, Stored> {
  const { tensors, file } = readSafetensors(join(fixture, "model.safetensors"));
  const entries = [...tensors.values()].map(({ name, dtype, shape, offset, bytes }) =>
    [name, { dtype, shape, bytes: file.read(offset, bytes, name) }] as const
  );
  file.close();
  return Object.fromEntries(entries);
}

test("shards under an index are the model in one file", async () => {
  const tensors = Object.entries(stored(LLAMA));
  const folder = temporaryFolder();
  writeFileSync(join(folder, "config.json"), JSON.stringify(readConfig(LLAMA)));
  const weight_map: Record<string, string> = {};
  [tensors.slice(0, 7), tensors.slice(7)].forEach((part, i) => {
    const name = `model-0000${i + 1}-of-00002.safetensors`;
    writeFileSync(join(folder, name), safetensors(Object.fromEntries(part)));
    for (const [tensor] of part) weight_map[tensor] = name;
  });
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map }));
  const whole = await openModel(LLAMA);
  const parts = await openModel(folder);
  for (const name of whole.names) assert.deepEqual(parts.tensor(name).floats(), whole.tensor(name).floats());
  assert.ok(Math.abs(parts.size - whole.size) < 1000);
  whole.close();
  parts.close();

  const first = tensors[0][0];
  for (const wrong of ["../model.safetensors", "gone.safetensors", "model-00002-of-00002.safetensors", 7]) {
    const index = { weight_map: { ...weight_map, [first]: wrong } };
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify(index));
    await assert.rejects(openModel(folder), (error) => error instanceof HunchError && error.kind === "input");
  }
});

test("half precision and bfloat16 are read as the numbers they are", async () => {
  const original = stored(LLAMA);
  const halved = Object.entries(original).map(([name, { shape, bytes }]) => {
    const floats = new Float32Array(bytes.slice().buffer);
    const bits = Uint16Array.from(new Uint32Array(floats.buffer), (word) => word >>> 16);
    return [name, { dtype: "BF16", shape, bytes: new Uint8Array(bits.buffer) }] as const;
  });
  const model = await openModel(folderOf(readConfig(LLAMA), Object.fromEntries(halved)));
  const q = model.tensor("layers.1.attention.q.weight");
  assert.equal(q.type, "BF16");
  const values = new Float32Array(original["model.layers.1.self_attn.q_proj.weight"].bytes.slice().buffer);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < words.length; i++) words[i] &= 0xffff0000;
  assert.deepEqual(q.floats(), values);
  assert.deepEqual(q.floats(3, 5), values.subarray(3 * 48, 5 * 48));
  model.close();
});

test("a bare model's names lack the first part", async () => {
  const bare = Object.entries(stored("test/fixtures/tiny/gpt2")).map(([name, tensor]) =>
    [name.replace(/^transformer\./, ""), tensor] as const
  );
  const model = await openModel(folderOf(readConfig("test/fixtures/tiny/gpt2"), Object.fromEntries(bare)));
  const whole = await openModel("test/fixtures/tiny/gpt2");
  assert.deepEqual(new Set(model.names), new Set(whole.names));
  model.close();
  whole.close();
});

for (const [name, quantization_config, make, groupOf] of PACKINGS) {
  test(`${name} weights are (code − zero)·scale, exactly`, async () => {
    const model = await openModel(folderOf({ ...PACKED_CONFIG, quantization_config }, packedLlama(make)));
    const tensor = model.tensor("layers.0.feedForward.up.weight");
    assert.deepEqual(tensor.shape, [32, 64]);
    const values = tensor.floats();
    for (let c = 0; c < 32; c++) {
      for (let i = 0; i < 64; i++) {
        const g = groupOf(i);
        assert.equal(values[c * 64 + i], (code(c, i) - zero(c, g)) * scale(c, g), `output ${c}, input ${i}`);
      }
    }
    assert.deepEqual(tensor.floats(2, 3), values.subarray(128, 192));
    const form = blocks(tensor);
    if (groupOf === inBlocks) {
      assert.equal(tensor.type, "AFFINE4");
      for (let n = 0; n < values.length; n++) {
        const nibble = form!.codes[n >> 1] >> (n & 1) * 4 & 15;
        const value = (nibble - 8) * form!.scales[n >> 5] + form!.offsets![n >> 5];
        assert.equal(value, values[n]);
      }
    } else {
      assert.equal(form, undefined);
    }
    model.close();
  });
}

test("biases of nothing but zeros, as GPTQ writes them everywhere, are nothing; others are refused", async () => {
  const qwen = stored("test/fixtures/tiny/qwen3");
  const bias = (value: number): Stored => ({
    dtype: "F32",
    shape: [4],
    bytes: new Uint8Array(Float32Array.of(0, 0, value, 0).buffer),
  });
  const open = (value: number) => {
    const config = readConfig("test/fixtures/tiny/qwen3");
    return openModel(folderOf(config, { ...qwen, "model.layers.0.mlp.up_proj.bias": bias(value) }));
  };
  (await open(0)).close();
  await assert.rejects(open(0.5), /not part of the architecture qwen3/);
});

const HEADERS: [string, string, RegExp][] = [
  ["a header that is not JSON", "{]", /not JSON/],
  ["a header that is a list", "[]", /not a JSON object/],
  ["a type that does not exist", '{"x":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}}', /type F8.*field x/],
  ["an entry without a type", '{"x":null}', /type undefined/],
  ["a shape that is no list", '{"x":{"dtype":"F32","shape":4,"data_offsets":[0,4]}}', /shape is not a list/],
  ["a negative length", '{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', /shape is not a list/],
  [
    "a shape that overflows",
    `{"x":{"dtype":"F32","shape":[${2 ** 50},${2 ** 50}],"data_offsets":[0,4]}}`,
    /are not F32/,
  ],
  [
    "bytes that don't fit the shape",
    '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}',
    /4 bytes are not F32 \[2\]/,
  ],
  ["offsets backwards", '{"x":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}}', /are not F32/],
  ["a tensor beyond the file", '{"x":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}', /the file ends at byte/],
  [
    "two tensors in one place",
    '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}',
    /overlaps/,
  ],
];

for (const [what, header, message] of HEADERS) {
  test(`${what} is refused in one line`, () => {
    const path = written(rawSafetensors(header, new Uint8Array(8)), "model.safetensors");
    assert.throws(() => readSafetensors(path), (error) => {
      assert.ok(error instanceof HunchError && error.kind === "input", String(error));
      assert.match(error.line, message);
      assert.ok(error.line.includes(path));
      return true;
    });
  });
}

test("a header longer than the file, or than any header, is refused before it is read", () => {
  for (const length of [10n ** 6n, 2n ** 40n, 2n ** 63n]) {
    const bytes = new Uint8Array(64);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    assert.throws(() => readSafetensors(written(bytes)), HunchError);
  }
});

test("names of tensors cannot reach into objects", async () => {
  const config = { ...readConfig(LLAMA), model_type: "constructor", rope_parameters: { rope_type: "__proto__" } };
  await assert.rejects(openModel(folderWith(config, LLAMA)), /"constructor" is not supported/);
  const tensors = { ...stored(LLAMA), toString: { dtype: "F32", shape: [1], bytes: new Uint8Array(4) } };
  await assert.rejects(
    openModel(folderOf(readConfig(LLAMA), tensors)),
    (error) => error instanceof HunchError && /toString/.test(error.line),
  );
});

test("folders without the files of a model say what is missing", async () => {
  const empty = temporaryFolder();
  await assert.rejects(openModel(empty), /no config.json/);
  writeFileSync(join(empty, "config.json"), JSON.stringify(readConfig(LLAMA)));
  await assert.rejects(openModel(empty), /no model.safetensors/);
  writeFileSync(join(empty, "config.json"), "{");
  await assert.rejects(openModel(empty), /not JSON/);
  const looped = temporaryFolder();
  mkdirSync(join(looped, "config.json"));
  await assert.rejects(openModel(looped), /not a regular file/);
  symlinkSync("/dev/null", join(looped, "model.gguf"));
  await assert.rejects(openModel(join(looped, "model.gguf")), /not a regular file/);
  await assert.rejects(openModel(join(looped, "gone.gguf")), /does not exist/);
});

test("an index that is left beside a whole file is not asked", async () => {
  const folder = folderWith(readConfig(LLAMA), LLAMA);
  const weight_map = { "model.embed_tokens.weight": "model-00001-of-00002.safetensors" };
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map }));
  const model = await openModel(folder);
  assert.ok(model.names.length > 10);
  model.close();
});

test("what Python writes beyond JSON is read, and refused where a number is wanted", async () => {
  const text = JSON.stringify({ ...readConfig(LLAMA), limit: "INF", note: 'say "NaN", \\Infinity', other: "NAN" })
    .replace('"INF"', "[0.0, -Infinity, Infinity]").replace('"NAN"', "NaN");
  const folder = folderWith({}, LLAMA);
  writeFileSync(join(folder, "config.json"), text);
  (await openModel(folder)).close();
  for (const wrong of ["Infinity", "NaN"]) {
    writeFileSync(join(folder, "config.json"), text.replace(/"rms_norm_eps":[^,]*/, `"rms_norm_eps":${wrong}`));
    await assert.rejects(openModel(folder), /is not a number/);
  }
  writeFileSync(join(folder, "config.json"), text.replace("}", ", Infinity}"));
  await assert.rejects(openModel(folder), /not JSON/);
});

test("a rotation whose base stands beside rope_parameters is that with the base inside", async () => {
  const config = readConfig(LLAMA);
  const { rope_theta, ...rest } = config.rope_parameters as Record<string, unknown>;
  const frequencies = async (changed: Record<string, unknown>) => {
    const model = await openModel(folderWith({ ...config, ...changed }, LLAMA));
    model.close();
    return model.spec.layers[0].attention.rope?.frequencies;
  };
  const inside = await frequencies({ rope_parameters: { ...rest, rope_theta: 12345 } });
  assert.deepEqual(await frequencies({ rope_parameters: rest, rope_theta: 12345 }), inside);
  assert.notDeepEqual(await frequencies({}), inside);
  assert.notEqual(rope_theta, 12345);
  await assert.rejects(frequencies({ rope_parameters: rest }), /the rotation's base is missing/);
  const kinds = { rope_parameters: { odd_attention: config.rope_parameters }, rope_theta: 12345 };
  await assert.rejects(frequencies(kinds), /the rotation's base is missing/);
});

test("a Git LFS pointer is called one, whichever file it stands for", async () => {
  const pointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32\nsize 9\n";
  const says = /this is a Git LFS pointer and not the file.*run git lfs pull/;
  const refused = (path: string) =>
    assert.rejects(openModel(path), (error) => error instanceof HunchError && says.test(error.line));
  await refused(written(new TextEncoder().encode(pointer), "model.gguf"));
  await refused(written(new TextEncoder().encode(pointer.slice(0, 60)), "model.bin"));
  for (const name of ["config.json", "model.safetensors"]) {
    const folder = folderWith(readConfig(LLAMA), LLAMA);
    writeFileSync(join(folder, name), pointer);
    await refused(folder);
  }
  const folder = folderWith(readConfig(LLAMA), LLAMA);
  writeFileSync(join(folder, "tokenizer.json"), pointer);
  const model = await openModel(folder);
  assert.throws(() => model.tokenizer, (error) => error instanceof HunchError && says.test(error.line));
  model.close();
});
