// Prompt lookup: finds what a search through the whole text finds.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LookupDrafter } from "../../../plugins/drafters/lookup.ts";
import { greedy } from "../../../plugins/rules/greedy.ts";
import type { Plan, Round } from "../../../src/controller.ts";
import { complete } from "../../../src/round/generate.ts";
import { EMPTY_TREE, treeFault } from "../../../src/tree.ts";
import { optionsOf } from "../../support/options.ts";
import { paths } from "../../support/rounds.ts";
import { TableEngine } from "../../support/table-engine.ts";

const PLAN: Plan = { nodes: 32, depth: 32 };

const committing = (tokens: readonly number[]): Round => ({
  plan: PLAN,
  tree: EMPTY_TREE,
  verdict: { path: new Int32Array(0), next: tokens[tokens.length - 1] },
  committed: Int32Array.from(tokens),
  rows: 1,
  draftMs: 0,
  verifyMs: 0,
});

/** The longest suffix of at most `longest` tokens that stands earlier, where it does so last, and what follows. */
function naive(text: readonly number[], longest: number, shortest: number): number[] {
  for (let size = Math.min(longest, text.length); size >= shortest; size--) {
    for (let end = text.length - 2; end >= size - 1; end--) {
      const same = text.slice(end + 1 - size, end + 1).every((token, i) => token === text[text.length - size + i]);
      if (!same) continue;
      const draft: number[] = [];
      const length = [1, 3, 5, 8, 12][Math.min(size, 5) - 1];
      while (draft.length < length) draft.push([...text, ...draft][end + 1 + draft.length]);
      return draft;
    }
  }
  return [];
}

test("the draft is what followed the last occurrence of the longest match, however the text arrived", () => {
  const piece = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(
      piece,
      fc.array(piece, { maxLength: 12 }),
      fc.integer({ min: 1, max: 8 }),
      (prompt, rounds, longest) => {
        const shortest = Math.min(longest, 2);
        const drafter = new LookupDrafter(longest, shortest);
        drafter.begin(Int32Array.of(0, 1, 2)); // forgotten with the next text
        drafter.begin(Int32Array.from(prompt));
        const text = [...prompt];
        for (const tokens of [[], ...rounds]) {
          if (tokens.length > 0) drafter.observe(committing(tokens));
          text.push(...tokens);
          assert.deepEqual([...drafter.draft(PLAN).tokens], naive(text, longest, shortest));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("the plan is kept", () => {
  const drafter = new LookupDrafter(8, 1);
  drafter.begin(Int32Array.from({ length: 30 }, (_, i) => i % 6));
  assert.equal(drafter.draft({ nodes: 12, depth: 12 }).tokens.length, 12);
  assert.equal(drafter.draft({ nodes: 12, depth: 4 }).tokens.length, 4);
  assert.equal(drafter.draft({ nodes: 3, depth: 4 }).tokens.length, 3);
});

test("a text longer than its first buffer is remembered whole", () => {
  const drafter = new LookupDrafter(8, 1);
  const prompt = Int32Array.from({ length: 5000 }, (_, i) => i);
  drafter.begin(prompt);
  drafter.observe(committing([10, 11, 12]));
  assert.deepEqual([...drafter.draft(PLAN).tokens], [13, 14, 15, 16, 17]);
});

test("on a text that repeats, greedy decoding takes far fewer passes and says the same", async () => {
  const engine = new TableEngine({ order: 1, vocab: 8 }); // every text ends in a circle
  const plain = await complete(optionsOf({ engine, maxTokens: 120 }));
  const drafted = await complete(
    optionsOf({ engine, maxTokens: 120, rule: greedy, drafter: new LookupDrafter(8, 1) }),
  );
  assert.deepEqual(drafted.tokens, plain.tokens);
  assert.ok(drafted.stats.passes < 40, `${drafted.stats.passes} passes`);
});

test("with branches several matches make a tree: the longest first, of equally long ones the latest", () => {
  const drafter = new LookupDrafter(8, 1, 3);
  drafter.begin(Int32Array.of(1, 2, 5, 1, 2, 6, 1, 2, 7, 9, 2, 8, 1, 2));
  const { tokens, parents, confidence } = drafter.draft({ nodes: 3, depth: 1 });
  assert.deepEqual([[...tokens], [...parents]], [[7, 6, 5], [-1, -1, -1]]);
  // RIGHT of a match of 2, shared as 1 : 1/2 : 1/4, and the match of 1 counts 0.46 / 8.
  const all = 0.58 * (1 + 0.5 + 0.25) + 0.46 * 0.125;
  assert.ok(Math.abs(confidence![0] - 0.58 * 0.58 / all) < 1e-12);
  const deep = drafter.draft({ nodes: 8, depth: 4 });
  assert.ok(deep.tokens.length > 3 && treeFault(deep, { vocab: 10, nodes: 8, depth: 4 }) === undefined);
});

test("with branches the likeliest child is what a chain would draft first, and every node followed its path before", () => {
  fc.assert(fc.property(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 }), (text) => {
    const [chain, tree] = [new LookupDrafter(8, 1), new LookupDrafter(8, 1, 4)];
    chain.begin(Int32Array.from(text));
    tree.begin(Int32Array.from(text));
    const drafted = tree.draft(PLAN);
    assert.equal(chain.draft(PLAN).tokens.length > 0, drafted.tokens.length > 0);
    const said = text.join();
    for (const path of paths(drafted)) assert.ok(`,${said},`.includes(`,${[text.at(-1), ...path].join()},`));
  }));
});
