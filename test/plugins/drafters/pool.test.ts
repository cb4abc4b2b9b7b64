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
            assert.deepEqual([...drafter.after(new Int32Array(0), PLAN).tokens], follow(text));
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

test("after three poor drafts in a row only this text is left; drafts of others do not count", () => {
  const drafter = new PoolDrafter(1, 1 << 12);
  drafter.begin(Int32Array.of(5, 6, 7));
  drafter.begin(Int32Array.of(1, 2, 1));
  const poor = () => {
    assert.ok(drafter.draft({ nodes: 4, depth: 4 }).tokens.length > 1);
    drafter.observe(saying([30, 1])); // it drafts 2 1 2 1, or 30 1 30 1 from then on
  };
  const foreign = () => drafter.observe(roundOf(chainTree([8, 9, 8]), [], 1));
  const knows = (token: number) => drafter.after(Int32Array.of(token), PLAN).tokens[0];
  poor();
  drafter.observe(saying([2, 1])); // 1 is followed by 2 again
  poor();
  drafter.observe(saying([2, 1]));
  for (let i = 0; i < 5; i++) foreign();
  assert.equal(knows(5), 6);
  drafter.observe(saying([2, 1]));
  poor();
  assert.equal(knows(5), undefined, "another text's");
  assert.equal(knows(2), 1, "this text's");
});

test("a good draft between poor ones keeps the pool", () => {
  const drafter = new PoolDrafter(1, 1 << 12);
  drafter.begin(Int32Array.of(5, 6, 7));
  drafter.begin(Int32Array.of(1, 2, 1));
  const play = (said: readonly number[]) => {
    drafter.draft({ nodes: 2, depth: 2 });
    drafter.observe(saying(said));
    drafter.observe(saying([1, 2, 1]));
  };
  for (const said of [[30, 1], [30, 1], [2, 1, 3], [30, 1], [30, 1]]) play(said);
  assert.equal(drafter.after(Int32Array.of(5), PLAN).tokens[0], 6);
  play([30, 1]);
  assert.equal(drafter.after(Int32Array.of(5), PLAN).tokens.length, 0);
});
