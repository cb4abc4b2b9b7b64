// tokenizer.json: the same vocabularies as in the project's GGUF files, written as Hugging Face writes them, against
// those files' tokenizers, reference vectors and Hugging Face's own JavaScript library.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { HunchError } from "../../src/errors.ts";
import { readGguf } from "../../src/model/files/gguf.ts";
import { tokenizerFromGguf } from "../../src/model/tokenizers/gguf.ts";
import { tokenizerFromHuggingFace } from "../../src/model/tokenizers/huggingface.ts";
import { asPackedStrings, unpack } from "../../src/model/tokenizers/strings.ts";

const path = (name: string) => decodeURIComponent(new URL(`../../${name}`, import.meta.url).pathname);

function vocabularyOf(name: string) {
  const gguf = readGguf(path(name));
  gguf.file.close();
  const list = (key: string) => {
    const value = gguf.metadata.get(`tokenizer.ggml.${key}`);
    const packed = asPackedStrings(value ?? [], { file: name });
    return Array.from({ length: packed.length }, (_, i) => unpack(packed, i));
  };
  const types = gguf.metadata.get("tokenizer.ggml.token_type") as Int32Array;
  const tokenizer = tokenizerFromGguf(gguf.metadata, { file: name });
  return { tokenizer, tokens: list("tokens"), merges: list("merges"), types, metadata: gguf.metadata };
}

const smol = vocabularyOf("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
const stories = vocabularyOf("test/fixtures/stories260k/stories260K-f32.gguf");
const golden: { tokenizer: { text: string; ids: number[] }[]; special: { text: string; ids: number[] }[] } = JSON.parse(
  readFileSync(path("test/fixtures/smollm2-135m-instruct/golden.json"), "utf8"),
);

const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const digits = { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel] };
const split = (expression: string) => ({
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: expression }, behavior: "Isolated", invert: false },
    { ...byteLevel, use_regex: false },
  ],
});

function added(tokens: string[], types: ArrayLike<number>) {
  return tokens.flatMap((content, id) =>
    types[id] === 3 || types[id] === 2
      ? [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }]
      : []
  );
}

const smolVocab = Object.fromEntries(smol.tokens.map((token, id) => [token, id]));

function smolJson(preTokenizer: unknown, more: Record<string, unknown> = {}, mergePairs = false) {
  return {
    version: "1.0",
    added_tokens: added(smol.tokens, smol.types),
    normalizer: null,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: smolVocab,
      merges: mergePairs ? smol.merges.map((merge) => merge.split(" ")) : smol.merges,
      ...more,
    },
  };
}

const read = (tokenizerJson: unknown, others: Record<string, unknown> = {}) =>
  tokenizerFromHuggingFace({ tokenizerJson, ...others }, "folder/tokenizer.json");

test("a byte-level tokenizer.json agrees with every reference vector", () => {
  for (const pairs of [false, true]) {
    const tokenizer = read(smolJson(digits, {}, pairs));
    for (const { text, ids } of golden.tokenizer) assert.deepEqual([...tokenizer.encode(text)], ids, text);
    for (const { text, ids } of golden.special) assert.deepEqual([...tokenizer.encode(text, { special: true })], ids);
    for (let id = 0; id < tokenizer.vocab; id += 97) {
      assert.equal(tokenizer.name(id), smol.tokenizer.name(id));
      assert.deepEqual(tokenizer.bytes(id), smol.tokenizer.bytes(id));
    }
  }
});

const tail = "\\s+(?!\\S)|\\s+";
const number = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|${tail}`;
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const expressions = {
  llama3: number("\\p{N}{1,3}"),
  qwen2: number("\\p{N}"),
  cl100k:
    `'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|${tail}`,
  tekken: `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*|\\p{N}` +
    `| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|${tail}`,
};

test("the expressions of other models cut text as Hugging Face's library does", () => {
  const texts = [
    ...golden.tokenizer.map(({ text }) => text),
    "It's I'LL we'Ve x'D  \n\n  12345 abcDEF ABCdef  //\n/ !!\r\n\r\n\t\tend \u00e9\u0301 \u4f60\u597d ",
    "  indented\n    code(); // 3.14159\n\n\n",
  ];
  for (const [name, expression] of Object.entries(expressions)) {
    const json = smolJson(split(expression), { ignore_merges: name === "llama3" });
    const library = new Library(json, {});
    const tokenizer = read(json);
    for (const text of texts) {
      // The library's white space is JavaScript's.
      if (/[\u0085\ufeff]/.test(text)) continue;
      const expected = library.encode(text, { add_special_tokens: false }).ids;
      const got = [...tokenizer.encode(text, { special: true })];
      assert.deepEqual(got, expected, `${name}: ${JSON.stringify(text)}`);
    }
  }
});

