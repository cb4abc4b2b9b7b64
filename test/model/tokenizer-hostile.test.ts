// Vocabularies that are damaged, contradict themselves or were made to harm: refused in one line that names the field.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { HunchError } from "../../src/errors.ts";
import { tokenizerFromGguf } from "../../src/model/tokenizers/gguf.ts";
import { tokenizerFromLlama2c } from "../../src/model/tokenizers/llama2c.ts";
import { namedPreTokenizer, preTokenizer, type PreTokenizerKind } from "../../src/model/tokenizers/pretokenizers.ts";

type Fields = Record<string, unknown>;

const NORMAL = 1, CONTROL = 3, USER = 4, BYTE = 6;
const byteLevel: Fields = {
  model: "gpt2",
  pre: "gpt-2",
  tokens: ["a", "b", "c", "ab", "abc", "Ġ", "<|im_end|>"],
  token_type: Int32Array.of(NORMAL, NORMAL, NORMAL, NORMAL, NORMAL, NORMAL, CONTROL),
  merges: ["a b", "ab c"],
  eos_token_id: 6,
};
const pieces: Fields = {
  model: "llama",
  tokens: ["<unk>", "<s>", "</s>", "<0x41>", "▁", "a", "▁a"],
  token_type: Int32Array.of(2, CONTROL, CONTROL, BYTE, NORMAL, NORMAL, NORMAL),
  scores: Float32Array.of(0, 0, 0, 0, -1, -2, -3),
};

function read(fields: Fields, warn?: (text: string) => void) {
  const metadata = new Map(Object.entries(fields).map(([name, value]) => [`tokenizer.ggml.${name}`, value]));
  return tokenizerFromGguf(metadata, { file: "model.gguf" }, warn);
}

function refused(fields: Fields, field: string, reason: RegExp): void {
  assert.throws(() => read(fields), (error) => {
    assert.ok(error instanceof HunchError && error.kind === "input", String(error));
    assert.deepEqual([error.place.file, error.place.field], ["model.gguf", `tokenizer.ggml.${field}`], error.message);
    assert.match(error.message, reason);
    assert.ok(error.message.length < 400);
    return true;
  });
}

test("the vocabularies of these tests are sound before they are damaged", () => {
  assert.deepEqual([...read(byteLevel).encode("abc ab<|im_end|>", { special: true })], [4, 5, 3, 6]);
  assert.deepEqual([...read(pieces).encode("aA", { begin: true })], [1, 6, 3]);
});

test("a vocabulary without its parts is refused", () => {
  refused({}, "model", /no tokenizer/);
  refused({ ...byteLevel, model: "bert" }, "model", /"bert"/);
  refused({ ...byteLevel, model: 7 }, "model", /no text/);
  refused({ ...byteLevel, tokens: undefined }, "tokens", /missing/);
  refused({ ...byteLevel, tokens: [] }, "tokens", /empty/);
  refused({ ...byteLevel, tokens: Int32Array.of(1) }, "tokens", /no list of strings/);
  refused({ ...byteLevel, merges: undefined }, "merges", /missing/);
  refused({ ...byteLevel, pre: "klingon" }, "pre", /"klingon" is not supported/);
  refused({ ...pieces, scores: undefined }, "scores", /missing/);
});

test("counts that do not agree are refused", () => {
  refused({ ...byteLevel, token_type: Int32Array.of(1, 1) }, "token_type", /2 token types for 7 tokens/);
  refused({ ...pieces, scores: Float32Array.of(1) }, "scores", /1 scores for 7 tokens/);
  refused({ ...pieces, scores: ["1"] }, "scores", /no list of numbers/);
  refused({ ...byteLevel, token_type: new Int32Array(7).fill(9) }, "token_type", /type 9/);
});

test("ids outside the vocabulary are told and left out; what is no number is refused", () => {
  for (const field of ["bos_token_id", "eos_token_id", "eot_token_id", "eom_token_id"]) {
    for (const id of [7, -1, 0.5, NaN, 2n ** 60n]) {
      const told: string[] = [];
      const { ends } = read({ ...byteLevel, [field]: id }, (text) => told.push(text));
      assert.equal(told.length, 1);
      assert.match(told[0], new RegExp(`token ${id} is not in the vocabulary of 7 .*${field}`));
      assert.deepEqual(ends, read({ ...byteLevel, [field]: undefined }).ends);
    }
    refused({ ...byteLevel, [field]: "2" }, field, /no token id/);
  }
  refused({ ...byteLevel, add_bos_token: true }, "bos_token_id", /does not name/);
  refused({ ...byteLevel, add_bos_token: 1 }, "add_bos_token", /neither true nor false/);
});

