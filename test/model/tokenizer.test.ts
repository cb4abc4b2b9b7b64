// The tokenizers of the two models that come with the project, against vectors made by other programs, and the laws
// that every tokenizer keeps.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { readGguf } from "../../src/model/files/gguf.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";
import type { ByteLevelTokenizer } from "../../src/model/tokenizers/bytelevel.ts";
import { tokenizerFromGguf } from "../../src/model/tokenizers/gguf.ts";
import { tokenizerFromLlama2c } from "../../src/model/tokenizers/llama2c.ts";
import type { SentencePieceTokenizer } from "../../src/model/tokenizers/sentencepiece.ts";

const root = new URL("../../", import.meta.url);
const path = (name: string) => decodeURIComponent(new URL(name, root).pathname);
const json = (name: string) => JSON.parse(readFileSync(path(name), "utf8"));

function fromGguf(name: string): Tokenizer {
  const gguf = readGguf(path(name));
  try {
    return tokenizerFromGguf(gguf.metadata, { file: name });
  } finally {
    gguf.file.close();
  }
}

interface Vector {
  readonly text: string;
  readonly ids: number[];
}
const smollm: { tokenizer: Vector[]; special: Vector[]; chat: Vector[] } = json(
  "test/fixtures/smollm2-135m-instruct/golden.json",
);
const smol = fromGguf("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
const stories: { stories260K: { greedy_ids_from_bos: number[] } } = json("test/fixtures/stories260k/golden.json");
const storiesFile = "test/fixtures/stories260k/tok512.bin";
const llama2c = tokenizerFromLlama2c(new Uint8Array(readFileSync(path(storiesFile))), 512, storiesFile);
const llamaGguf = fromGguf("test/fixtures/stories260k/stories260K-f32.gguf");

/** Text of every kind that tokenizers stumble over; lone surrogates are not text. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.constantFrom("it's", " ", "  ", "\n", "\t", "7", "42", "é", "字", "😀", "<|im_end|>", "▁", "\u0085"))
    .map((parts) => parts.join("")),
);

/** The default vocabulary has no token for these bytes, and leaves them out as its reference does. */
const spelled = (text: string) => {
  const missing = new Set([4, 6, 19, 20, 22, 29, 192, 193, 241, 242, 245]);
  return !new TextEncoder().encode(text).some((byte) => missing.has(byte));
};

function concatenated(tokenizer: Tokenizer, ids: Int32Array): string {
  const parts: number[] = [];
  for (const id of ids) parts.push(...tokenizer.bytes(id));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(parts));
}

test("the default model's tokenizer agrees with every reference vector", () => {
  for (const { text, ids } of smollm.tokenizer) {
    assert.deepEqual([...smol.encode(text)], ids, JSON.stringify(text));
    assert.equal(smol.decode(ids), text);
  }
});

test("special tokens are parsed only when asked", () => {
  for (const { text, ids } of [...smollm.special, ...smollm.chat]) {
    assert.deepEqual([...smol.encode(text, { special: true })], ids);
    const plain = smol.encode(text);
    assert.equal(smol.decode(plain), text);
    assert.ok(plain.every((id) => smol.bytes(id).length > 0), "a control token came out of plain text");
  }
});

test("the default model's completions end at the end of a turn and at the end of text", () => {
  assert.deepEqual(smol.ends, [2, 0]);
  assert.equal(smol.begin, undefined);
  assert.equal(smol.name(2), "<|im_end|>");
  assert.equal(smol.bytes(2).length, 0);
});

test("a llama2.c vocabulary spells the golden story and its text makes the same tokens", () => {
  const ids = stories.stories260K.greedy_ids_from_bos;
  const text = llama2c.decode(ids);
  assert.match(text, /^ Once upon a time, there was a little girl named Lily\. She loved/);
  // The space in front is the one that SentencePiece puts there.
  assert.deepEqual([...llama2c.encode(text.slice(1), { begin: true })], ids);
  assert.deepEqual([...llamaGguf.encode(text.slice(1), { begin: true })], ids);
});

test("one vocabulary has the same names and bytes in a llama2.c file and in GGUF", () => {
  for (let id = 0; id < 512; id++) {
    assert.equal(llama2c.name(id), llamaGguf.name(id));
    assert.deepEqual(llama2c.bytes(id), llamaGguf.bytes(id));
  }
  assert.deepEqual(llama2c.ends, [2, 1]);
  assert.deepEqual(llamaGguf.ends, [2]);
});

test("byte-level text survives encoding and decoding", () => {
  fc.assert(fc.property(anyText.filter((text) => text.isWellFormed() && spelled(text)), (text) => {
    const ids = smol.encode(text);
    assert.equal(smol.decode(ids), text);
    assert.equal(concatenated(smol, ids), text);
  }));
});

test("SentencePiece text survives with one space in front, and with U+2581 as a space", () => {
  fc.assert(fc.property(anyText.filter((text) => text.isWellFormed()), (text) => {
    const ids = llama2c.encode(text);
    const expected = text === "" ? "" : " " + text.replaceAll("▁", " ");
    assert.equal(llama2c.decode(ids), expected);
    assert.equal(concatenated(llama2c, ids), expected);
  }));
});

test("lone surrogates become replacement characters", () => {
  assert.equal(smol.decode(smol.encode("a\ud800b\udc00")), "a\ufffdb\ufffd");
  assert.equal(llama2c.decode(llama2c.encode("\udfff")), " \ufffd");
});

test("the work of encoding grows with the text, not with its square", () => {
  // Heap operations: each symbol is pushed once and each merge pushes at most twice; everything is popped once.
  for (const tokenizer of [smol as ByteLevelTokenizer, llama2c as SentencePieceTokenizer]) {
    for (const unit of ["a", " ", "😀", "é", "\n", "ab", "的"]) {
      const text = unit.repeat(20_000);
      const before = tokenizer.work;
      tokenizer.encode(text);
      const bytes = Buffer.byteLength(text);
      assert.ok(tokenizer.work - before <= 6 * (bytes + 3), `${tokenizer.work - before} for ${bytes} of ${unit}`);
    }
  }
});

test("tokens beyond the vocabulary have no bytes and no name", () => {
  for (const token of [-1, 49_152, 1e9]) {
    assert.equal(smol.bytes(token).length, 0);
    assert.equal(smol.name(token), "");
  }
});
