// The pool of n-grams against a map of them, and when it is emptied.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PoolDrafter } from "../../../plugins/drafters/pool.ts";
import { chainTree } from "../../../src/tree.ts";
import { roundOf, saying } from "../../support/rounds.ts";

const PLAN = { nodes: 10, depth: 10 };

test("the draft follows what came last after the same tokens in any text, entry by entry", () => {
  const piece = fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(
      fc.array(fc.array(piece, { minLength: 1, maxLength: 5 }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      (texts, size) => {
        const drafter = new PoolDrafter(size, 1 << 16);
        const slow = new Map<string, number>();
        for (const [prompt, ...rounds] of texts) {
          drafter.begin(Int32Array.from(prompt));
          const text: number[] = [];
          for (const tokens of [prompt, ...rounds]) {
            if (text.length > 0) drafter.observe(saying(tokens));
            for (const token of tokens) {
              if (text.length >= size) slow.set(text.slice(-size).join(), token);
              text.push(token);
            }
            const follow = (text: readonly number[]) => {
              const draft: number[] = [];
              while (draft.length < 10 && text.length >= size) {
                const next = slow.get([...text, ...draft].slice(-size).join());
                if (next === undefined) break;
                draft.push(next);
              }
              return draft;
            };
            assert.deepEqual([...drafter.draft(PLAN).tokens], follow(text));
            assert.deepEqual([...drafter.after(Int32Array.of(1, 2), PLAN).tokens], follow([...text, 1, 2]));
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("a text that begins where a quarter is taken begins with an empty pool", () => {
  const drafter = new PoolDrafter(1, 64);
  drafter.begin(Int32Array.from({ length: 12 }, (_, i) => i));
  drafter.begin(Int32Array.of(3));
  assert.equal(drafter.draft(PLAN).tokens[0], 4);
  drafter.begin(Int32Array.from({ length: 30 }, (_, i) => i));
  drafter.begin(Int32Array.of(3));
  assert.equal(drafter.draft(PLAN).tokens.length, 0);
});

test("after three poor drafts in a row only this text is left", () => {
  const drafter = new PoolDrafter(1, 1 << 12);
  drafter.begin(Int32Array.of(5, 6, 7));
  drafter.begin(Int32Array.of(1, 2, 1));
  const poor = () => drafter.observe(roundOf(chainTree([30, 31]), [], 2));
  poor();
  poor();
  drafter.observe(roundOf(chainTree([30, 31]), [0, 1], 2));
  poor();
  poor();
  assert.equal(drafter.after(Int32Array.of(5), PLAN).tokens[0], 6);
  poor();
  assert.equal(drafter.after(Int32Array.of(5), PLAN).tokens.length, 0);
  assert.equal(drafter.after(Int32Array.of(1), PLAN).tokens[0], 2);
});
