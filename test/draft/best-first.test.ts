// The tree of the likeliest candidates against a search through all trees, and its size against the cost curve.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bestFirst, type Candidate } from "../../src/draft/best-first.ts";
import { treeFault } from "../../src/tree.ts";
import { hashed } from "../support/table-engine.ts";

/** Three candidates below any path, their chances hashed from it. */
const below = (seed: number) => (path: readonly Candidate[]): Candidate[] =>
  [0, 1, 2].map((token) => ({
    token,
    probability: (0.1 + 0.85 * hashed(seed, token, ...path.map(({ token }) => token + 1))) / (token + 1),
  }));

/** All paths that are likely enough, by what they are worth. */
function worths(seed: number, depth: number, path: Candidate[] = [], value = 1): number[] {
  if (path.length === depth) return [];
  return below(seed)(path).flatMap((candidate) => {
    const worth = value * candidate.probability;
    return worth < 0.02 ? [] : [worth, ...worths(seed, depth, [...path, candidate], worth)];
  });
}

test("nodes are the likeliest paths there are, and as many as bring the most tokens per millisecond", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 5 }), fc.double({ min: 0.01, max: 3, noNaN: true }), (...c) => {
      const [seed, depth, slope] = c;
      const cost = (rows: number) => 10 + slope * Math.max(2, rows);
      const { tree, candidates } = bestFirst({ nodes: 30, depth, cost }, below(seed));
      assert.equal(treeFault(tree, { vocab: 3, nodes: 30, depth }), undefined);
      assert.equal(candidates.length, tree.tokens.length);
      const sorted = worths(seed, depth).sort((a, b) => b - a).slice(0, 30);
      let tokens = 1;
      let best = { rate: 1 / cost(1), size: 0 };
      sorted.forEach((worth, i) => {
        tokens += worth;
        const rate = tokens / cost(i + 2);
        if (rate >= best.rate) best = { rate, size: i + 1 };
      });
      // On a convex curve the first fall is the last; the search looks a little further.
      assert.equal(tree.tokens.length, best.size);
      const value: number[] = [];
      tree.parents.forEach((parent, node) => {
        value.push((parent < 0 ? 1 : value[parent]) * candidates[node].probability);
      });
      value.sort((a, b) => b - a).forEach((worth, i) => assert.ok(Math.abs(worth - sorted[i]) < 1e-12));
    }),
    { numRuns: 200 },
  );
});

test("a dear step in the curve is crossed where the rows behind it are cheap", () => {
  const sure = (path: readonly Candidate[]) => path.length < 8 ? [{ token: 1, probability: 0.99 }] : [];
  const cost = (rows: number) => rows <= 2 ? 10 : 26;
  assert.equal(bestFirst({ nodes: 20, depth: 20, cost }, sure).tree.tokens.length, 8);
});

test("without a cost curve a node must be likelier than not, nearly", () => {
  const next = (path: readonly Candidate[]) => [{ token: 1, probability: path.length === 0 ? 0.9 : 0.3 }];
  assert.equal(bestFirst({ nodes: 20, depth: 20 }, next).tree.tokens.length, 1);
  assert.equal(bestFirst({ nodes: 20, depth: 20 }, () => []).tree.tokens.length, 0);
});
