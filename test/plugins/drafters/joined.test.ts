// Drafters that join a proposer with what the text says: spine, graft, and the proposer successors.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GraftDrafter } from "../../../plugins/drafters/graft.ts";
import { LookupDrafter } from "../../../plugins/drafters/lookup.ts";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { SpineDrafter } from "../../../plugins/drafters/spine.ts";
import { SuccessorProposer } from "../../../plugins/drafters/successors.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { match } from "../../../plugins/rules/match.ts";
import { SeededChance } from "../../../src/chance.ts";
import { probability } from "../../../src/math/distribution.ts";
import type { Drafter } from "../../../src/drafter.ts";
import { complete } from "../../../src/round/generate.ts";
import { GREEDY } from "../../../src/sampling.ts";
import { treeFault } from "../../../src/tree.ts";
import { optionsOf } from "../../support/options.ts";
import { TableEngine } from "../../support/table-engine.ts";

const NONE = { tokens: new Int32Array(0), parents: new Int32Array(0) };
const TEXT = Int32Array.of(1, 2, 3, 1, 2, 4, 1, 2, 3, 9, 1, 2);

test("successors counts what followed the last two tokens, and the last one", async () => {
  const proposer = new SuccessorProposer(12);
  await proposer.sync(TEXT);
  const [q] = await proposer.propose(NONE);
  assert.ok(Math.abs(probability(q, 3) - 2 / 3) < 1e-12 && Math.abs(probability(q, 4) - 1 / 3) < 1e-12);
  const [after3, after5] = await proposer.propose({ tokens: Int32Array.of(3, 5), parents: Int32Array.of(-1, -1) });
  assert.ok(probability(after3, 1) > 0 && probability(after3, 9) > 0 && probability(after3, 2) === 0);
  assert.ok(probability(after5, 1) > 0, "after what is new, what is frequent");
  const [afterPath] = await proposer.propose({ tokens: Int32Array.of(9), parents: Int32Array.of(0) });
  assert.equal(probability(afterPath, 1), 1);
  await proposer.sync(Int32Array.of(7, 8, 7)); // another text
  assert.equal(probability((await proposer.propose(NONE))[0], 8), 1);
});

test("spine drafts what the text says as a chain, first, and branches beside it", async () => {
  const drafter = new SpineDrafter(new SuccessorProposer(12), new LookupDrafter(8, 1), 2);
  await drafter.begin(TEXT, GREEDY);
  const tree = await drafter.draft({ nodes: 8, depth: 4 }, new SeededChance(1));
  assert.equal(tree.law, "point");
  // 1, 2 was followed by 3, 9, 1 and so on; beside 3 there was 4.
  assert.deepEqual([...tree.tokens.slice(0, 3)], [3, 9, 1]);
  assert.deepEqual([...tree.parents.slice(0, 3)], [-1, 0, 1]);
  const besides = [...tree.tokens.keys()].filter((node) => tree.parents[node] === -1).map((node) => tree.tokens[node]);
  assert.deepEqual(besides, [3, 4]);
  assert.ok(Math.abs(tree.confidence![0] - 2 / 3) < 1e-12);
});

test("graft has the likeliest paths and what was found, in all the places there are", async () => {
  const draft = new TableEngine({ seed: 4, spread: 6 });
  const drafter = new GraftDrafter(new ModelProposer(draft), new LookupDrafter(8, 1), 0.1);
  await drafter.begin(TEXT, GREEDY);
  const tree = await drafter.draft({ nodes: 16, depth: 5 }, new SeededChance(1));
  const found = await (async () => {
    const lookup = new LookupDrafter(8, 1);
    lookup.begin(TEXT);
    return lookup.draft({ nodes: 16, depth: 5 });
  })();
  let at = -1;
  for (const token of found.tokens.slice(0, 4)) {
    at = [...tree.tokens.keys()].find((node) => tree.parents[node] === at && tree.tokens[node] === token) ?? 99;
  }
  assert.ok(at < 99, "what was found is there");
  assert.equal(tree.tokens.length, 16);
});

test("joined drafters keep to their plan, and the text is that of plain decoding, whatever is drafted", async () => {
  const drafters: ((draft: TableEngine) => Drafter)[] = [
    (draft) => new SpineDrafter(new SuccessorProposer(draft.vocab), new LookupDrafter(8, 1), 2),
    (draft) => new SpineDrafter(new ModelProposer(draft), new LookupDrafter(8, 1), 3),
    (draft) => new GraftDrafter(new ModelProposer(draft), new LookupDrafter(8, 1), 0.05),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 9 }),
      async (seed, nodes, deep) => {
        const depth = Math.min(deep, nodes);
        const can = { exact: "chains" } as const;
        const engine = new TableEngine({ seed, vocab: 8, order: 1, can, treeNoise: seed % 2 });
        for (const make of drafters) {
          const drafter = make(new TableEngine({ seed: seed % 3, vocab: 8, order: 1 }));
          await drafter.begin(Int32Array.of(1, 2, 1), GREEDY);
          const tree = await drafter.draft({ nodes, depth }, new SeededChance(seed));
          assert.equal(treeFault(tree, { vocab: 8, nodes, depth }), undefined, drafter.name);
          for (const given of [{}, { rule: match, sampling: { temperature: 0.8 } }]) {
            const options = () => optionsOf({ engine, maxTokens: 25, seed, controller: fixed(nodes, depth), ...given });
            const plain = await complete(options());
            assert.deepEqual((await complete({ ...options(), drafter })).tokens, plain.tokens, drafter.name);
          }
        }
      },
    ),
    { numRuns: 25 },
  );
});
