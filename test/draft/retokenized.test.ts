// The target's text in the tokens of another tokenizer: SmolLM2's byte pairs and the SentencePiece of the stories, both ways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededChance } from "../../src/chance.ts";
import { ByteEncoder, joined } from "../../src/draft/byte-encoder.ts";
import { RetokenizedText } from "../../src/draft/retokenized.ts";
import { sharedTokens } from "../../src/draft/vocabulary.ts";
import { dense } from "../../src/math/distribution.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";
import { fixture } from "../kernels/support/golden.ts";

const smol = await openModel(fixture("../../models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"));
const stories = await openModel(fixture("stories260k/stories260K-f32.gguf"));
const fewer = await openModel(fixture("stories260k/draft41K-tok495-f16.gguf"));
const PAIRS: readonly (readonly [ModelSource, ModelSource])[] = [[smol, stories], [stories, smol], [stories, fewer]];

const shared = new Map(PAIRS.map(([target, draft]) => [`${target.path} ${draft.path}`, sharedTokens(target, draft)]));
const retokenizer = (target: ModelSource, draft: ModelSource) =>
  new RetokenizedText(
    target.tokenizer,
    draft.tokenizer,
    shared.get(`${target.path} ${draft.path}`) ?? sharedTokens(target, draft),
  );
const bytesOf = ({ tokenizer }: ModelSource, tokens: ArrayLike<number>) =>
  joined(Array.from(tokens, (token) => tokenizer.bytes(token)));
const utf8 = (text: string) => new TextEncoder().encode(text);

/** The bytes without the space that SentencePiece puts before a text. */
const unprefixed = (bytes: Uint8Array, before: Uint8Array) =>
  bytes.length === before.length + 1 && bytes[0] === 0x20 ? bytes.subarray(1) : bytes;

const TEXTS = [
  "Once upon a time, there was a little girl named Lily.",
  "Answer: ",
  "two  spaces\n\n  and lines \n",
  "12 + 34 = 46; naïve café, 日本語のテキスト, 😀👍🏽 end",
  "Zeile\r\n\tmit Tab",
];

test("text is cut as the draft model's own tokenizer cuts it, behind its begin token", () => {
  for (const [target, draft] of PAIRS) {
    for (const text of TEXTS) {
      const found = retokenizer(target, draft).of(target.tokenizer.encode(text));
      const said = bytesOf(target, target.tokenizer.encode(text)); // maybe with a space in front
      const own = draft.tokenizer.encode(new TextDecoder().decode(said), { begin: true });
      assert.deepEqual([...found], [...own], `${draft.title}: ${text}`);
    }
  }
});

test("whatever tokens the target says, the draft model reads the same bytes, and the same tokens however it came to them", () => {
  const chance = new SeededChance("tokens");
  for (const [target, draft] of PAIRS) {
    const grown = retokenizer(target, draft);
    const own = Array.from({ length: draft.tokenizer.vocab }, (_, token) => draft.tokenizer.bytes(token));
    const writable = new Set(own.filter(({ length }) => length === 1).map(([byte]) => byte)); // SmolLM2 has no 0xf2
    const ordinary = dense(Array.from({ length: target.tokenizer.vocab }, (_, token) => {
      const { length, 0: byte } = target.tokenizer.bytes(token);
      if (length === 1 && !writable.has(byte)) return 0;
      return length === 0 ? 0.2 : length === 1 ? 40 : 1; // single bytes are parts of characters that never end
    }));
    let said: number[] = [];
    for (let step = 0; step < 60; step++) {
      // Sometimes the text goes on from an earlier place.
      if (chance.flip(0.2)) said = said.slice(0, Math.floor(said.length * 0.7));
      said.push(...Array.from({ length: 1 + step % 4 }, () => chance.pick(ordinary)));
      const found = grown.of(Int32Array.from(said)).slice();
      assert.deepEqual(found, retokenizer(target, draft).of(Int32Array.from(said)).slice());
      const bytes = bytesOf(target, said);
      assert.deepEqual(unprefixed(bytesOf(draft, found), bytes), bytes, said.join());
    }
  }
});

test("text without spaces is cut after many tokens, never inside a character", () => {
  const text = "日本語のテキストは空白がありません。".repeat(20);
  const tokens = smol.tokenizer.encode(text);
  const grown = retokenizer(smol, stories);
  for (let length = 1; length <= tokens.length; length += 7) {
    const part = tokens.subarray(0, length);
    const own = grown.of(part);
    assert.deepEqual(unprefixed(bytesOf(stories, own), bytesOf(smol, part)), bytesOf(smol, part));
    assert.deepEqual(own.slice(), retokenizer(smol, stories).of(part).slice());
  }
  const names = Array.from(grown.of(tokens), (token) => stories.tokenizer.name(token));
  assert.equal(names.filter((name) => name.startsWith("▁")).length, 1, "no part brings a space");
});

