// The suffix automaton against a search through all texts.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LONGEST, START, SuffixAutomaton } from "../../src/draft/suffix-automaton.ts";

const texts = fc.array(fc.array(fc.nat({ max: 2 }), { maxLength: 20 }), { minLength: 1, maxLength: 4 });

function built(texts: readonly (readonly number[])[]): SuffixAutomaton {
  const automaton = new SuffixAutomaton();
  for (const text of texts) {
    automaton.beginText();
    for (const token of text) automaton.append(token);
  }
  return automaton;
}

/** How often a word stands in the texts. */
function occurrences(texts: readonly (readonly number[])[], word: readonly number[]): number {
  let count = 0;
  for (const text of texts) {
    for (let at = 0; at + word.length <= text.length; at++) {
      if (word.every((token, i) => text[at + i] === token)) count++;
    }
  }
  return count;
}

const words = (most: number): number[][] =>
  most === 0
    ? [[]]
    : words(most - 1).flatMap((word) =>
      word.length < most - 1 ? [word] : [word, ...[0, 1, 2].map((token) => [...word, token])]
    );

test("every word of the texts is found, with its occurrences and what follows it, and no other", () => {
  fc.assert(
    fc.property(texts, (texts) => {
      const automaton = built(texts);
      for (const word of words(5)) {
        if (word.length === 0) continue;
        let state = START;
        for (const token of word) if (state >= 0) state = automaton.step(state, token);
        const count = occurrences(texts, word);
        assert.equal(state >= 0 ? automaton.count(state) : 0, count, `${word}`);
        if (state < 0) continue;
        const next = new Map<number, number>();
        automaton.forEachNext(state, (token, to) => next.set(token, automaton.count(to)));
        for (const token of [0, 1, 2]) assert.equal(next.get(token) ?? 0, occurrences(texts, [...word, token]));
        const all = texts.flat();
        const end = automaton.end(state);
        assert.deepEqual(all.slice(end + 1 - word.length, end + 1), word, "it ended there");
      }
    }),
    { numRuns: 60 },
  );
});

test("the end of a text that stands elsewhere is found, longest first and every shorter one by links", () => {
  fc.assert(fc.property(fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 24 }), (text) => {
    const automaton = built([text]);
    let longest = 0;
    for (let size = 1; size < text.length; size++) {
      if (occurrences([text], text.slice(text.length - size)) > 1) longest = size;
    }
    let state = automaton.repeated;
    assert.equal(automaton.length(state), longest);
    for (; state !== START; state = automaton.link(state)) {
      const size = automaton.length(state);
      assert.equal(automaton.count(state), occurrences([text], text.slice(text.length - size)));
      assert.ok(automaton.length(automaton.link(state)) < size);
    }
  }));
});

test("words of up to LONGEST tokens and what follows them are counted in texts that repeat themselves for longer", () => {
  const repeating = fc.tuple(fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 4 }), fc.nat({ max: 200 }))
    .map(([piece, size]) => Array.from({ length: size }, (_, i) => piece[i % piece.length]));
  const texts = fc.array(fc.array(repeating, { maxLength: 3 }).map((parts) => parts.flat()), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(texts, fc.nat(), (texts, pick) => {
      const automaton = built(texts);
      const text = texts[pick % texts.length];
      for (const size of [1, 2, 17, LONGEST - 1, LONGEST]) {
        const from = pick % Math.max(1, text.length - size);
        const word = text.slice(from, from + size);
        const state = word.reduce((state, token) => automaton.step(state, token), START);
        if (word.length === 0) continue;
        assert.equal(automaton.count(state), occurrences(texts, word));
        assert.equal(automaton.counted(state), state);
        automaton.forEachNext(
          state,
          (token, to) => assert.equal(automaton.count(to), occurrences(texts, [...word, token])),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test("a token that repeats itself 40,000 times costs as much as any others", () => {
  const automaton = new SuffixAutomaton();
  const start = performance.now();
  for (let i = 0; i < 40_000; i++) automaton.append(7);
  const took = performance.now() - start;
  assert.ok(took < 1500, `${took} ms`); // 5 s where each token goes through all before it
  assert.equal(automaton.length(automaton.counted(automaton.repeated)) >= LONGEST, true);
});

test("it takes at most two states and three edges a token: less than 300 bytes", () => {
  const text = Array.from({ length: 20000 }, (_, i) => (i * i * 31 + (i >> 3)) % 997);
  const automaton = built([text]);
  assert.equal(automaton.tokens, text.length);
  assert.ok(automaton.bytes < 300 * text.length, `${automaton.bytes / text.length} bytes a token`);
});
