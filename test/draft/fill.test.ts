// A tree that fills its plan: the likeliest paths there are, and no more than pay.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fill, type Next } from "../../src/draft/fill.ts";
import { treeFault } from "../../src/tree.ts";
import { hashed } from "../support/table-engine.ts";

/** A world in which the children of a path are three tokens, none of them sure. */
const world = (seed: number): Next<string> => (place, offer) => {
  for (let token = 0; token < 3; token++) {
    const probability = hashed(seed, token, ...place.split(",").map(Number)) / 3;
    if (probability > 0.02) offer(token, probability, `${place},${token}`);
  }
};

/** The value of every path up to a depth, by looking at all of them. */
function values(next: Next<string>, depth: number): number[] {
  const all: number[] = [];
  const visit = (place: string, value: number, left: number) => {
    if (left === 0) return;
    next(place, (_, probability, place) => {
      all.push(value * probability);
      visit(place, value * probability, left - 1);
    });
  };
  visit("9", 1, depth);
  return all.sort((a, b) => b - a);
}

test("the nodes are those of the most valuable paths, in their order, within the plan", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 5 }), (seed, nodes, deep) => {
      const depth = Math.min(nodes, deep);
      const { tree, places, expected } = fill({ nodes, depth }, "9", world(seed));
      assert.equal(treeFault(tree, { vocab: 3, nodes, depth }), undefined);
      const value: number[] = [];
      tree.parents.forEach((parent, node) => value.push((value[parent] ?? 1) * tree.confidence![node]));
      const best = values(world(seed), depth).slice(0, nodes);
      assert.deepEqual(value, best);
      assert.ok(Math.abs(expected - best.reduce((a, b) => a + b, 0)) < 1e-12);
      places.forEach((place, node) => {
        const above = tree.parents[node] < 0 ? "9" : places[tree.parents[node]];
        assert.equal(place, `${above},${tree.tokens[node]}`);
      });
    }),
  );
});

test("with a cost curve the size is the one of the most tokens per millisecond", () => {
  fc.assert(fc.property(fc.nat(), fc.double({ min: 0.01, max: 2, noNaN: true }), (seed, row) => {
    const cost = (rows: number) => 1 + row * rows;
    const { tree } = fill({ nodes: 20, depth: 4, cost }, "9", world(seed));
    const best = values(world(seed), 4).slice(0, 20);
    const rate = (size: number) => (1 + best.slice(0, size).reduce((a, b) => a + b, 0)) / cost(size + 1);
    const most = Math.max(...Array.from({ length: best.length + 1 }, (_, size) => rate(size)));
    assert.ok(Math.abs(rate(tree.tokens.length) - most) < 1e-12);
  }));
});

test("what is less likely than the least is left out, and nothing to offer is nothing to draft", () => {
  const { tree } = fill({ nodes: 9, depth: 9 }, 0, (place, offer) => offer(place, 0.5, place + 1), 0.2);
  assert.deepEqual([...tree.tokens], [0, 1]);
  assert.equal(fill({ nodes: 9, depth: 9 }, 0, () => {}).tree.tokens.length, 0);
});