test("half a character at the end is read as bytes, and as a character once it is whole", () => {
  const smile = smol.tokenizer.encode(" 😀");
  assert.ok(smile.length > 1);
  const text = retokenizer(smol, stories);
  for (let length = 1; length <= smile.length; length++) {
    const own = text.of(smile.subarray(0, length));
    const names = Array.from(own.slice(1), (token) => stories.tokenizer.name(token));
    assert.deepEqual(
      bytesOf(stories, own),
      joined([utf8(" "), bytesOf(smol, smile.subarray(0, length))]),
      names.join(),
    );
  }
  const accents = smol.tokenizer.encode("é");
  const own = retokenizer(smol, stories).of(accents);
  assert.deepEqual([...own], [...stories.tokenizer.encode("é", { begin: true })]);
});

test("turns and ends are read where both have them, and left out otherwise; the begin token stands once", () => {
  const chat = smol.tokenizer.encode("<|im_start|>user\nHi<|im_end|>\n", { special: true });
  const silent = Array.from(retokenizer(smol, stories).of(chat));
  assert.equal(silent[0], stories.tokenizer.begin);
  assert.equal(silent.filter((token) => stories.tokenizer.bytes(token).length === 0).length, 1);
  assert.deepEqual(Array.from(retokenizer(smol, smol).of(chat)), [...chat]);
  const begun = stories.tokenizer.encode("Hi", { begin: true });
  assert.deepEqual(Array.from(retokenizer(stories, fewer).of(begun)).filter((token) => token === 1), [1]);
  assert.deepEqual([...retokenizer(smol, smol).of(new Int32Array(0))], []);
});

test("bytes become tokens without a space before them, unless nothing stands there", () => {
  for (const { tokenizer } of [smol, stories, fewer]) {
    const encoder = new ByteEncoder(tokenizer);
    for (const text of ["happy", " happy", " ", "  ", "\n", " \n x", "é", "😀x", "?!", "0", "x", ""]) {
      assert.deepEqual(
        encoder.bytes(encoder.encode(utf8(text))),
        utf8(text),
        `${tokenizer.kind} ${JSON.stringify(text)}`,
      );
    }
    for (
      const bytes of [[0xf0, 0x9f], [0x98, 0x80, 0x20, 0x61], [0x61, 0xe9, 0x62], [0xed, 0xa0, 0x80], [
        0xe0,
        0x80,
        0x80,
      ], [
        0xe2,
      ]]
    ) {
      assert.deepEqual([...encoder.bytes(encoder.encode(Uint8Array.from(bytes)))], bytes, bytes.join());
    }
    assert.deepEqual(encoder.encode(utf8("Once"), true), tokenizer.encode("Once"));
  }
});

test("tokens are shared by their bytes, and by their names where they have none; none is given twice", () => {
  const both = sharedTokens(smol, stories);
  const pieces = [...both.keys()].filter((own) => both[own] >= 0);
  assert.ok(pieces.length > 300);
  for (const own of pieces) {
    assert.deepEqual(smol.tokenizer.bytes(both[own]), stories.tokenizer.bytes(own), stories.tokenizer.name(own));
  }
  assert.equal(new Set(pieces.map((own) => both[own])).size, pieces.length);
  assert.ok(sharedTokens(smol, smol).every((token, own) => token === own));
  const named = (name: string) =>
    [...Array(stories.tokenizer.vocab).keys()].find((t) => stories.tokenizer.name(t) === name)!;
  assert.ok(both[named("▁")] >= 0 && both[named("<0x20>")] < 0, "a space is a piece before it is a byte");
  const back = sharedTokens(stories, smol);
  assert.equal(back[smol.tokenizer.encode(" ")[0]], named("▁"));
  assert.equal(sharedTokens(stories, fewer).filter((token) => token >= 0).length, 495);
});

test("a token that is called as another tokenizer's special one is not that", () => {
  const tokenizer = (names: readonly string[], silent: readonly number[]): Tokenizer => ({
    vocab: names.length,
    ends: [],
    encode: () => new Int32Array(0),
    bytes: (token) => silent.includes(token) ? new Uint8Array(0) : utf8(names[token]),
    decode: () => "",
    name: (token) => names[token],
  });
  const source = (of: Tokenizer) => ({ ...smol, tokenizer: of, spec: { ...smol.spec, vocab: of.vocab + 2 } });
  const [text, special] = [source(tokenizer(["<|end|>", "a"], [])), source(tokenizer(["a", "<|end|>"], [1]))];
  assert.deepEqual([...sharedTokens(text, special)], [1, -1, -1, -1]);
  assert.deepEqual([...sharedTokens(special, special)], [0, 1, -1, -1]);
});
