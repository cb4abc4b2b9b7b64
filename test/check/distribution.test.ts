// Distributions: dense and sparse forms of the same numbers give the same answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as d from "../../src/math/distribution.ts";

const VOCAB = 7;
const weight = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, {
  weight: 5,
  arbitrary: fc.double({ min: 1e-6, max: 1, noNaN: true }),
}, { weight: 1, arbitrary: fc.constant(5e-324) });
const row = fc.array(weight, { minLength: VOCAB, maxLength: VOCAB }).filter((values) => values.some((v) => v > 1e-9))
  .map((values) => {
    const sum = values.reduce((a, b) => a + b);
    return values.map((value) => value / sum);
  });

/** The same distribution as dense, as sparse without its zeros, and as sparse with them. */
function forms(values: number[]): d.Distribution[] {
  const tokens = values.map((_, i) => i);
  const kept = tokens.filter((i) => values[i] > 0);
  return [
    d.dense(values),
    d.sparse(VOCAB, kept.toReversed(), kept.toReversed().map((i) => values[i])),
    d.sparse(VOCAB, tokens, values),
  ];
}
const values = (x: d.Distribution) => Array.from({ length: VOCAB }, (_, i) => d.probability(x, i));

test("dense, sparse and mixed arguments agree in every operation", () => {
  fc.assert(
    fc.property(row, row, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, scale) => {
      const left = a.map((p, i) => Math.max(scale * p - b[i], 0));
      const close = (x: number, y: number) => assert.ok(Math.abs(x - y) < 1e-12 || x === y, `${x} ${y}`);
      for (const p of forms(a)) {
        assert.deepEqual(values(p), a);
        assert.equal(d.argmax(p), a.indexOf(Math.max(...a)));
        assert.deepEqual(
          new Map(d.entries(p)),
          new Map(a.flatMap((v, i): [number, number][] => v > 0 ? [[i, v]] : [])),
        );
        close(d.entropy(p), a.reduce((s, v) => v > 0 ? s - v * Math.log(v) : s, 0));
        for (const q of forms(b)) {
          values(d.excess(p, q, scale)).forEach((v, i) => close(v, left[i]));
          close(d.overlap(p, q), a.reduce((s, v, i) => s + Math.min(v, b[i]), 0));
          close(d.totalVariation(p, q), a.reduce((s, v, i) => s + Math.abs(v - b[i]), 0) / 2);
          close(d.overlap(p, q) + d.totalVariation(p, q), 1);
          const rest = d.residual(p, q);
          close(d.mass(rest), 1);
          values(rest).forEach((v, i) => assert.ok(v >= 0 && !(v > 0 && a[i] === 0)));
          if (b.some((v, i) => v === 0 && a[i] > 0)) assert.equal(d.divergence(p, q), Infinity);
        }
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("the residual of equal distributions is the distribution itself", () => {
  const p = d.dense([0.2, 0.3, 0.5]);
  assert.deepEqual(d.residual(p, p), p);
});

test("rows that sum to 1 only to float32 are renormalised, others left alone", () => {
  const row = d.dense([0.25, 0.75]);
  assert.equal(d.normalise(row), row);
  assert.ok(Math.abs(d.mass(d.normalise(d.dense([0.25, 0.7500001]))) - 1) < 1e-15);
  assert.throws(() => d.normalise(d.dense([0, 0])), RangeError);
  assert.throws(() => d.normalise(d.dense([NaN, 1])), RangeError);
});

test("removal renormalises the rest and says when nothing is left", () => {
  assert.deepEqual(values(d.without(d.dense([0.5, 0.25, 0.25, 0, 0, 0, 0]), [0])!), [0, 0.5, 0.5, 0, 0, 0, 0]);
  assert.equal(d.without(d.point(VOCAB, 3), [3]), undefined);
});

test("the top tokens come most likely first, equal ones by ascending id", () => {
  assert.deepEqual(d.top(d.dense([0.1, 0.3, 0, 0.3, 0.3]), 3), [1, 3, 4]);
  assert.deepEqual(d.top(d.sparse(9, [8, 2, 5], [0.2, 0.2, 0.6]), 5), [5, 2, 8]);
  assert.deepEqual(d.top(d.dense([1]), 0), []);
});
