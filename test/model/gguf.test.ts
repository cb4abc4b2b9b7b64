// GGUF: what is read is what was written, in both versions, with every kind of metadata, in one file and split.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { readGguf } from "../../src/model/files/gguf.ts";
import { openModel } from "../../src/model/open.ts";
import { unpack } from "../../src/model/tokenizers/strings.ts";
import { Bytes, gguf, value, written, type WrittenTensor } from "./support/gguf-writer.ts";
import { temporaryFolder } from "../support/folder.ts";

for (const version of [2, 3]) {
  test(`version ${version} is read with metadata of every type`, () => {
    const number = (type: number, bytes: Uint8Array) => ({ type, bytes });
    const array = (type: number, count: number, bytes: Uint8Array) => ({
      type: 9,
      bytes: new Bytes().u32(type).u64(count).raw(bytes).done(),
    });
    const path = written(gguf({
      version,
      entries: [
        ["u8", number(0, Uint8Array.of(200))],
        ["i8", number(1, Uint8Array.of(200))],
        ["u16", number(2, Uint8Array.of(0x34, 0xf2))],
        ["i16", number(3, Uint8Array.of(0x34, 0xf2))],
        ["u32", value.u32(4_000_000_000)],
        ["i32", number(5, new Bytes().u32(2 ** 32 - 5).done())],
        ["f32", value.f32(0.5)],
        ["flag", value.flag(true)],
        ["text", value.text("grüße 🐦")],
        ["u64", value.u64(2n ** 40n)],
        ["large", value.u64(2n ** 63n)],
        ["i64", number(11, new Uint8Array(BigInt64Array.of(-7n).buffer))],
        ["f64", number(12, new Uint8Array(Float64Array.of(0.1).buffer))],
        ["texts", value.texts(["a", "", "日本"])],
        ["i32s", array(5, 2, new Uint8Array(Int32Array.of(1, -2).buffer))],
        ["f32s", array(6, 2, new Uint8Array(Float32Array.of(1.5, -2).buffer))],
        ["flags", array(7, 2, Uint8Array.of(0, 1))],
      ],
      tensors: [{ name: "t", dimensions: [2, 2], type: 0, offset: 0 }],
      data: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer),
    }));
    const { metadata, tensors, file } = readGguf(path);
    const plain = [...metadata].filter(([, item]) => typeof item !== "object");
    assert.deepEqual(Object.fromEntries(plain), {
      u8: 200,
      i8: -56,
      u16: 0xf234,
      i16: 0xf234 - 65536,
      u32: 4_000_000_000,
      i32: -5,
      f32: 0.5,
      flag: true,
      text: "grüße 🐦",
      u64: 2 ** 40,
      large: 2n ** 63n,
      i64: -7,
      f64: 0.1,
    });
    const texts = metadata.get("texts") as Parameters<typeof unpack>[0];
    assert.deepEqual([0, 1, 2].map((i) => unpack(texts, i)), ["a", "", "日本"]);
    assert.deepEqual(metadata.get("i32s"), Int32Array.of(1, -2));
    assert.deepEqual(metadata.get("f32s"), Float32Array.of(1.5, -2));
    assert.deepEqual(metadata.get("flags"), Uint8Array.of(0, 1));
    assert.deepEqual(tensors.get("t")!.shape, [2, 2]);
    assert.deepEqual([...tensors.get("t")!.floats(1, 2)], [3, 4]);
    file.close();
  });
}

test("another alignment moves the tensors", () => {
  const path = written(gguf({
    align: 128,
    entries: [["general.alignment", value.u32(128)]],
    tensors: [{ name: "t", dimensions: [1], type: 0, offset: 0 }, { name: "u", dimensions: [1], type: 0, offset: 128 }],
    data: new Uint8Array(Float32Array.from({ length: 33 }, (_, i) => i).buffer),
  }));
  const { tensors, file } = readGguf(path);
  assert.deepEqual([tensors.get("t")!.floats()[0], tensors.get("u")!.floats()[0]], [0, 32]);
  file.close();
});

/** Splits a file's tensors over several, as llama.cpp's gguf-split does. */
function split(path: string, parts: number): string {
  const { metadata, tensors, file } = readGguf(path);
  const folder = temporaryFolder();
  const all = [...tensors.values()];
  const share = Math.ceil(all.length / parts);
  const kept = [...metadata].flatMap(([key, item]) => {
    if (typeof item === "string") return [[key, value.text(item)] as const];
    if (typeof item === "number") return [[key, Number.isInteger(item) ? value.u32(item) : value.f32(item)] as const];
    return [];
  });
  for (let no = 0; no < parts; no++) {
    const data = new Bytes();
    let offset = 0;
    const table: WrittenTensor[] = [];
    for (const tensor of all.slice(no * share, (no + 1) * share)) {
      const raw = tensor.bytes();
      table.push({ name: tensor.name, dimensions: tensor.shape.toReversed(), type: 0, offset });
      data.raw(raw).raw(new Uint8Array((32 - raw.length % 32) % 32));
      offset += Math.ceil(raw.length / 32) * 32;
    }
    const entries = [
      ...(no === 0 ? kept : []),
      ["split.no", value.u16(no)] as const,
      ["split.count", value.u16(parts)] as const,
      ["split.tensors.count", value.u32(all.length)] as const,
    ];
    const name = `m-${String(no + 1).padStart(5, "0")}-of-${String(parts).padStart(5, "0")}.gguf`;
    writeFileSync(join(folder, name), gguf({ entries, tensors: table, data: data.done() }));
  }
  file.close();
  return folder;
}

test("a model in three files is the model in one", async () => {
  const path = "test/fixtures/tiny/gguf/qwen2-f32.gguf";
  const folder = split(path, 3);
  const whole = await openModel(path);
  const parts = await openModel(join(folder, "m-00001-of-00003.gguf"));
  assert.deepEqual(parts.spec, whole.spec);
  assert.deepEqual(new Set(parts.names), new Set(whole.names));
  for (const name of whole.names) assert.deepEqual(parts.tensor(name).floats(), whole.tensor(name).floats());
  await assert.rejects(openModel(join(folder, "m-00002-of-00003.gguf")), (error) => {
    assert.ok(error instanceof HunchError && error.kind === "input");
    assert.equal(error.place.field, "split.no");
    return true;
  });
  whole.close();
  parts.close();
});

test("a split model whose second file is missing is refused by its name", async () => {
  const folder = split("test/fixtures/tiny/gguf/qwen2-f32.gguf", 2);
  const first = readFileSync(join(folder, "m-00001-of-00002.gguf"));
  const alone = join(temporaryFolder(), "m-00001-of-00002.gguf");
  writeFileSync(alone, first);
  await assert.rejects(openModel(alone), /does not exist/);
  const renamed = join(temporaryFolder(), "model.gguf");
  writeFileSync(renamed, first);
  await assert.rejects(openModel(renamed), /split into 2 files/);
});

test("a title cannot send anything to a terminal but text", async () => {
  const bytes = Uint8Array.from(readFileSync("test/fixtures/tiny/gguf/phi3-f32.gguf"));
  const at = Buffer.from(bytes).indexOf("tiny-p3");
  bytes.set([0x1b, 0x5b, 0x32, 0x4a], at);
  const model = await openModel(written(bytes));
  assert.equal(model.title, " [2J-p3");
  model.close();
});
