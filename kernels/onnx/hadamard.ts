// Orthogonal matrices that cost almost nothing to apply: Kronecker products of Hadamard matrices.
//
// They spread every number of a vector over all of it, which leaves no outliers for 8-bit rounding to suffer from
// (QuaRot: Outlier-Free 4-Bit Inference in Rotated LLMs, 2024, arXiv 2404.00456). Orders that are no power of two come
// from Paley's first construction (On Orthogonal Matrices, 1933): order q + 1 for a prime q of the form 4k + 3.

/** One Kronecker factor, as rows of ±1; absent: an identity of that order, where no matrix is known. */
interface Factor {
  readonly order: number;
  /** [order, order], and the same transposed. */
  readonly rows?: Float32Array;
  readonly columns?: Float32Array;
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
    // Row by row, which then stays in the processor's cache.
    for (let from = 0; from < data.length; from += size) {
      const row = data.subarray(from, from + size);
      if (signs) { for (let i = 0; i < size; i++) row[i] *= signs[i]; }
      applyFactors(row, this.#factors, size);
      for (let i = 0; i < size; i++) row[i] *= this.#scale;
    }
  }

  /** Replaces each row x of `data` [rows, size] by x·Qᵀ: undoes `rotateRows`. */
  rotateRowsBack(data: Float32Array): void {
    const { size, signs } = this;
    const back = this.#factors.map(({ order, rows, columns }) => ({ order, rows: columns, columns: rows }));
    applyFactors(data, back, size);
    for (let i = 0; i < data.length; i++) data[i] *= signs ? this.#scale * signs[i % size] : this.#scale;
  }

  /** Replaces each column y of `data` [size, columns] by Qᵀ·y. */
  rotateColumns(data: Float32Array, columns: number): void {
    const { size, signs } = this;
    for (let row = 0, from = 0; from < data.length; row = row + 1 === size ? 0 : row + 1, from += columns) {
      if (signs) { for (let i = from; i < from + columns; i++) data[i] *= signs[row]; }
    }
    applyFactors(data, this.#factors, size * columns);
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
  applyFactors(matrix, factors, order);
  let scale = 1;
  for (const factor of factors) if (factor.rows) scale /= Math.sqrt(factor.order);
  return matrix.map((value) => value * scale);
}

/** Multiplies by all factors, one after the other, along neighbouring axes of `data`, which together have `span` elements. */
function applyFactors(data: Float32Array, factors: readonly Factor[], span: number): void {
  let stride = span;
  for (let at = 0; at < factors.length; at++) {
    const { order, columns } = factors[at];
    stride /= order;
    if (!columns) continue;
    if (order > 2) applyFactor(data, columns, order, stride);
    else if (factors[at + 1]?.order === 2) {
      at++;
      stride /= 2;
      applyTwos(data, stride);
    } else applyTwo(data, stride);
  }
}

/** Multiplies along one axis of `data` [outer, order, stride]: x_j ← Σ_i x_i·columns[j][i]. */
function applyFactor(data: Float32Array, columns: Float32Array, order: number, stride: number): void {
  const x = new Float32Array(order);
  for (let base = 0; base < data.length; base += order * stride) {
    for (let inner = base; inner < base + stride; inner++) {
      for (let i = 0, at = inner; i < order; i++, at += stride) x[i] = data[at];
      // Four sums at a time (orders are multiples of four), as each alone would wait for its last addition.
      for (let j = 0, at = inner, f = 0; j < order; j += 4, f += 4 * order) {
        let a = 0, b = 0, c = 0, d = 0;
        for (let i = 0; i < order; i++) {
          const value = x[i];
          a += value * columns[f + i];
          b += value * columns[f + order + i];
          c += value * columns[f + 2 * order + i];
          d += value * columns[f + 3 * order + i];
        }
        data[at] = a;
        data[at += stride] = b;
        data[at += stride] = c;
        data[at += stride] = d;
        at += stride;
      }
    }
  }
}

/** The same for order 2: sum and difference. */
function applyTwo(data: Float32Array, stride: number): void {
  for (let base = 0; base < data.length; base += 2 * stride) {
    for (let i = base, j = base + stride; i < base + stride; i++, j++) {
      const x = data[i], y = data[j];
      data[i] = x + y;
      data[j] = x - y;
    }
  }
}

/** Two factors of order 2, of strides 2·`stride` and `stride`, at once; rounded as one after the other. */
function applyTwos(data: Float32Array, stride: number): void {
  const { fround } = Math;
  for (let base = 0; base < data.length; base += 4 * stride) {
    for (let i = base; i < base + stride; i++) {
      const j = i + stride, k = j + stride, l = k + stride;
      const a = fround(data[i] + data[k]), c = fround(data[i] - data[k]);
      const b = fround(data[j] + data[l]), d = fround(data[j] - data[l]);
      data[i] = a + b;
      data[j] = a - b;
      data[k] = c + d;
      data[l] = c - d;
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
        factors.push(factorOf(paley(prime * 2 ** power)));
        twos -= power;
      } else {
        factors.push({ order: prime });
      }
    }
  }
  const two = factorOf([Float32Array.of(1, 1), Float32Array.of(1, -1)]);
  for (let i = 0; i < twos; i++) factors.push(two);
  return factors;
}

function factorOf(rows: readonly Float32Array[]): Factor {
  const order = rows.length;
  const at = (i: number) => [Math.floor(i / order), i % order] as const;
  return {
    order,
    rows: Float32Array.from({ length: order * order }, (_, i) => rows[at(i)[0]][at(i)[1]]),
    columns: Float32Array.from({ length: order * order }, (_, i) => rows[at(i)[1]][at(i)[0]]),
  };
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
