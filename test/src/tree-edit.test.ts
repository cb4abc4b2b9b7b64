// Trees made of other trees.
import assert from "node:assert/strict";
import { test } from "node:test";
import { point } from "../../src/math/distribution.ts";
import { asPoint, merge, nodesIn, prune } from "../../src/draft/tree-edit.ts";
import { chainTree, type DraftTree, EMPTY_TREE, treeFault } from "../../src/tree.ts";

const tree: DraftTree = {
  tokens: Int32Array.of(1, 2, 3, 4, 5),
  parents: Int32Array.of(-1, -1, 0, 1, 3),
  law: "distinct",
  q: (node) => node === 4 ? undefined : point(9, node + 1),
  confidence: Float64Array.of(0.5, 0.4, 0.3, 0.2, 0.1),
};

test("pruning takes what hangs below with it, and keeps order, law and q", () => {
  const pruned = prune(tree, (node) => node !== 0);
  assert.deepEqual([...pruned.tokens], [2, 4, 5]);
  assert.deepEqual([...pruned.parents], [-1, 0, 1]);
  assert.deepEqual([...pruned.confidence!], [0.4, 0.2, 0.1]);
  assert.equal(pruned.law, "distinct");
  assert.equal(pruned.q(-1)!.tokens![0], 0);
  assert.equal(pruned.q(0)!.tokens![0], 2);
  assert.equal(prune(tree, () => false).tokens.length, 0);
  assert.deepEqual(prune(tree, () => true).parents, tree.parents);
});

test("what is left of a pruned tree is found in it again, also where a token stands in two places", () => {
  const whole = { ...tree, tokens: Int32Array.of(1, 2, 3, 3, 3) };
  for (const gone of [0, 1, 2, 3, 4]) {
    const left = [0, 1, 2, 3, 4].filter((node) =>
      !(node === gone || (gone === 0 && node === 2) || (gone === 1 && node > 2))
    )
      .filter((node) => !(gone === 3 && node === 4));
    assert.deepEqual(nodesIn(whole, prune(whole, (node) => node !== gone)), left);
  }
});

test("merged trees share their beginnings, and the first tree comes first", () => {
  const merged = merge([chainTree([1, 2, 3]), chainTree([1, 2, 4]), chainTree([5]), EMPTY_TREE]);
  assert.deepEqual([...merged.tokens], [1, 2, 3, 4, 5]);
  assert.deepEqual([...merged.parents], [-1, 0, 1, 1, -1]);
  assert.equal(merged.law, "point");
  const small = merge([chainTree([1, 2, 3]), chainTree([5, 6]), chainTree([1, 2])], 4);
  assert.deepEqual([...small.tokens], [1, 2, 3, 5]);
  assert.equal(treeFault(small, { vocab: 9, nodes: 4, depth: 3 }), undefined);
  assert.equal(merge([]), EMPTY_TREE);
});

test("a sampled tree may be taken for a chosen one", () => {
  const chosen = asPoint(tree);
  assert.equal(chosen.law, "point");
  assert.equal(chosen.q(-1), undefined);
  assert.equal(asPoint(EMPTY_TREE), EMPTY_TREE);
});

test("a node keeps the name of its source when others go, and when trees are merged", () => {
  const named = { ...chainTree([1, 2]), sources: ["text", "store"] };
  assert.deepEqual(prune(named, (node) => node === 0).sources, ["text"]);
  assert.deepEqual(merge([chainTree([1, 3]), named]).sources, ["", "", "store"]);
});
