// A Gaussian process: against a second formulation, and by what it must say of values that it was given.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockSearch, skipOf } from "../../src/draft/block-search.ts";
import { GaussianProcess } from "../../src/math/gaussian-process.ts";
import { hashed } from "../support/table-engine.ts";

/** x of matrix · x = values, by elimination with pivots. */
function solved(matrix: readonly (readonly number[])[], values: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, values[i]]);
  for (let k = 0; k < rows.length; k++) {
    const pivot = rows.slice(k).reduce((best, row, i) => Math.abs(row[k]) > Math.abs(rows[best][k]) ? i + k : best, k);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = 0; i < rows.length; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      rows[i] = rows[i].map((value, j) => value - factor * rows[k][j]);
    }
  }
  return rows.map((row, i) => row[rows.length] / row[i]);
}

const POINTS = Array.from({ length: 12 }, (_, i) => Array.from({ length: 6 }, (_, j) => hashed(7, i, j)));

test("a Gaussian process says what the formulas say, written down once more", () => {
  const values = POINTS.map((point) => point[0] - 2 * point[3] + Math.sin(4 * point[1]));
  const process = new GaussianProcess(POINTS, values);
  const mean = values.reduce((a, b) => a + b) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const normal = values.map((value) => (value - mean) / spread);
  const probe = POINTS[0].map((value, j) => (value + j / 6) / 2);
  const said = [0.1, 0.2, 0.4, 0.8, 1.6].map((share) => {
    const k = (a: readonly number[], b: readonly number[]) => {
      const r = Math.sqrt(5) * Math.hypot(...a.map((x, i) => x - b[i])) / (share * Math.sqrt(6));
      return (1 + r + r ** 2 / 3) * Math.exp(-r);
    };
    const matrix = POINTS.map((a, i) => POINTS.map((b, j) => k(a, b) + (i === j ? 0.01 : 0)));
    const like = POINTS.map((point) => k(probe, point));
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    return {
      mean: mean + spread * dot(like, solved(matrix, normal)),
      deviation: spread * Math.sqrt(1 - dot(like, solved(matrix, like))),
    };
  });
  const { mean: own, deviation } = process.at(probe);
  const near = said.filter((one) => Math.abs(one.mean - own) < 1e-9 && Math.abs(one.deviation - deviation) < 1e-9);
  assert.equal(near.length, 1, `${own} ± ${deviation} is none of ${JSON.stringify(said)}`);
});

test("it is sure where it was told, and unsure far away", () => {
  const process = new GaussianProcess(POINTS, POINTS.map((point) => point[2]));
  for (const point of POINTS) {
    assert.ok(Math.abs(process.at(point).mean - point[2]) < 0.1);
    assert.ok(process.at(point).deviation < process.at(point.map((x) => x + 3)).deviation);
  }
});

test("equal values and a single one are no trouble", () => {
  assert.deepEqual(new GaussianProcess([[0, 1]], [3]).at([0, 1]).mean, 3);
  assert.ok(Math.abs(new GaussianProcess([[0, 1], [1, 1]], [3, 3]).at([0, 0]).mean - 3) < 1e-12);
});

test("the search finds the blocks that cost least to leave out, sooner than chance does", () => {
  const layers = 12;
  const loss = Float64Array.from({ length: 2 * layers }, (_, i) => hashed(3, i) ** 3);
  const score = (blocks: Uint8Array) => -blocks.reduce((sum, left, i) => sum + (left ? loss[i] : 0), 0);
  const run = (bayes: boolean, seed: string) => {
    const search = new BlockSearch(layers, Array.from({ length: layers }, (_, i) => i), 8, seed);
    for (let i = 0; i < 48; i++) {
      const blocks = bayes && i >= 8 ? search.promising() : search.random();
      assert.equal(blocks.reduce((a, b) => a + b, 0), 8);
      search.tell(blocks, score(blocks));
    }
    return search.best!.score;
  };
  const seeds = ["a", "b", "c", "d"];
  const mean = (bayes: boolean) => seeds.reduce((sum, seed) => sum + run(bayes, seed), 0) / seeds.length;
  const most = -[...loss].sort((a, b) => a - b).slice(0, 8).reduce((a, b) => a + b);
  assert.ok(mean(true) > mean(false) + 0.1, `${mean(true)} of at most ${most}, at random ${mean(false)}`);
  assert.ok(mean(true) > most - 0.15, `${mean(true)} of at most ${most}`);
});

test("layers that must stay lose no block, and sets are told apart by layer and kind", () => {
  const search = new BlockSearch(4, [1, 2], undefined, "seed");
  for (let i = 0; i < 20; i++) {
    const blocks = i % 2 === 0 ? search.random() : search.promising();
    const { attention, feedForward } = skipOf(blocks);
    for (const layer of [...attention, ...feedForward]) assert.ok(layer === 1 || layer === 2);
    search.tell(blocks, i);
  }
  assert.deepEqual(skipOf(Uint8Array.of(0, 1, 0, 0, 0, 0, 1, 1)), { attention: [1], feedForward: [2, 3] });
});
