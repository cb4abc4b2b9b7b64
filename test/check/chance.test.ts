// Chance: seeds, streams, the ends of the range, and that enumeration adds up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededChance, UniformChance } from "../../src/chance.ts";
import { everyBranch } from "../../src/check/every-branch.ts";
import { dense, sparse } from "../../src/math/distribution.ts";

const ENDS = [0, Number.MIN_VALUE, 2 ** -53, 0.5, 1 - 2 ** -53, 1];

test("a pick never returns a token of weight 0, at any value the generator can return", () => {
  const rows = [
    dense([0, 0, 1, 0, 0]),
    dense([0, 0.3, 0, 0.7, 0]),
    dense([0, 5e-324, 0, 5e-324, 0]),
    dense([0, 1e300, 0, 5e-324, 0]),
    dense([0, 1 + 2 ** -52, 0]),
    sparse(10, [2, 5, 7], [0, 1, 0]),
    dense([0, 0.1, 0.2, 0.30000000000000004, 0.4, 0]),
  ];
  for (const row of rows) {
    for (const u of ENDS) {
      const token = new UniformChance(() => u).pick(row);
      const at = row.tokens === undefined ? token : row.tokens.indexOf(token);
      assert.ok(row.probabilities[at] > 0, `token ${token} at u = ${u}`);
    }
  }
});

test("a flip is never true at 0 and never false at 1", () => {
  for (const u of ENDS) {
    assert.equal(new UniformChance(() => u).flip(0), false);
    assert.equal(new UniformChance(() => u).flip(-1), false);
    assert.equal(new UniformChance(() => u).flip(1), true);
    assert.equal(new UniformChance(() => u).flip(2), true);
  }
});

test("weights that cannot be drawn from are refused", () => {
  const chance = new SeededChance(1);
  assert.throws(() => chance.pick(dense([0, 0])), RangeError);
  assert.throws(() => chance.pick(dense([NaN, 1])), RangeError);
  assert.throws(() => chance.pick(dense([Infinity, 1])), RangeError);
});

test("a seed repeats, other seeds and streams differ", () => {
  const numbers = (chance: SeededChance) => {
    const row = dense(new Array(1000).fill(1));
    return Array.from({ length: 20 }, () => chance.pick(row));
  };
  assert.deepEqual(numbers(new SeededChance(7)), numbers(new SeededChance("7")));
  assert.notDeepEqual(numbers(new SeededChance(7)), numbers(new SeededChance(8)));
  const used = new SeededChance(7);
  numbers(used);
  assert.deepEqual(numbers(used.fork("draft")), numbers(new SeededChance(7).fork("draft")));
  assert.notDeepEqual(numbers(used.fork("draft")), numbers(used.fork("verify")));
});

test("seeded picks pass a chi-square test against their weights", () => {
  const weights = [0.5, 0.25, 0.125, 0.0625, 0.0625];
  const counts = weights.map(() => 0);
  const chance = new SeededChance("chi-square");
  const draws = 200_000;
  for (let i = 0; i < draws; i++) counts[chance.pick(dense(weights))]++;
  const statistic = counts.reduce((sum, n, i) => sum + (n - draws * weights[i]) ** 2 / (draws * weights[i]), 0);
  assert.ok(statistic < 18.47, `chi-square ${statistic}, 4 degrees of freedom, 0.1% point 18.47`);
});

test("enumeration visits every branch once and the probabilities sum to 1", () => {
  const seen = new Map<string, number>();
  for (
    const { value, probability } of everyBranch((chance) => {
      if (chance.flip(0.25)) return "early";
      const first = chance.pick(dense([1, 0, 3]));
      return `${first}${first === 2 ? chance.pick(sparse(9, [4, 8], [2, 2])) : ""}`;
    })
  ) {
    assert.ok(!seen.has(value));
    seen.set(value, probability);
  }
  assert.deepEqual(Object.fromEntries(seen), { early: 0.25, "0": 0.1875, "24": 0.28125, "28": 0.28125 });
});

test("numbers that are peeked at are those that flips and picks would take, and only spent ones are gone", () => {
  const d = dense([0.2, 0.3, 0.5]);
  const [shown, plain] = [new SeededChance("peek"), new SeededChance("peek")];
  const first = Array.from({ length: 3 }, () => plain.pick(d));
  const numbers = shown.peek(5).values();
  const judged = new UniformChance(() => numbers.next().value!);
  assert.deepEqual(Array.from({ length: 3 }, () => judged.pick(d)), first);
  shown.spend(3);
  const later = Array.from({ length: 9 }, () => plain.pick(d));
  assert.deepEqual(Array.from({ length: 9 }, () => shown.pick(d)), later);
});

test("numbers that were shown and not spent are shown again", () => {
  const chance = new SeededChance(5);
  const uniforms = chance.peek(4);
  chance.spend(0);
  assert.deepEqual(chance.peek(2), uniforms.slice(0, 2));
});
