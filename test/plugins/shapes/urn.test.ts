// Draws without replacement that look at few tokens follow the same law as those that look at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Urn } from "../../../plugins/shapes/urn.ts";
import { type Chance, everyBranch } from "../../../src/chance.ts";
import { dense, type Distribution, sparse, without } from "../../../src/math/distribution.ts";
import { LIKELIEST } from "../../../src/draft/proposed.ts";

const Q = dense([0.05, 0.4, 0, 0.25, 0.3]);
const SPARSE = sparse(9, [8, 1, 4], [0.5, 0.3, 0.2]);

/** Probabilities of orders of three draws. */
function orders(draw: (chance: Chance) => (number | undefined)[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { value, probability } of everyBranch(draw)) {
    found.set(value.join(), (found.get(value.join()) ?? 0) + probability);
  }
  return found;
}

const byTheBook = (q: Distribution) => (chance: Chance) => {
  const drawn: (number | undefined)[] = [];
  for (let i = 0; i < 3; i++) drawn.push(chance.pick(without(q, drawn.map(Number))!));
  return drawn;
};

test("however many tokens are kept apart, orders are as likely as by the book", () => {
  for (const q of [Q, SPARSE]) {
    const expected = orders(byTheBook(q));
    for (const head of [1, 2, 3, 64]) {
      const found = orders((chance) => {
        const urn = new Urn(q, head);
        return [urn.draw(chance), urn.draw(chance), urn.draw(chance)];
      });
      assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
      for (const [order, value] of expected) assert.ok(Math.abs(found.get(order)! - value) < 1e-15);
    }
  }
});

test("an urn knows what is left, and is empty where and only where nothing is", () => {
  for (const head of [1, 2, 64]) {
    const urn = new Urn(Q, head);
    assert.ok(Math.abs(urn.left - 1) < 1e-15);
    urn.remove(1);
    assert.ok(Math.abs(urn.left - 0.6) < 1e-15);
    urn.remove(0);
    assert.ok(Math.abs(urn.left - 0.55) < 1e-15);
    const taken = [urn.draw(LIKELIEST), urn.draw(LIKELIEST)];
    assert.deepEqual(taken, [4, 3], "at temperature 0 the likeliest comes first");
    assert.equal(urn.left, 0);
    assert.equal(urn.draw(LIKELIEST), undefined);
  }
});
