// Sums and draws at every size, against whole numbers of any length: what ships is right to the last place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededChance, UniformChance } from "../../src/chance.ts";
import { LEAST_POWER, PEAKS, Random } from "../../src/check/generate-cases.ts";
import { dense, excess, excessMass, mass, massWithout, normalise, sparse, without } from "../../src/distribution.ts";
import { exact, exactSum, ratio } from "../support/exact.ts";

/** A row is long where exact numbers of it take their time. */
const LONG = 1000;
const random = new Random(new SeededChance("sums"));
const ULP = 2 ** -52;

/** Rows of every kind that is hard to sum up. */
function* rows(): Generator<[what: string, values: number[]]> {
  for (let power = 1; power <= LEAST_POWER; power += power < 20 ? 1 : 29) {
    for (const [kind, make] of Object.entries(PEAKS)) {
      yield [`${kind} 1e-${power}`, make(4, random, Number(`1e-${power}`))[1]];
    }
  }
  for (const each of [2 ** -53, 2 ** -54, 3 * 2 ** -54, 2 ** -60, 0.7]) {
    yield [`50,000 of ${each}`, new Array(50_000).fill(each)];
    yield [`1 and 50,000 of ${each}`, [1, ...new Array(50_000).fill(each)]];
  }
  for (const each of [1e-17, 1e-300, 5e-324, 1e300]) yield [`500 of ${each}`, new Array(500).fill(each)];
  const falling = Array.from({ length: 49_152 }, (_, i) => 1 / (1 + i * 40503 % 49_152) ** 1.1);
  yield ["falling as language does", falling.map((value) => value / 8)];
  yield ["all magnitudes", Array.from({ length: 2000 }, (_, i) => 2 ** -(i % 1074) * (1 + random.uniform()))];
  yield ["denormals", Array.from({ length: 9 }, (_, i) => i * 5e-324)];
  yield ["nothing", [0, 0, 0]];
  yield ["more than one", Array.from({ length: 300 }, () => random.uniform())];
}

test("a sum is right to its last place, however small or long", () => {
  for (const [what, values] of rows()) {
    const sum = mass(dense(values));
    const off = exact(sum) - exactSum(values);
    const most = exact(sum) / 2n ** 52n;
    assert.ok((off < 0n ? -off : off) <= most, `${what}: ${sum}`);
  }
});

test("a sum does not depend on the order", () => {
  for (const [what, values] of rows()) {
    if (values.reduce((a, b) => a + b, 0) >= 2) continue;
    const sum = mass(dense(values));
    assert.equal(mass(dense(values.toReversed())), sum, what);
    assert.equal(mass(dense(values.toSorted((a, b) => a - b))), sum, what);
    const one = values.reduce((parts, value, i) => (parts[i * 7 % 3].push(value), parts), [[], [], []] as number[][]);
    assert.equal(mass(dense(one.flat())), sum, what);
  }
});

test("what is left without some tokens is the same by taking away as by adding up", () => {
  for (const [what, values] of rows()) {
    const d = dense(values);
    const ranked = values.map((_, token) => token).sort((a, b) => values[b] - values[a]);
    for (const gone of [[], ranked.slice(0, 1), ranked.slice(0, 2), ranked.slice(0, 64), ranked]) {
      const left = dense(values);
      for (const token of gone) left.probabilities[token] = 0;
      assert.equal(massWithout(d, gone), mass(left), `${what} without ${gone.length}`);
      const rest = without(d, gone);
      assert.equal(rest === undefined, !(mass(left) > 0), what);
      // To renormalise denormals costs them digits, and a row of them its sum: not what is wanted here.
      if (rest !== undefined) {
        assert.ok(Math.abs(mass(rest) - 1) < 1e-15 || mass(left) < 1e-300, `${what}: ${mass(rest)}`);
      }
    }
  }
});

test("without a token, each other's share is what it was", () => {
  for (const [what, values] of rows()) {
    const likeliest = values.indexOf(values.reduce((a, b) => Math.max(a, b), 0));
    const rest = without(dense(values), [likeliest]);
    if (rest === undefined) continue;
    const all = exactSum(values) - exact(values[likeliest]);
    for (let token = 0; token < Math.min(values.length, 50); token++) {
      if (token === likeliest) continue;
      const share = exact(values[token]) * exact(1);
      const off: bigint = exact(rest.probabilities[token]) * all - share;
      // Four roundings, or half of the least of numbers.
      const most = share / 2n ** 50n + all;
      assert.ok((off < 0n ? -off : off) <= most, `${what}, token ${token}`);
    }
  }
});

test("the sum of an excess is that of the excess that is made", () => {
  for (const [kind, make] of Object.entries(PEAKS)) {
    for (const power of [1, 7, 12, 16, 20, 100, 310]) {
      const [p, q] = make(4, random, Number(`1e-${power}`)).map((values) => normalise(dense(values)));
      for (const scale of [1, 0.9, 1e-8]) {
        assert.equal(excessMass(p, q, scale), mass(excess(p, q, scale)), `${kind} 1e-${power}`);
      }
    }
  }
});

/** Whether the token drawn at `u` has u within its interval of exact running sums, but for rounding. */
function assertDraw(values: readonly number[], u: number, running: readonly bigint[], what: string): void {
  const token = new UniformChance(() => u).pick(dense(values));
  const all = running[running.length - 1];
  const [from, to] = [token === 0 ? 0 : ratio(running[token - 1], all), ratio(running[token], all)];
  assert.ok(values[token] > 0 && from <= u + ULP && to >= u - ULP, `${what}: ${token} at ${u}, not ${from} … ${to}`);
}

test("every draw is that of exact running sums, to 2^-52 of u, also where all weights are small", () => {
  for (const [what, values] of rows()) {
    if (what === "nothing") continue;
    let sum = 0n;
    const running = values.map((value) => sum += exact(value));
    for (let i = 0; i < (values.length > LONG ? 4 : 30); i++) assertDraw(values, random.uniform(), running, what);
    for (const u of [0, 2 ** -60, 2 ** -53, 1 - 2 ** -40, 1 - 2 ** -53, 1]) assertDraw(values, u, running, what);
  }
});

test("a token comes up for an interval as long as its share", () => {
  const drawnAt = (values: readonly number[], u: number) => new UniformChance(() => u).pick(dense(values));
  for (const [what, values] of rows()) {
    if (values.length > 10 || what === "nothing") continue;
    const all = exactSum(values);
    let from = 0;
    for (let token = 0; token < values.length; token++) {
      let [low, high] = [from, 1]; // the first u at which a later token is drawn is in between
      for (let i = 0; i < 60; i++) {
        const middle = (low + high) / 2;
        if (drawnAt(values, middle) <= token) low = middle;
        else high = middle;
      }
      if (drawnAt(values, 1) <= token) low = 1;
      const share = ratio(exact(values[token]), all);
      assert.ok(Math.abs(low - from - share) <= 2 * ULP, `${what}, token ${token}: ${low - from} instead of ${share}`);
      from = low;
    }
  }
});

test("a sparse row is drawn from as a dense one", () => {
  const values = [1e-200, 0, 3e-200, 2e-200];
  const few = sparse(9, [2, 5, 8], [1e-200, 3e-200, 2e-200]);
  for (const u of [0, 0.1, 0.17, 0.5, 0.7, 1]) {
    const token = new UniformChance(() => u).pick(dense(values));
    assert.equal(new UniformChance(() => u).pick(few), [2, 0, 5, 8][token]);
  }
});
