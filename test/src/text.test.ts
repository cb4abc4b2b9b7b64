// Text as it comes: whole characters, and nothing of a stop string.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TextStream } from "../../src/round/text.ts";

/** Tokens are cuts of a byte string: token i stands for the i-th piece. */
function cut(bytes: Uint8Array, places: readonly number[]) {
  const cuts = [0, ...[...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const pieces = cuts.slice(1).map((to, i) => bytes.slice(cuts[i], to));
  return { count: pieces.length, tokenizer: { bytes: (token: number) => pieces[token] } };
}

const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
const texts = fc.string({ unit: fc.constantFrom("a", "b", "é", "€", "😀", "\ufeff", "\n"), maxLength: 20 });

test("pieces of any text, cut anywhere, are whole characters and make the text again", () => {
  fc.assert(fc.property(texts, fc.array(fc.nat()), (text, places) => {
    const { count, tokenizer } = cut(new TextEncoder().encode(text), places);
    const stream = new TextStream(tokenizer);
    const pieces = Array.from({ length: count }, (_, token) => stream.push(token));
    for (const piece of pieces) assert.ok(piece.isWellFormed() && !piece.includes("\ufffd"));
    assert.equal(pieces.join("") + stream.end(), text);
  }));
});

test("bytes that are no text become what the decoder makes of them at once", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), fc.array(fc.nat()), (bytes, places) => {
    const { count, tokenizer } = cut(bytes, places);
    const stream = new TextStream(tokenizer);
    const pieces = Array.from({ length: count }, (_, token) => stream.push(token));
    assert.equal(pieces.join("") + stream.end(), decode(bytes));
  }));
});

test("the text ends before the first stop string, wherever the cuts are", () => {
  fc.assert(fc.property(texts, fc.array(fc.nat()), texts.filter((stop) => stop !== ""), (text, places, stop) => {
    const { count, tokenizer } = cut(new TextEncoder().encode(text), places);
    const stream = new TextStream(tokenizer, [stop]);
    let out = "";
    for (let token = 0; token < count; token++) out += stream.push(token);
    const at = text.indexOf(stop);
    assert.equal(stream.stopped, at >= 0);
    assert.equal(out + stream.end(), at < 0 ? text : text.slice(0, at));
    if (at >= 0) assert.equal(stream.push(0), "");
  }));
});

test("no more is held back than a stop string could begin with", () => {
  const letters = { bytes: (token: number) => Uint8Array.of(token) };
  const stream = new TextStream(letters, ["aab"]);
  assert.deepEqual([..."aaac"].map((letter) => stream.push(letter.charCodeAt(0))), ["", "", "a", "aac"]);
});

test("of several stop strings the first decides, and tokens without text change nothing", () => {
  const tokens = ["one ", "", "two", " three"].map((text) => new TextEncoder().encode(text));
  const stream = new TextStream({ bytes: (token) => tokens[token] }, ["three", "wo"]);
  assert.deepEqual([0, 1, 2, 3].map((token) => stream.push(token)), ["one ", "", "t", ""]);
  assert.equal(stream.end(), "");
});
