// Draft trees: made, measured, and refused where they cannot be.
import assert from "node:assert/strict";
import { test } from "node:test";
import { point } from "../../src/math/distribution.ts";
import { chainTree, depths, type DraftTree, EMPTY_TREE, isChain, treeFault } from "../../src/tree.ts";
import { verdictFault } from "../../src/verdict.ts";

const tree = (tokens: number[], parents: number[]): DraftTree => ({
  tokens: Int32Array.from(tokens),
  parents: Int32Array.from(parents),
  law: "point",
  q: () => undefined,
});
const limits = { vocab: 10, nodes: 4, depth: 3 };

test("a chain continues itself and knows what its tokens were drawn from", () => {
  const draws = [point(10, 4), point(10, 5)];
  const chain = chainTree([4, 5], "iid", draws);
  assert.deepEqual([...chain.parents], [-1, 0]);
  assert.ok(isChain(chain) && isChain(EMPTY_TREE) && !isChain(tree([1, 2], [-1, -1])));
  assert.equal(chain.q(-1), draws[0]);
  assert.equal(chain.q(0), draws[1]);
  assert.equal(chain.q(1), undefined);
  assert.equal(chainTree([1]).q(-1), undefined);
});

test("depths count from the root", () => {
  assert.deepEqual([...depths(tree([1, 2, 3, 4], [-1, 0, 0, 2]))], [1, 2, 2, 3]);
});

test("a tree that breaks its limits is told so", () => {
  assert.equal(treeFault(tree([1, 2, 3, 4], [-1, 0, 0, 2]), limits), undefined);
  assert.match(treeFault(tree([1, 2], [-1]), limits)!, /2 tokens but 1 parents/);
  assert.match(treeFault(tree([1, 2, 3, 4, 5], [-1, -1, -1, -1, -1]), limits)!, /5 nodes/);
  assert.match(treeFault(tree([1, 2], [-1, 1]), limits)!, /node 1 has the parent 1/);
  assert.match(treeFault(tree([1], [-2]), limits)!, /parent -2/);
  assert.match(treeFault(tree([10], [-1]), limits)!, /token 10 of a vocabulary of 10/);
  assert.match(treeFault(chainTree([1, 2, 3, 4]), limits)!, /4 deep/);
});

test("a verdict must be a path from the root and a token", () => {
  const drafted = tree([1, 2, 3], [-1, 0, -1]);
  const verdict = (path: number[], next: number) => verdictFault(drafted, { path: Int32Array.from(path), next }, 10);
  assert.equal(verdict([0, 1], 9), undefined);
  assert.equal(verdict([], 0), undefined);
  assert.match(verdict([1], 0)!, /no path/);
  assert.match(verdict([2, 1], 0)!, /no path/);
  assert.match(verdict([7], 0)!, /no path/);
  assert.match(verdict([0], 10)!, /next token is 10/);
});
