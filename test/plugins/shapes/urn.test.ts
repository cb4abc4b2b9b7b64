// Draws without replacement that look at few tokens follow the same law as those that look at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Urn } from "../../../plugins/shapes/urn.ts";
import type { Chance } from "../../../src/chance.ts";
import { everyBranch } from "../../../src/check/every-branch.ts";
import { dense, type Distribution, mass, probability, sparse, without } from "../../../src/math/distribution.ts";
import { LIKELIEST } from "../../../src/draft/proposed.ts";

const Q = dense([0.05, 0.4, 0, 0.25, 0.3]);
const SPARSE = sparse(9, [8, 1, 4], [0.5, 0.3, 0.2]);
/** The likeliest token leaves next to nothing, or what is kept apart has all but rounding. */
const PEAKED = [1e-3, 1e-9, 1e-15, 1e-17, 1e-100, 1e-300, 1e-320].flatMap((rest) => [
  dense([0.1 * rest, 1 - rest, 0.3 * rest, 0, 0.6 * rest]),
  dense([1 - rest, rest, rest ** 2, rest ** 3, 5e-324]),
]);

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
  for (let i = 0; i < 3; i++) {
    const left = without(q, drawn.map(Number));
    drawn.push(left && chance.pick(left));
  }
  return drawn;
};

test("however many tokens are kept apart, orders are as likely as by the book", () => {
  for (const q of [Q, SPARSE, ...PEAKED]) {
    const expected = orders(byTheBook(q));
    for (const head of [1, 2, 3, 64]) {
      const found = orders((chance) => {
        const urn = new Urn(q, head);
        return [urn.draw(chance), urn.draw(chance), urn.draw(chance)];
      });
      // What is too rare to be a number may be missing on either side.
      const likely = (orders: Map<string, number>) =>
        [...orders.keys()].filter((key) => orders.get(key)! > 1e-200).sort();
      assert.deepEqual(likely(found), likely(expected));
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

/** How likely the next draw of such an urn is this token. */
function likelihood(make: () => Urn, token: number): number {
  let found = 0;
  for (let place = 0, places = 1; place < places; place++) {
    let share = 1;
    let turn = 0;
    const chance: Chance = {
      flip: () => assert.fail("nothing to flip for"),
      pick(weights) { // among the places first, then among the others
        if (turn === 0) places = weights.vocab;
        const choice = turn++ === 0 ? place : token;
        share *= probability(weights, choice) / mass(weights);
        return choice;
      },
    };
    if (make().draw(chance) === token) found += share;
  }
  return found;
}

test("at a vocabulary of 49,152, too, each next draw has the law of what is left by the book", () => {
  const vocab = 49_152;
  // Token 7 has nearly all. 64 are kept apart; four fifths of what token 7 leaves are with the others.
  for (const rest of [1e-2, 1e-9, 1e-13, 1e-18, 1e-200]) {
    const values = new Float64Array(vocab).fill(0.8 * rest / (vocab - 65));
    for (let token = 100; token < 164; token++) values[token] = 0.2 * rest / 64;
    values[7] = 1 - rest;
    const q = dense(values);
    const left = without(q, [7, 100])!;
    const make = () => {
      const urn = new Urn(q);
      urn.remove(7);
      urn.remove(100);
      return urn;
    };
    assert.ok(Math.abs(make().left / (rest * (1 - 0.2 / 64)) - 1) < 1e-12, `${make().left} is left of ${rest}`);
    for (const token of [101, 163, 0, 40_000]) {
      const off = likelihood(make, token) / left.probabilities[token] - 1;
      assert.ok(Math.abs(off) < 1e-14, `token ${token} at ${rest}: off by ${off} of its probability`);
    }
  }
});
