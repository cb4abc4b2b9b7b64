// Matrices as model files have them, and their product with one vector. Weights are float32, all sums float64.

/** [rows, columns], row-major, with an optional [rows] added to every product. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  readonly bias?: Float32Array;
}

/** matrix · x + bias: [columns] → [rows]. Each sum runs over ascending columns, so its bits depend on nothing else. */
export function multiply(matrix: Matrix, x: Float64Array): Float64Array {
  const { rows, columns, values, bias } = matrix;
  const product = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += values[at++] * x[column];
    product[row] = bias ? sum + bias[row] : sum;
  }
  return product;
}

/** One row as numbers to compute with: [columns]. */
export function rowOf(matrix: Matrix, row: number): Float64Array {
  return Float64Array.from(matrix.values.subarray(row * matrix.columns, (row + 1) * matrix.columns));
}