test("expressions that follow each other are known, and cut as GGUF files by that name do", () => {
  const isolated = (Regex: string) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false });
  const steps = ["[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥\u0800-一가-\ud7ff]+"].map(isolated);
  const last = [{ type: "Digits", individual_digits: true }, { ...byteLevel, use_regex: false }];
  const json = (...list: unknown[]) => smolJson({ type: "Sequence", pretokenizers: list });
  const named = tokenizerFromGguf(new Map([...smol.metadata, ["tokenizer.ggml.pre", "deepseek-coder"]]), { file: "" });
  const tokenizer = read(json(...steps, ...last));
  for (const { text } of golden.tokenizer) assert.deepEqual(tokenizer.encode(text), named.encode(text), text);
  assert.throws(() => read(json(...steps.toReversed(), ...last)), /cut by an expression that is not supported/);
});

test("a GPT-2 tokenizer.json puts a space in front only where it says so", () => {
  assert.equal(read(smolJson(byteLevel)).decode(read(smolJson(byteLevel)).encode("a b")), "a b");
  const first = read(smolJson({ ...byteLevel, add_prefix_space: true }));
  assert.equal(first.decode(first.encode("a b")), " a b");
  assert.equal(first.decode(first.encode(" a b")), " a b");
});

test("a normal form is applied where the file wants one", () => {
  const tokenizer = read({ ...smolJson(digits), normalizer: { type: "NFC" } });
  assert.equal(tokenizer.decode(tokenizer.encode("e\u0301")), "\u00e9");
});

/** The scores of a SentencePiece vocabulary as merges, the way Hugging Face converts it. */
function storiesJson(more: Record<string, unknown> = {}) {
  const ids = new Map(stories.tokens.map((token, id) => [token, id]));
  const scores = stories.metadata.get("tokenizer.ggml.scores") as Float32Array;
  const merges = stories.tokens.flatMap((token, id) => {
    if (stories.types[id] !== 1) return [];
    const characters = [...token];
    return characters.slice(1).flatMap((_, at) => {
      const pair = [characters.slice(0, at + 1).join(""), characters.slice(at + 1).join("")];
      return pair.every((each) => ids.has(each)) ? [{ pair, score: scores[id] }] : [];
    });
  }).sort((a, b) => b.score - a.score).map(({ pair }) => pair.join(" "));
  return {
    added_tokens: added(stories.tokens, stories.types),
    normalizer: {
      type: "Sequence",
      normalizers: [{ type: "Prepend", prepend: "▁" }, { type: "Replace", pattern: { String: " " }, content: "▁" }],
    },
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: null,
    model: {
      type: "BPE",
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(stories.tokens.map((token, id) => [token, id])),
      merges,
    },
    ...more,
  };
}

test("a SentencePiece-like tokenizer.json makes the tokens that scores make", () => {
  const tokenizer = read(storiesJson(), { tokenizerConfig: { eos_token: { content: "</s>" } } });
  assert.equal(tokenizer.begin, 1);
  assert.deepEqual(tokenizer.ends, [2]);
  for (const text of ["Once upon a time", " Lily's  mom\n", "", "日本 naïve 😀", "x".repeat(50)]) {
    assert.deepEqual([...tokenizer.encode(text, { begin: true })], [
      ...stories.tokenizer.encode(text, { begin: true }),
    ]);
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text === "" ? "" : ` ${text}`);
  }
});

test("Metaspace puts its space first, always or never", () => {
  const metaspace = (prepend_scheme: string, split = false) =>
    read(storiesJson({
      normalizer: null,
      pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme, split },
    }));
  const text = "a</s>b";
  const decode = (scheme: string) => metaspace(scheme).decode(metaspace(scheme).encode(text, { special: true }));
  assert.equal(decode("first"), " ab");
  assert.equal(decode("always"), " a b");
  assert.equal(decode("never"), "ab");
  assert.equal(metaspace("always").decode(metaspace("always").encode(" a")), " a");
  const words = metaspace("always", true);
  assert.equal(words.decode(words.encode("Once upon  a time")), " Once upon  a time");
});

