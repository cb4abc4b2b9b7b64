// Exactness on demand: an engine whose scores are a little off wherever rows form a tree still says, to the last token,
// what it says without a draft.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { match } from "../../plugins/rules/match.ts";
import { token } from "../../plugins/rules/token.ts";
import { complete } from "../../src/generate.ts";
import { GuessingDrafter } from "../support/drafters.ts";
import { optionsOf } from "../support/options.ts";
import { TableEngine } from "../support/table-engine.ts";

/** Ties abound, and what breaks them is far below the noise of trees. */
const shaky = (seed: number) => new TableEngine({ seed, grid: 1, treeNoise: 0.01, can: { exact: "chains" } });

test("greedy text with trees is plain text where every second decision is a tie", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(token, undefined), async (seed, rule) => {
      const engine = shaky(seed);
      const common = { engine, ...(rule && { rule }) };
      const plain = await complete(optionsOf(common));
      const drafted = await complete(optionsOf({ ...common, drafter: new GuessingDrafter(engine, seed, 0.8, 3) }));
      assert.deepEqual(drafted.tokens, plain.tokens);
    }),
    { numRuns: 40 },
  );
});

test("sampled text of the rule match with trees is plain text for the same seed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const engine = new TableEngine({ seed, treeNoise: 2, can: { exact: "chains" } });
      const common = { engine, rule: match, seed, sampling: { temperature: 1, topP: 0.9 } };
      const plain = await complete(optionsOf(common));
      const drafted = await complete(optionsOf({ ...common, drafter: new GuessingDrafter(engine, seed, 0.8, 3) }));
      assert.deepEqual(drafted.tokens, plain.tokens);
    }),
    { numRuns: 40 },
  );
});

test("without strict the same engine says other things, so the tests above test something", async () => {
  let different = 0;
  for (let seed = 0; seed < 20; seed++) {
    const engine = shaky(seed);
    const plain = await complete(optionsOf({ engine }));
    const drafter = new GuessingDrafter(engine, seed, 0.8, 3);
    const drafted = await complete(optionsOf({ engine, drafter, strict: false }));
    assert.equal(drafted.stats.passes, drafted.stats.rounds);
    if (String(drafted.tokens) !== String(plain.tokens)) different++;
  }
  assert.ok(different > 10);
});

test("chains are never decided twice", async () => {
  const engine = shaky(3);
  const { stats } = await complete(optionsOf({ engine, drafter: new GuessingDrafter(engine, 1, 0.8, 1) }));
  assert.equal(stats.passes, stats.rounds);
});