test("tokens that are there twice are refused", () => {
  refused({ ...byteLevel, tokens: ["a", "b", "c", "ab", "abc", "a", "z"] }, "tokens", /0 and 5 are both "a"/);
  refused({ ...pieces, tokens: ["<unk>", "<s>", "</s>", "<0x41>", "a", "b", "a"] }, "tokens", /4 and 6/);
  const types = new Int32Array(7).fill(CONTROL);
  refused(
    { ...byteLevel, merges: [], token_type: types, tokens: ["a", "b", "c", "d", "e", "f", "a"] },
    "tokens",
    /0 and 6/,
  );
});

test("merges of tokens that are not there are refused", () => {
  refused({ ...byteLevel, merges: ["a b", "a z"] }, "merges", /merge 1, "a z", names a token/);
  refused({ ...byteLevel, merges: ["b c"] }, "merges", /merge 0, "b c", names a token/);
  for (const merge of ["", " ", "ab", "a ", " b"]) refused({ ...byteLevel, merges: [merge] }, "merges", /two tokens/);
  refused({ ...byteLevel, merges: ["a 字"] }, "merges", /stands for no byte/);
  refused({ ...byteLevel, merges: ["a " + "b".repeat(9999)] }, "merges", /too long/);
});

test("tokens that are no tokens are refused", () => {
  const tokens = ["a", "b", "c", "ab", "abc", "x".repeat(5000), "z"];
  refused({ ...byteLevel, tokens }, "tokens", /token 5 has 5000 bytes/);
  refused({ ...pieces, tokens: ["<unk>", "<s>", "</s>", "<0x4>", "▁", "a", "▁a"] }, "tokens", /is no byte/);
  refused({ ...pieces, scores: Float32Array.of(0, 0, 0, 0, NaN, 0, 0) }, "tokens", /no number/);
  refused({ ...byteLevel, tokens: ["a", "b", "c", "ab", "abc", "Ġ", "x".repeat(600)] }, "tokens", /600 characters/);
  refused({ ...byteLevel, tokens: ["a", "b", "c", "ab", "abc", "Ġ", ""] }, "tokens", /empty/);
});

test("tokens that people added are found in any text, control tokens are not", () => {
  const types = Int32Array.of(NORMAL, NORMAL, NORMAL, NORMAL, NORMAL, USER, CONTROL);
  const tokenizer = read({ ...byteLevel, tokens: ["a", "b", "c", "ab", "abc", "<x>", "<y>"], token_type: types });
  assert.deepEqual([...tokenizer.encode("a<x>b<y>c")], [0, 5, 1, 2]);
  assert.deepEqual([...tokenizer.encode("a<x>b<y>c", { special: true })], [0, 5, 1, 6, 2]);
});

test("Phi-3's special tokens swallow the white space after them", () => {
  const fields = new Map(Object.entries(pieces).map(([name, value]) => [`tokenizer.ggml.${name}`, value]));
  const encode = () => [...tokenizerFromGguf(fields, {}).encode("</s>\n a<s> a", { special: true })];
  assert.deepEqual(encode(), [2, 4, 0, 6, 1, 4, 6]);
  fields.set("general.name", "Phi 3 Mini");
  assert.deepEqual(encode(), [2, 4, 0, 6, 1, 4, 6]);
  fields.set("general.name", "Phi-3 Mini");
  assert.deepEqual(encode(), [2, 6, 1, 4, 6]);
});

test("pre-tokenizers of several steps cut as the tokenizers library cuts by their tokenizer.json", () => {
  const cases: Record<string, number[]>[] = JSON.parse(readFileSync("test/fixtures/pretokenizers.json", "utf8"));
  for (const name of ["deepseek-llm", "deepseek-coder", "seed-coder", "falcon"]) {
    const cut = preTokenizer(namedPreTokenizer(name, {}).kind);
    for (const { text, [name]: expected } of cases) {
      const ends: number[] = [];
      cut(String(text), (_, to) => ends.push(to));
      assert.deepEqual(ends, expected, `${name}: ${JSON.stringify(text)}`);
    }
  }
});

test("a file that does not say how text is cut is cut by the default, with a word about it", () => {
  const lines: string[] = [];
  const tokenizer = read({ ...byteLevel, pre: undefined }, (line) => lines.push(line));
  assert.equal(lines.length, 1);
  assert.match(lines[0], /does not say how text is cut.*model\.gguf, field tokenizer\.ggml\.pre/);
  const said = read({ ...byteLevel, pre: "default" });
  for (const text of ["abc", "ab+c a", "cab"]) assert.deepEqual(tokenizer.encode(text), said.encode(text));
});

