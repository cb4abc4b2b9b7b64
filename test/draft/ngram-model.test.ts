// n-gram models against counting by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NgramModel } from "../../src/draft/ngram-model.ts";
import { IndexedCorpus, indexOf } from "../../src/store/corpus.ts";

const VOCAB = 3;
const WEIGHTS = [0.1, 0.2, 0.3];

/** How often each token follows `context` in the texts. */
function follows(texts: readonly (readonly number[])[], context: readonly number[]): number[] {
  const counts = new Array(VOCAB).fill(0);
  for (const text of texts) {
    for (let at = context.length; at < text.length; at++) {
      if (context.every((token, i) => text[at - context.length + i] === token)) counts[text[at]]++;
    }
  }
  return counts;
}

test("shares are those of this text, of earlier answers and of the store, and what nobody saw is somebody else's", () => {
  const text = (least = 0) => fc.array(fc.nat({ max: VOCAB - 1 }), { minLength: least, maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(text(1), { maxLength: 2 }),
      fc.array(fc.tuple(text(1), text()), { minLength: 1, maxLength: 3 }),
      text(1),
      fc.boolean(),
      (stored, texts, context, withStore) => {
        const corpus = new IndexedCorpus(VOCAB);
        corpus.indexes = [indexOf(stored, VOCAB)];
        const model = new NgramModel(WEIGHTS, () => withStore ? corpus : undefined);
        for (const [prompt, answer] of texts) {
          model.begin(Int32Array.from(prompt));
          model.append(Int32Array.from(answer));
        }
        const [prompt, answer] = texts[texts.length - 1];
        const seen = [[...prompt, ...answer], ...texts.slice(0, -1).map(([, answer]) => answer)];
        const all = withStore ? [...seen, ...stored] : seen;
        const otherwise = [0.5, 0.25, 0.25];
        const wanted = [0, 0, 0];
        let left = 1;
        for (let length = 1; length <= Math.min(WEIGHTS.length, context.length); length++) {
          const counts = follows(all, context.slice(-length));
          const sum = counts.reduce((a, b) => a + b);
          if (sum === 0) continue;
          left -= WEIGHTS[length - 1];
          counts.forEach((count, token) => wanted[token] += WEIGHTS[length - 1] * count / sum);
        }
        const tokens = Int32Array.of(0, 1, 2);
        model.interpolated(context, tokens, otherwise).forEach((value, token) =>
          assert.ok(Math.abs(value - wanted[token] - left * otherwise[token]) < 1e-12)
        );
      },
    ),
    { numRuns: 300 },
  );
});
