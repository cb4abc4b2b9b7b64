// Suffix arrays and what is looked up in them, against looking at every place.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Index, IndexedCorpus, indexOf, type Places } from "../../src/store/corpus.ts";
import { suffixArray } from "../../src/store/suffix-array.ts";
import { slowly } from "./support/memory.ts";

test("suffixes are in the order that comparing them gives", () => {
  const sorted = (text: Int32Array) =>
    [...text.keys()].sort((a, b) => {
      while (a < text.length && b < text.length && text[a] === text[b]) a++, b++;
      return a === text.length ? -1 : b === text.length ? 1 : text[a] - text[b];
    });
  fc.assert(
    fc.property(fc.nat({ max: 4 }), fc.array(fc.nat({ max: 1000 }), { maxLength: 60 }), (largest, numbers) => {
      const text = Int32Array.from(numbers, (number) => number % (largest + 1));
      assert.deepEqual([...suffixArray(text, largest)], sorted(text));
    }),
    { numRuns: 500 },
  );
  for (const word of ["aaaaaaaa", "abababab", "mississippi", "abcabcabcd", "ba", "a", ""]) {
    const text = Int32Array.from(word, (letter) => letter.charCodeAt(0) - 97);
    assert.deepEqual([...suffixArray(text, 25)], sorted(text), word);
  }
});

const VOCAB = 4;
const withStarts = (index: Index, starts: boolean): Index => starts ? index : { ...index, starts: undefined };
const text = fc.array(fc.nat({ max: VOCAB - 1 }), { maxLength: 12 });

test("what is found is what looking at every place finds: length, counts, and what follows, however often", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(text, { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
      text,
      fc.integer({ min: 1, max: 6 }),
      fc.boolean(),
      (parts, query, most, starts) => {
        const corpus = new IndexedCorpus(VOCAB);
        corpus.indexes = parts.map((texts) => withStarts(indexOf(texts, VOCAB), starts));
        const expected = slowly(parts.flat(), query, most);
        const found = corpus.find(query, most);
        assert.equal(found?.length ?? 0, expected.length);
        if (found !== undefined) same(found, expected.after);
        assert.equal(corpus.find(query, most, expected.length + 1), undefined, "no shorter match than is asked for");
      },
    ),
    { numRuns: 400 },
  );
});

/** The places have these continuations, and so have those after every token. */
function same(places: Places, after: readonly (readonly number[])[]): void {
  assert.equal(places.count, after.length);
  const next = places.next();
  const counts = new Map<number, number>();
  for (const [token] of after) if (token !== undefined) counts.set(token, (counts.get(token) ?? 0) + 1);
  assert.deepEqual(new Map(next.map(({ token, places }) => [token, places.count])), counts);
  assert.ok(next.every(({ places }, i) => i === 0 || places.count <= next[i - 1].places.count), "most frequent first");
  for (const { token, places: below } of next) {
    assert.equal(below.length, places.length + 1);
    same(below, after.filter(([first]) => first === token).map((rest) => rest.slice(1)));
  }
}

test("of a text with tokens that no text can have, and of none, nothing is found", () => {
  for (const starts of [true, false]) {
    const corpus = new IndexedCorpus(VOCAB);
    corpus.indexes = [withStarts(indexOf([[1, 2, 3], [3, 3]], VOCAB), starts)];
    for (const query of [[], [-1], [VOCAB], [1, 99], [2 ** 31]]) assert.equal(corpus.find(query, 8), undefined);
    assert.equal(corpus.find([99, 2], 8)!.length, 1);
  }
});

test("of many places some speak for all, in proportion", () => {
  const texts = Array.from({ length: 1000 }, (_, i) => [i % 7 % VOCAB, 1, i % 4 === 0 ? 2 : 3]);
  const corpus = new IndexedCorpus(VOCAB);
  corpus.indexes = [indexOf(texts, VOCAB)];
  const found = corpus.find([1], 1)!;
  assert.ok(Math.abs(found.count - 1286) < 1, `${found.count}`); // 1000, and 286 that begin with it
  const shares = new Map(found.next().map(({ token, places }) => [token, places.count / found.count]));
  assert.ok(Math.abs(shares.get(3)! - 0.58) < 0.12 && Math.abs(shares.get(2)! - 0.19) < 0.1, `${[...shares]}`);
});

test("of equally frequent tokens the latest text's comes first", () => {
  const corpus = new IndexedCorpus(VOCAB);
  corpus.indexes = [indexOf([[1, 2], [1, 0]], VOCAB)];
  assert.deepEqual(corpus.find([1], 4)!.next().map(({ token }) => token), [0, 2]);
  corpus.indexes = [indexOf([[1, 0]], VOCAB), indexOf([[1, 2]], VOCAB)];
  assert.deepEqual(corpus.find([1], 4)!.next().map(({ token }) => token), [2, 0]);
});