test("ends come from the generation config, the config, the tokenizer config and known names", () => {
  const others = {
    tokenizerConfig: { eos_token: "<|im_end|>", bos_token: "<|im_start|>", add_bos_token: true },
    generationConfig: { eos_token_id: [2, 7] },
    config: { eos_token_id: 9 },
  };
  const tokenizer = read(smolJson(digits), others);
  assert.deepEqual(tokenizer.ends, [2, 7, 9, 0]);
  assert.equal(tokenizer.begin, 1);
  assert.equal(read(smolJson(digits)).begin, undefined);
});

test("white space is swallowed where an added token says so", () => {
  const json = smolJson(digits);
  json.added_tokens[2] = { ...json.added_tokens[2], lstrip: true, rstrip: true };
  assert.deepEqual([...read(json).encode("a  <|im_end|> \n b", { special: true })], [81, 2, 82]);
});

test("added tokens that are not special are found in any text", () => {
  const json = smolJson(digits);
  json.added_tokens.push({ ...json.added_tokens[0], id: 49_152, content: "<tool>", special: false });
  const tokenizer = read(json);
  assert.deepEqual([...tokenizer.encode("a<tool>b")], [81, 49_152, 82]);
  assert.equal(tokenizer.decode([49_152]), "<tool>");
});

test("what is not understood is refused by name", () => {
  const small = {
    pre_tokenizer: byteLevel,
    model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] },
  };
  assert.deepEqual([...read(small).encode("ab")], [2]);
  const model = (more: Record<string, unknown>) => ({ ...small, model: { ...small.model, ...more } });
  const cases: [unknown, RegExp, string | undefined][] = [
    [undefined, /kind/, "model.type"],
    [[], /no JSON object/, undefined],
    [model({ type: "Unigram" }), /Unigram/, "model.type"],
    [model({ dropout: 0.1 }), /random/, "model.dropout"],
    [model({ end_of_word_suffix: "</w>" }), /not supported/, "model.end_of_word_suffix"],
    [model({ vocab: {} }), /empty/, "model.vocab"],
    [model({ vocab: { a: 0, b: 0 } }), /both token 0/, "model.vocab"],
    [model({ vocab: { a: -1 } }), /has the id -1/, "model.vocab"],
    [model({ vocab: { a: 0, b: 1_900_000 } }), /reach 1900000/, "model.vocab"],
    [model({ vocab: { a: "0" } }), /has the id/, "model.vocab"],
    [model({ vocab: [] }), /no JSON object/, "model.vocab"],
    [model({ merges: ["a c"] }), /merge 0, "a c", names a token/, "model.merges"],
    [model({ merges: ["ab"] }), /merge 0, "ab", is not two tokens/, "model.merges"],
    [model({ merges: [7] }), /merge 0 is not two tokens/, "model.merges"],
    [model({ merges: "a b" }), /no list/, "model.merges"],
    [model({ unk_token: "?" }), /not in the vocabulary/, "model.unk_token"],
    [{ ...small, normalizer: { type: "Lowercase" } }, /"Lowercase"/, "normalizer"],
    [{ ...small, pre_tokenizer: { ...byteLevel, use_regex: false } }, /not cut/, "pre_tokenizer.use_regex"],
    [{ ...small, pre_tokenizer: split("(a+)+$") }, /\(a\+\)\+\$/, "pre_tokenizer.pretokenizers[0].pattern.Regex"],
    [{ ...small, pre_tokenizer: { type: "Whitespace" } }, /"Whitespace"/, "pre_tokenizer"],
    [{ ...small, pre_tokenizer: null }, /spaces as they are/, "pre_tokenizer"],
    [{ ...small, post_processor: { type: "BertProcessing" } }, /BertProcessing/, "post_processor.type"],
    [{ ...small, added_tokens: [{ id: 0, content: "z" }] }, /another one/, "model.vocab"],
    [{ ...small, added_tokens: [{ id: 3 }] }, /lacks/, "added_tokens[0]"],
    [{ ...small, added_tokens: [{ id: 3, content: "z", single_word: true }] }, /words/, "added_tokens[0].single_word"],
    [{ ...small, added_tokens: [{ id: 3, content: "z" }, { id: 3, content: "y" }] }, /twice/, "added_tokens[1]"],
    [{ ...small, added_tokens: [{ id: 3, content: "z".repeat(600) }] }, /600 characters/, "added_tokens"],
  ];
  for (const [json, reason, field] of cases) {
    assert.throws(() => read(json), (error) => {
      assert.ok(error instanceof HunchError && error.kind === "input", String(error));
      assert.match(error.message, reason);
      assert.deepEqual([error.place.file, error.place.field], ["folder/tokenizer.json", field], error.message);
      return true;
    });
  }
});
