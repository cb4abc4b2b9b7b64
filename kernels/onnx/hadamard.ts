// Orthogonal matrices that cost almost nothing to apply: Kronecker products of Hadamard matrices.
//
// They spread every number of a vector over all of it, which leaves no outliers for 8-bit rounding to suffer from
// (QuaRot: Outlier-Free 4-Bit Inference in Rotated LLMs, 2024, arXiv 2404.00456). Orders that are no power of two come
// from Paley's first construction (On Orthogonal Matrices, 1933): order q + 1 for a prime q of the form 4k + 3.

/** One Kronecker factor, as rows of ±1; `undefined` entries: an identity of that order, where no matrix is known. */
interface Factor {
  readonly order: number;
  readonly rows?: readonly Float32Array[];
}

/** Largest order of a Paley matrix that is used, and of the right half of a rotation inside a graph. */
const LARGEST = 256;
const HALF = 128;

export class Rotation {
  readonly #factors: readonly Factor[];
  readonly #scale: number;

  /** `signs` flips some inputs first, which makes the rotation a random one; absent: none. */
  constructor(readonly size: number, private readonly signs?: Float32Array) {
    this.#factors = factorise(size);
    this.#scale = this.#factors.reduce((product, { order, rows }) => rows ? product / Math.sqrt(order) : product, 1);
  }

  /** Random signs that are the same on every machine. */
  static random(size: number): Rotation {
    let state = size >>> 0;
    const signs = Float32Array.from({ length: size }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator
      return state >>> 31 ? 1 : -1;
    });
    return new Rotation(size, signs);
  }

  /** Replaces each row x of `data` [rows, size] by x·Q. */
  rotateRows(data: Float32Array): void {
    const { size, signs } = this;
    if (signs) { for (let i = 0, s = 0; i < data.length; i++, s = s + 1 === size ? 0 : s + 1) data[i] *= signs[s]; }
    let stride = size;
    for (const { order, rows } of this.#factors) {
      stride /= order;
      if (rows) applyFactor(data, rows, stride);
    }
    for (let i = 0; i < data.length; i++) data[i] *= this.#scale;
  }

  /** Replaces each row x of `data` [rows, size] by x·Qᵀ: undoes `rotateRows`. */
  rotateRowsBack(data: Float32Array): void {
    const { size, signs } = this;
    let stride = size;
    for (const { order, rows } of this.#factors) {
      stride /= order;
      if (rows) applyFactor(data, rows.map((_, j) => Float32Array.from(rows, (row) => row[j])), stride);
    }
    for (let i = 0; i < data.length; i++) data[i] *= signs ? this.#scale * signs[i % size] : this.#scale;
  }

  /** Replaces each column y of `data` [size, columns] by Qᵀ·y. */
  rotateColumns(data: Float32Array, columns: number): void {
    const { size, signs } = this;
    const block = size * columns;
    if (signs) {
      for (let i = 0; i < data.length; i++) data[i] *= signs[Math.floor(i % block / columns)];
    }
    let stride = size;
    for (const { order, rows } of this.#factors) {
      stride /= order;
      if (rows) applyFactor(data, rows, stride * columns);
    }
    for (let i = 0; i < data.length; i++) data[i] *= this.#scale;
  }

  /** Q itself, [size, size]. */
  matrix(): Float32Array {
    const matrix = new Float32Array(this.size * this.size);
    for (let i = 0; i < this.size; i++) matrix[i * this.size + i] = 1;
    this.rotateRows(matrix);
    return matrix;
  }

  /** Two factors a ⊗ b = Q (without signs), for applying Q inside a graph by two small products. */
  halves(): { a: number; b: number; left: Float32Array; right: Float32Array } {
    let [b, split] = [1, this.#factors.length];
    while (split > 0 && b * this.#factors[split - 1].order <= HALF) b *= this.#factors[--split].order;
    return {
      a: this.size / b,
      b,
      left: dense(this.#factors.slice(0, split)),
      right: dense(this.#factors.slice(split)),
    };
  }
}

/** A few factors as one matrix, [order, order]. */
function dense(factors: readonly Factor[]): Float32Array {
  const order = factors.reduce((total, factor) => total * factor.order, 1);
  const matrix = new Float32Array(order * order);
  for (let i = 0; i < order; i++) matrix[i * order + i] = 1;
  let stride = order;
  let scale = 1;
  for (const factor of factors) {
    stride /= factor.order;
    if (!factor.rows) continue;
    applyFactor(matrix, factor.rows, stride);
    scale /= Math.sqrt(factor.order);
  }
  return matrix.map((value) => value * scale);
}

/**
 * Multiplies by a factor along one axis of `data` [outer, order, stride]: x_j ← Σ_i x_i·rows[i][j].
 */
function applyFactor(data: Float32Array, rows: readonly Float32Array[], stride: number): void {
  const order = rows.length;
  const span = order * stride;
  if (order === 2) {
    for (let base = 0; base < data.length; base += span) {
      for (let i = base; i < base + stride; i++) {
        const [x, y] = [data[i], data[i + stride]];
        data[i] = x + y;
        data[i + stride] = x - y;
      }
    }
    return;
  }
  const x = new Float32Array(order);
  const flat = new Float32Array(order * order); // transposed: all that one result needs in a row
  for (let i = 0; i < order; i++) for (let j = 0; j < order; j++) flat[j * order + i] = rows[i][j];
  for (let base = 0; base < data.length; base += span) {
    for (let inner = base; inner < base + stride; inner++) {
      for (let i = 0, at = inner; i < order; i++, at += stride) x[i] = data[at];
      for (let j = 0, at = inner, f = 0; j < order; j++, at += stride) {
        let sum = 0;
        for (let i = 0; i < order; i++, f++) sum += x[i] * flat[f];
        data[at] = sum;
      }
    }
  }
}

/** Factors whose orders multiply to `size`: Paley matrices for odd primes while there are twos left, then order 2. */
function factorise(size: number): Factor[] {
  let [odd, twos] = [size, 0];
  for (; odd % 2 === 0; odd /= 2) twos++;
  const factors: Factor[] = [];
  for (let prime = 3; odd > 1; prime += 2) {
    for (; odd % prime === 0; odd /= prime) {
      let power = 2;
      while (power <= twos && !isPrime(prime * 2 ** power - 1)) power++;
      if (power <= twos && prime * 2 ** power <= LARGEST) {
        factors.push({ order: prime * 2 ** power, rows: paley(prime * 2 ** power) });
        twos -= power;
      } else {
        factors.push({ order: prime });
      }
    }
  }
  const two = [Float32Array.of(1, 1), Float32Array.of(1, -1)];
  for (let i = 0; i < twos; i++) factors.push({ order: 2, rows: two });
  return factors;
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
}

/** Paley's first construction: I + S with S skew, from the quadratic residues modulo the prime order − 1. */
function paley(order: number): Float32Array[] {
  const q = order - 1;
  const residue = new Set(Array.from({ length: q - 1 }, (_, i) => (i + 1) ** 2 % q));
  return Array.from({ length: order }, (_, i) =>
    Float32Array.from({ length: order }, (_, j) => {
      if (i === j) return 1;
      if (i === 0) return 1;
      if (j === 0) return -1;
      return residue.has((((j - i) % q) + q) % q) ? 1 : -1;
    }));
}
