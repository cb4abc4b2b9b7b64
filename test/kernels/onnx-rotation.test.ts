// The rotations of int8 against their own matrix in float64: rows, rows back, columns, and the two halves of one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rotation } from "../../kernels/onnx/hadamard.ts";
import { randomFrom } from "./support/random.ts";

const SIZES = [1, 2, 4, 7, 8, 12, 36, 60, 96, 128, 288, 576];
const WIDE = 5;

function near(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  assert.equal(got.length, want.length);
  for (let i = 0; i < want.length; i++) assert.ok(Math.abs(got[i] - want[i]) < 1e-5, `${what}, element ${i}`);
}

/** left [m, n] times right [n, k] */
function product(left: ArrayLike<number>, right: ArrayLike<number>, m: number, n: number, k: number): Float64Array {
  const out = new Float64Array(m * k);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) for (let c = 0; c < k; c++) out[i * k + c] += left[i * n + j] * right[j * k + c];
  }
  return out;
}

function transposed(matrix: Float32Array, size: number): Float32Array {
  return matrix.map((_, i) => matrix[i % size * size + Math.floor(i / size)]);
}

for (const size of SIZES) {
  test(`a rotation of ${size} is orthogonal, and turns rows and columns as its matrix does`, () => {
    const random = randomFrom(size);
    const rotation = Rotation.random(size);
    const q = rotation.matrix();
    const back = transposed(q, size);
    const identity = new Float64Array(size * size).map((_, i) => i % (size + 1) === 0 ? 1 : 0);
    near(product(q, back, size, size, size), identity, "Q·Qᵀ");
    const values = new Float32Array(WIDE * size).map(() => random.normal());
    const [rows, columns] = [values.slice(), values.slice()];
    rotation.rotateRows(rows);
    near(rows, product(values, q, WIDE, size, size), "rows");
    rotation.rotateRowsBack(rows);
    near(rows, values, "rows back");
    rotation.rotateColumns(columns, WIDE);
    near(columns, product(back, values, size, size, WIDE), "columns");
    const { a, b, left, right } = new Rotation(size).halves();
    const plain = new Rotation(size).matrix();
    near(
      plain.map((_, i) => {
        const [row, column] = [Math.floor(i / size), i % size];
        const [up, down] = [Math.floor(row / b) * a + Math.floor(column / b), row % b * b + column % b];
        return left[up] * right[down];
      }),
      plain,
      "halves",
    );
  });
}

test("rows do not depend on those beside them", () => {
  const rotation = Rotation.random(576);
  const random = randomFrom(1);
  const rows = new Float32Array(3 * 576).map(() => random.normal());
  const alone = rows.slice(576, 2 * 576);
  rotation.rotateRows(rows);
  rotation.rotateRows(alone);
  assert.deepEqual(rows.slice(576, 2 * 576), alone);
});
