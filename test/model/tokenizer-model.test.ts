// Folders with SentencePiece's own file in place of tokenizer.json, against what transformers 5.24 makes of them
// (test/fixtures/tokenizer-model: 600 pieces trained on Shakespeare; texts and ids).
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import { tokenizerFromHuggingFace } from "../../src/model/tokenizers/huggingface.ts";
import { tokenizerJsonOf } from "../../src/model/tokenizers/sentencepiece-model.ts";
import { Dice } from "./support/fuzz.ts";
import { folderWith, type Json, readConfig } from "./support/folder.ts";

const BYTES = Uint8Array.from(readFileSync("test/fixtures/tokenizer-model/tokenizer.model"));
const golden: {
  texts: string[];
  cases: { model_type: string; tokenizer_config: Json | null; begin: number | null; ids: number[][] }[];
} = JSON.parse(readFileSync("test/fixtures/tokenizer-model/golden.json", "utf8"));

function read(bytes: Uint8Array, config: Json | null = null, modelType = "mistral") {
  const tokenizerJson = tokenizerJsonOf(bytes, "tokenizer.model", config ?? {}, modelType);
  return tokenizerFromHuggingFace({ tokenizerJson, tokenizerConfig: config ?? undefined }, "tokenizer.model");
}

for (const { model_type, tokenizer_config, begin, ids } of golden.cases) {
  const { added_tokens_decoder: _, ...shown } = tokenizer_config ?? {};
  test(`a tokenizer.model of a ${model_type} with ${JSON.stringify(shown)} agrees with transformers`, () => {
    const tokenizer = read(BYTES, tokenizer_config, model_type);
    assert.equal(tokenizer.begin ?? null, begin);
    golden.texts.forEach((text, i) => {
      assert.deepEqual([...tokenizer.encode(text, { special: true })], ids[i], JSON.stringify(text));
    });
  });
}

test("a folder with tokenizer.model alone opens with its text", async () => {
  const folder = folderWith(
    { ...readConfig("test/fixtures/tiny/mistral-window") },
    "test/fixtures/tiny/mistral-window",
  );
  writeFileSync(join(folder, "tokenizer.model"), BYTES);
  const model = await openModel(folder);
  assert.equal(model.tokenizer.decode(Int32Array.of(66, 67, 68)).length, 3);
  assert.ok(model.texts!.files.some(({ name }) => name === "tokenizer.model"));
  model.close();
});

test("a damaged tokenizer.model, or one of another kind, is refused", () => {
  const refused = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => read(bytes), (error) => error instanceof HunchError && message.test(error.line));
  refused(new Uint8Array(0), /vocabulary is empty.*tokenizer\.model/);
  refused(BYTES.subarray(0, BYTES.length - 5), /no protocol buffer|not a protocol buffer/);
  refused(new TextEncoder().encode('{"version": "1.0"}'), /not a protocol buffer|vocabulary is empty/);
  refused(Uint8Array.of(...BYTES, ...BYTES.subarray(0, 20)), /are both|not a protocol buffer/);
  const long = new TextEncoder().encode("x".repeat(200));
  refused(Uint8Array.of(...BYTES, 0x0a, 0xcb, 1, 0x0a, 0xc8, 1, ...long), /piece 600 is too long, with 200/);
  // trainer_spec { model_type: UNIGRAM }
  refused(Uint8Array.of(...BYTES, 0x12, 2, 0x18, 1), /only byte-pair encoding/);
  // normalizer_spec { precompiled_charsmap: "x" }
  refused(Uint8Array.of(...BYTES, 0x1a, 3, 0x12, 1, 0x78), /rewritten/);
});

test("a tokenizer.model with bytes changed by chance encodes or is refused", () => {
  const dice = new Dice(5);
  for (let round = 0; round < 150; round++) {
    const bytes = BYTES.slice(0, dice.below(4) ? BYTES.length : dice.below(BYTES.length));
    for (let i = 0; i < 1 + dice.below(6) && bytes.length > 0; i++) bytes[dice.below(bytes.length)] = dice.below(256);
    try {
      read(bytes).encode("Hello  world é 漢", { special: true });
    } catch (error) {
      assert.ok(error instanceof HunchError && error.kind === "input", String(error));
    }
  }
});
