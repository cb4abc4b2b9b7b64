// Token Recycling: what stands in the matrix, and the tree that is made of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { RecyclingDrafter } from "../../../plugins/drafters/recycling.ts";
import { complete } from "../../../src/round/generate.ts";
import { chainTree, EMPTY_TREE } from "../../../src/tree.ts";
import { optionsOf } from "../../support/options.ts";
import { paths, roundOf } from "../../support/rounds.ts";
import { TableEngine } from "../../support/table-engine.ts";

const WIDE = { nodes: 12, depth: 3 };
const begun = (prompt: readonly number[]) => {
  const drafter = new RecyclingDrafter(20, 2);
  drafter.begin(Int32Array.from(prompt));
  return drafter;
};

test("candidates of the root, of accepted and of refused tokens are drafted where those tokens stand again", () => {
  const drafter = begun([7, 1]);
  assert.equal(drafter.draft(WIDE), EMPTY_TREE);
  // After 1 the target says 2; the draft was 2, then 9, which is refused: after 2 it says 3.
  drafter.observe(roundOf(chainTree([2, 9]), [0], 3, [[2, 4], [3, 5], [8, 6]]));
  assert.equal(drafter.draft(WIDE), EMPTY_TREE, "nothing is known of 3");
  assert.deepEqual(paths(drafter.after(Int32Array.of(1), WIDE)), [[2], [2, 3], [4], [2, 5]]);
  assert.deepEqual(paths(drafter.after(Int32Array.of(5, 9), WIDE)), [[8], [6]], "the refused row counts");
  drafter.begin(Int32Array.of(2)); // another text: the matrix stays
  assert.deepEqual(paths(drafter.draft({ nodes: 1, depth: 1 })), [[3]]);
});

test("the row of the text itself is believed, whatever refused branches say of the same token", () => {
  const drafter = begun([1]);
  const tree = { ...EMPTY_TREE, tokens: Int32Array.of(5, 6, 5, 5), parents: Int32Array.of(-1, 0, 1, -1) };
  drafter.observe(roundOf(tree, [0], 9, [[5, 6], [9, 8], [1, 2], [3, 4], [7, 7]]));
  assert.deepEqual(paths(drafter.after(Int32Array.of(5), { nodes: 2, depth: 1 })), [[9], [8]]);
});

test("the matrix is what a slow one is after any rounds, and keeps its size", () => {
  const row = fc.uniqueArray(fc.nat({ max: 9 }), { minLength: 2, maxLength: 2 });
  const round = fc.array(fc.tuple(fc.nat({ max: 9 }), row), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(fc.array(round, { maxLength: 12 }), (rounds) => {
    const drafter = new RecyclingDrafter(10, 2);
    const slow = new Map<number, number[]>();
    let root = 0;
    drafter.begin(Int32Array.of(root));
    for (const rows of rounds) {
      // A flat draft of which nothing stands: all rows but the root's are refused.
      const tokens = rows.slice(1).map(([token]) => token);
      const tree = { ...EMPTY_TREE, tokens: Int32Array.from(tokens), parents: new Int32Array(tokens.length).fill(-1) };
      const next = rows[0][0];
      drafter.observe(roundOf(tree, [], next, rows.map(([, candidates]) => candidates)));
      for (const [token, candidates] of rows.slice(1)) slow.set(token, candidates);
      slow.set(root, rows[0][1]);
      root = next;
    }
    for (let token = 0; token < 10; token++) {
      const drafted = paths(drafter.after(Int32Array.of(token), { nodes: 2, depth: 1 }));
      assert.deepEqual(drafted, (slow.get(token) ?? []).map((candidate) => [candidate]));
    }
  }));
});

test("on text that depends on the last token alone it is soon right, and later texts begin where earlier ones ended", async () => {
  const engine = new TableEngine({ order: 1, vocab: 40, seed: 3 });
  const drafter = new RecyclingDrafter(engine.vocab, 4);
  const run = () => complete(optionsOf({ engine, drafter, controller: fixed(8, 4), maxTokens: 60 }));
  const [first, second] = [await run(), await run()];
  const plain = await complete(optionsOf({ engine, maxTokens: 60 }));
  assert.deepEqual(first.tokens, plain.tokens);
  assert.deepEqual(second.tokens, plain.tokens);
  assert.ok(first.stats.passes <= 24 && second.stats.passes <= 20, `${first.stats.passes}, ${second.stats.passes}`);
});
