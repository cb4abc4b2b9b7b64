// The reduction of hidden states, beside principal components by the definition.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededChance } from "../../src/chance.ts";
import { Random } from "../../src/check/generate-cases.ts";
import { dot, Reduction, unit } from "../../src/draft/reduction.ts";

const WIDTH = 6;

function fitted(states: readonly Float32Array[], most: number): Reduction {
  const fitting = Reduction.fitting(states, most);
  for (;;) {
    const { done, value } = fitting.next();
    if (done) return value;
  }
}

/** Correlated states: three hidden causes of falling strength, and noise. */
function drawn(count: number): Float32Array[] {
  const random = new Random(new SeededChance(3));
  const causes = Array.from({ length: 3 }, () => Array.from({ length: WIDTH }, () => random.normal()));
  return Array.from({ length: count }, () => {
    const strength = [3, 1.5, 0.7].map((most) => most * random.normal());
    return Float32Array.from(
      { length: WIDTH },
      (_, i) =>
        5 * i + (i + 1) * (causes.reduce((sum, cause, c) => sum + strength[c] * cause[i], 0) + 0.1 * random.normal()),
    );
  });
}

test("components are orthonormal and hold the most variance that so many can", () => {
  const states = drawn(200);
  const { components } = fitted(states, 3);
  components.forEach((a, i) => components.forEach((b, j) => assert.ok(Math.abs(dot(a, b) - (i === j ? 1 : 0)) < 1e-9)));
  // The covariance of the normalised numbers, and its eigenvalues by power iteration and deflation.
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
  const columns = Array.from({ length: WIDTH }, (_, i) => {
    const column = states.map((x) => x[i]);
    const middle = mean(column), deviation = Math.sqrt(mean(column.map((x) => (x - middle) ** 2)));
    return column.map((x) => (x - middle) / deviation);
  });
  const covariance = columns.map((a) => columns.map((b) => mean(a.map((x, n) => x * b[n]))));
  const left = covariance.map((row) => [...row]);
  let best = 0;
  for (let k = 0; k < 3; k++) {
    let v = Array.from({ length: WIDTH }, (_, i) => 1 + i / 10);
    let value = 0;
    for (let step = 0; step < 3000; step++) {
      const image = left.map((row) => dot(row, v));
      value = Math.hypot(...image);
      v = image.map((x) => x / value);
    }
    best += value;
    left.forEach((row, i) => row.forEach((_, j) => row[j] -= value * v[i] * v[j]));
  }
  const held = components.reduce((sum, v) => sum + dot(v, covariance.map((row) => dot(row, v))), 0);
  assert.ok(held <= best + 1e-9 && held > 0.999 * best, `${held} of ${best}`);
});

test("what is projected has length 1, and like states stay alike; fewer states than components are no matter", () => {
  const states = drawn(100);
  const reduction = fitted(states, 3);
  const near = (a: Float32Array, b: Float32Array) => dot(reduction.project(a), reduction.project(b));
  for (const state of states.slice(0, 20)) {
    assert.ok(Math.abs(near(state, state) - 1) < 1e-6);
    assert.ok(near(state, state.map((x) => x * 1.0001)) > 0.999);
  }
  assert.ok(states.some((state) => near(state, states[0]) < 0));
  assert.ok(fitted(states.slice(0, 3), 5).components.length <= 2);
  assert.deepEqual(unit([3, 4]), Float32Array.of(3 / 5, 4 / 5));
  assert.deepEqual(unit([0, 0]), Float32Array.of(0, 0));
});
