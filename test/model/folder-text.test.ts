// Tokenizer and template of a Hugging Face folder, found where folders have them.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import { folderWith, type Json, readConfig } from "./support/folder.ts";

const LLAMA = "test/fixtures/tiny/llama";

/** A byte-level tokenizer of the first `count` bytes' letters and some special tokens. */
function tokenizerJson(added: readonly { id: number; content: string }[]): Json {
  const vocab = Object.fromEntries(["a", "b", "c", "Ġ", "ab"].map((name, id) => [name, id]));
  return {
    added_tokens: added.map((token) => ({ ...token, special: true, lstrip: false, rstrip: false, single_word: false })),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", vocab, merges: ["a b"], unk_token: null },
  };
}

function folder(files: Readonly<Record<string, unknown>>): string {
  const path = folderWith(readConfig(LLAMA), LLAMA);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(path, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return path;
}

const END = { id: 5, content: "<|end|>" };

test("the tokenizer comes from tokenizer.json, the ends from generation_config.json", async () => {
  const model = await openModel(folder({
    "tokenizer.json": tokenizerJson([END]),
    "generation_config.json": { eos_token_id: [5] },
  }));
  assert.deepEqual([...model.tokenizer.encode("ab c")], [4, 3, 2]);
  assert.ok(model.tokenizer.ends.includes(5));
  assert.equal(model.tokenizer, model.tokenizer, "built once");
  model.close();
});

test("a folder without a tokenizer opens, and says what is missing when text comes", async () => {
  const model = await openModel(LLAMA);
  assert.throws(() => model.tokenizer, (error) => error instanceof HunchError && /no tokenizer.json/.test(error.line));
  assert.equal(model.chat, undefined);
  model.close();
});

const message = [{ role: "user", content: "hi" }] as const;
const TEMPLATE = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}";

test("the template is chat_template.jinja, or that of tokenizer_config.json, or the default of its list", async () => {
  const config = { bos_token: "<s>", eos_token: { content: "</s>" } };
  const alternatives: Record<string, unknown>[] = [
    { "tokenizer_config.json": { ...config, chat_template: "other" }, "chat_template.jinja": TEMPLATE },
    { "tokenizer_config.json": { ...config, chat_template: TEMPLATE } },
    {
      "tokenizer_config.json": {
        ...config,
        chat_template: [{ name: "tool_use", template: "x" }, { name: "default", template: TEMPLATE }],
      },
    },
    { "tokenizer_config.json": { chat_template: TEMPLATE }, "special_tokens_map.json": config },
  ];
  for (const files of alternatives) {
    const model = await openModel(folder(files));
    assert.equal(model.chat!.render(message).text, "<s>hi</s>");
    model.close();
  }
  for (const wrong of [7, [], [{ name: "x", template: "y" }], [{ name: 3 }]]) {
    const model = await openModel(folder({ "tokenizer_config.json": { chat_template: wrong } }));
    assert.throws(() => model.chat, HunchError);
    model.close();
  }
});

test("a token without an embedding is refused where a text contains it, and only there", async () => {
  const surplus = { id: 300, content: "<pad>" };
  const model = await openModel(folder({ "tokenizer.json": tokenizerJson([END, surplus]) }));
  assert.equal(model.tokenizer.vocab, 256);
  assert.deepEqual([...model.tokenizer.encode("ab")], [4]);
  assert.throws(() => model.tokenizer.encode("a<pad>", { special: true }), /token 300 has no row.*/);
  model.close();
});
