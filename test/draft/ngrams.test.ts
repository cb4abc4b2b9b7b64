// Matches in the text: what a search through all of it finds.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ngrams } from "../../src/draft/ngrams.ts";

/** Tokens before `next` that are the last of the text, at most 64. */
function common(text: readonly number[], next: number): number {
  let length = 0;
  while (length < 64 && length < next && text[next - 1 - length] === text[text.length - 1 - length]) length++;
  return length;
}

test("matches are earlier places like the end of the text, with their whole length, the latest of each n-gram", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }), { maxLength: 8 }), (parts) => {
      const ngrams = new Ngrams();
      for (const part of parts) ngrams.append(Int32Array.from(part));
      const text = parts.flat();
      const expected = new Map<number, number>();
      for (let size = 4; size > 0; size--) { // the 16 latest of each n-gram are remembered
        const ends = text.map((_, next) => next).filter((next) => next > 0 && common(text, next) >= size);
        for (const next of ends.slice(-16)) expected.set(next, common(text, next));
      }
      assert.deepEqual(new Map(ngrams.matches().map(({ next, length }) => [next, length])), expected);
      assert.equal(ngrams.matches().length, expected.size, "no place twice");
    }),
  );
});

test("a long repetition is measured up to 64 tokens, and a cleared index forgets the text", () => {
  const ngrams = new Ngrams();
  ngrams.append(Int32Array.from({ length: 200 }, (_, i) => i % 100));
  assert.deepEqual(ngrams.matches(), [{ next: 100, length: 64 }]);
  ngrams.clear();
  ngrams.append(Int32Array.of(5, 6, 7));
  assert.deepEqual(ngrams.matches(), []);
});
