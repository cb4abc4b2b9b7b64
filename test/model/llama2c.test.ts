// llama2.c checkpoints: the same Llama as in GGUF, its tokenizer found beside it, everything else refused.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import { temporaryFolder } from "../support/folder.ts";

const STORIES = "test/fixtures/stories260k/stories260K.bin";

test("a checkpoint is the model that its GGUF file is", async () => {
  const checkpoint = await openModel(STORIES);
  const file = await openModel("test/fixtures/stories260k/stories260K-f32.gguf");
  assert.equal(checkpoint.format, "llama2c");
  assert.deepEqual({ ...checkpoint.spec, norm: 0 }, { ...file.spec, norm: 0 });
  assert.ok(Math.abs(checkpoint.spec.norm.epsilon - 1e-5) < 1e-12);
  assert.deepEqual(new Set(checkpoint.names), new Set(file.names));
  for (const name of file.names) assert.deepEqual(checkpoint.tensor(name).floats(), file.tensor(name).floats(), name);
  assert.equal(checkpoint.tokenizer.vocab, 512);
  assert.equal(checkpoint.chat, undefined);
  checkpoint.close();
  file.close();
});

test("a negative vocabulary means an output matrix of its own", async () => {
  const bytes = readFileSync(STORIES);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setInt32(20, -512, true);
  const output = Float32Array.from({ length: 512 * 64 }, (_, i) => i);
  const path = join(temporaryFolder(), "untied.bin");
  writeFileSync(path, Buffer.concat([bytes, new Uint8Array(output.buffer)]));
  const model = await openModel(path);
  assert.equal(model.spec.vocab, 512);
  assert.deepEqual(model.tensor("output.weight").floats(), output);
  model.close();
});

test("the tokenizer is the file of the vocabulary's size, or tokenizer.bin, or what was asked for", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "model.bin");
  copyFileSync(STORIES, path);
  const none = await openModel(path);
  assert.throws(() => none.tokenizer, /neither tok512.bin nor tokenizer.bin.*|no tokenizer/);
  const tokenizer = "test/fixtures/stories260k/tok512.bin";
  const asked = await openModel(`${path}?tokenizer=${tokenizer}`);
  assert.equal(asked.tokenizer.vocab, 512);
  copyFileSync(tokenizer, join(folder, "other.bin"));
  const beside = await openModel(`${path}?tokenizer=other.bin`);
  assert.equal(beside.tokenizer.vocab, 512);
  copyFileSync(tokenizer, join(folder, "tokenizer.bin"));
  const found = await openModel(path);
  assert.equal(found.tokenizer.vocab, 512);
  for (const model of [none, asked, beside, found]) model.close();
});

const DAMAGES: [string, (bytes: Buffer) => Uint8Array, RegExp][] = [
  ["a checkpoint that ends early", (bytes) => bytes.subarray(0, 5000), /asks for 1056540 bytes, the file has 5000/],
  ["a checkpoint with bytes too many", (bytes) => Buffer.concat([bytes, new Uint8Array(4)]), /asks for 1056540 bytes/],
  ["a later version", (bytes) => mark(bytes), /version 2 are not supported/],
  ["heads that don't divide the width", (bytes) => change(bytes, 12, 7), /7 heads do not divide 64.*at byte 12/],
  ["key heads that don't divide the heads", (bytes) => change(bytes, 16, 3), /cannot share 3.*at byte 16/],
  ["sizes beyond the file", (bytes) => change(bytes, 8, 2 ** 23), /the header asks for \d+ bytes/],
  ["sizes that nobody has", (bytes) => change(bytes, 8, -1), /not a model file of a known format/],
  ["nothing but zeros", () => new Uint8Array(100), /not a model file of a known format/],
  ["an empty file", () => new Uint8Array(0), /0 bytes are too short/],
];

function change(bytes: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeInt32LE(value, offset);
  return copy;
}

function mark(bytes: Buffer): Buffer {
  return change(change(bytes, 0, 0x616b3432), 4, 2);
}

for (const [what, damage, message] of DAMAGES) {
  test(`${what} is refused in one line`, async () => {
    const path = join(temporaryFolder(), "model.bin");
    writeFileSync(path, damage(readFileSync(STORIES)));
    await assert.rejects(openModel(path), (error) => {
      assert.ok(error instanceof HunchError && error.kind === "input", String(error));
      assert.match(error.line, message);
      assert.ok(error.line.includes(path));
      return true;
    });
  });
}