test("what a file says of its tokenizer and nobody reads is named", () => {
  const said = (fields: Fields) => {
    const lines: string[] = [];
    read(fields, (line) => lines.push(line));
    return lines.join();
  };
  const harmless = { padding_token_id: 1, add_eos_token: false, remove_extra_whitespaces: false, fim_pre_token_id: 2 };
  for (const plain of [byteLevel, pieces]) {
    assert.equal(said({ ...plain, ...harmless, merges: byteLevel.merges, add_space_prefix: false }), "");
    assert.match(said({ ...plain, add_eos_token: true }), /ignored: "tokenizer\.ggml\.add_eos_token" \(model\.gguf\)/);
    assert.match(
      said({ ...plain, precompiled_charsmap: Uint8Array.of(1), "normalizer.lowercase": true }),
      /charsmap.*lowerc/,
    );
  }
  assert.match(said({ ...byteLevel, add_space_prefix: true }), /add_space_prefix/);
});

test("pre-tokenizers are known by name and cut every text whole", () => {
  const kinds = ["gpt-2", "smollm", "llama-bpe", "qwen2", "qwen35", "tekken", "gpt-4o", "default"]
    .concat(["deepseek-llm", "deepseek-coder", "seed-coder", "falcon"])
    .map((name) => namedPreTokenizer(name, {}).kind);
  for (const kind of new Set<PreTokenizerKind>([...kinds, "cl100k"])) {
    const cut = preTokenizer(kind);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        let at = 0;
        cut(text, (from, to) => {
          assert.equal(from, at);
          assert.ok(to > from);
          at = to;
        });
        assert.equal(at, text.length);
      }),
      { numRuns: 30 },
    );
  }
  const pieces = (name: string, text: string) => {
    const out: string[] = [];
    preTokenizer(namedPreTokenizer(name, {}).kind)(text, (from, to) => out.push(text.slice(from, to)));
    return out;
  };
  const text = "It'S  1234 ABCdef?!\n\n x";
  assert.deepEqual(pieces("gpt-2", text), ["It", "'", "S", " ", " 1234", " ABCdef", "?!", "\n\n", " x"]);
  assert.deepEqual(pieces("smollm", text), ["It", "'", "S", "  ", "1", "2", "3", "4", " ABCdef", "?!", "\n\n", " x"]);
  assert.deepEqual(pieces("dbrx", text), ["It", "'S", " ", " ", "123", "4", " ABCdef", "?!\n\n", " x"]);
  assert.deepEqual(pieces("qwen2", text), ["It", "'S", " ", " ", "1", "2", "3", "4", " ABCdef", "?!\n\n", " x"]);
  assert.deepEqual(pieces("tekken", text), ["It", "'S", " ", " ", "1", "2", "3", "4", " ABCdef", "?!\n\n", " x"]);
  assert.deepEqual(pieces("gpt-4o", text), ["It'S", " ", " ", "123", "4", " ABCdef", "?!\n\n", " x"]);
  assert.deepEqual(pieces("tekken", "abcDEF"), ["abc", "DEF"]);
  assert.deepEqual(pieces("default", "a+b 1234"), ["a", "+", "b", " ", "123", "4"]);
  assert.deepEqual(pieces("qwen2", "क्षि"), ["क", "्ष", "ि"]);
  assert.deepEqual(pieces("qwen35", "क्षि"), ["क्षि"]);
});

const llama2c = new Uint8Array(
  readFileSync(decodeURIComponent(new URL("../fixtures/stories260k/tok512.bin", import.meta.url).pathname)),
);

function refusedLlama2c(bytes: Uint8Array, vocab: number, reason: RegExp): void {
  assert.throws(() => tokenizerFromLlama2c(bytes, vocab, "tok.bin"), (error) => {
    assert.ok(error instanceof HunchError && error.kind === "input", String(error));
    assert.equal(error.place.file, "tok.bin");
    assert.equal(typeof error.place.offset, "number");
    assert.match(error.message, reason);
    return true;
  });
}

test("a llama2.c tokenizer of another model, or a part of one, is refused", () => {
  refusedLlama2c(llama2c, 511, /more than the model's 511/);
  refusedLlama2c(llama2c, 513, /ends before token 512/);
  refusedLlama2c(llama2c, 32_000, /too short for 32000/);
  for (const vocab of [0, 2, -1, 0.5, 2 ** 31]) refusedLlama2c(llama2c, vocab, /not possible/);
  for (let length = 0; length < llama2c.length; length += 251) refusedLlama2c(llama2c.subarray(0, length), 512, /./);
});

test("a damaged llama2.c tokenizer is refused or read, and nothing else", () => {
  fc.assert(fc.property(fc.nat(llama2c.length - 1), fc.nat(255), (at, byte) => {
    const bytes = llama2c.slice();
    bytes[at] = byte;
    try {
      tokenizerFromLlama2c(bytes, 512, "tok.bin").encode("Once upon a time");
    } catch (error) {
      assert.ok(error instanceof HunchError && error.kind === "input", String(error));
    }
  }));
});
