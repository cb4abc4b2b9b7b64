// What a function is likely to be at a place, from noisy values at others: a Gaussian process with the Matérn kernel of
// smoothness 5/2. Gaussian Processes for Machine Learning (Rasmussen & Williams, 2006), algorithm 2.1.

/** Of the values' variance. */
const NOISE = 1e-2;
/** Length scales that are tried, in the length of the diagonal of the unit cube; the likeliest stands. */
const SCALES = [0.1, 0.2, 0.4, 0.8, 1.6];

export interface Estimate {
  readonly mean: number;
  /** Standard deviation, ≥ 0. */
  readonly deviation: number;
}

interface Fit {
  readonly scale: number;
  /** [n] Rows of the lower triangle whose product with its transpose is the kernel matrix with noise. */
  readonly factor: readonly Float64Array[];
  /** [n] The inverse of that matrix times the normalised values. */
  readonly weights: Float64Array;
  /** Log likelihood of the values, less a constant. */
  readonly likelihood: number;
}

export class GaussianProcess {
  readonly #points: readonly ArrayLike<number>[];
  readonly #centre: number;
  readonly #spread: number;
  readonly #fit: Fit;

  /** `points`: [n ≥ 1] coordinates in 0 … 1, as many for each; `values`: [n]. */
  constructor(points: readonly ArrayLike<number>[], values: readonly number[]) {
    this.#points = points;
    this.#centre = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - this.#centre) ** 2, 0) / values.length;
    this.#spread = Math.sqrt(variance) || 1;
    const normal = Float64Array.from(values, (value) => (value - this.#centre) / this.#spread);
    const fits = SCALES.map((scale) => fitted(points, normal, scale * Math.sqrt(points[0].length)));
    this.#fit = fits.reduce((best, fit) => fit.likelihood > best.likelihood ? fit : best);
  }

  at(point: ArrayLike<number>): Estimate {
    const { scale, factor, weights } = this.#fit;
    const like = Float64Array.from(this.#points, (other) => kernel(point, other, scale));
    const rest = forwards(factor, like);
    const mean = like.reduce((sum, value, i) => sum + value * weights[i], 0);
    const known = rest.reduce((sum, value) => sum + value * value, 0);
    return {
      mean: this.#centre + this.#spread * mean,
      deviation: this.#spread * Math.sqrt(Math.max(0, 1 - known)),
    };
  }
}

function fitted(points: readonly ArrayLike<number>[], values: Float64Array, scale: number): Fit {
  const factor: Float64Array[] = [];
  let likelihood = 0;
  points.forEach((point, i) => {
    const row = new Float64Array(i + 1);
    for (let j = 0; j <= i; j++) {
      let sum = kernel(point, points[j], scale) + (i === j ? NOISE : 0);
      for (let k = 0; k < j; k++) sum -= row[k] * (factor[j] ?? row)[k];
      row[j] = i === j ? Math.sqrt(sum) : sum / factor[j][j];
    }
    factor.push(row);
    likelihood -= Math.log(row[i]);
  });
  const half = forwards(factor, values);
  const weights = backwards(factor, half);
  return { scale, factor, weights, likelihood: likelihood - 0.5 * half.reduce((sum, value) => sum + value * value, 0) };
}

function kernel(a: ArrayLike<number>, b: ArrayLike<number>, scale: number): number {
  let square = 0;
  for (let i = 0; i < a.length; i++) square += (a[i] - b[i]) ** 2;
  const r = Math.sqrt(5 * square) / scale;
  return (1 + r + r * r / 3) * Math.exp(-r);
}

/** Solves factor · x = values. */
function forwards(factor: readonly Float64Array[], values: Float64Array): Float64Array {
  const x = new Float64Array(values.length);
  for (let i = 0; i < x.length; i++) {
    let sum = values[i];
    for (let k = 0; k < i; k++) sum -= factor[i][k] * x[k];
    x[i] = sum / factor[i][i];
  }
  return x;
}

/** Solves factorᵀ · x = values. */
function backwards(factor: readonly Float64Array[], values: Float64Array): Float64Array {
  const x = new Float64Array(values.length);
  for (let i = x.length - 1; i >= 0; i--) {
    let sum = values[i];
    for (let k = i + 1; k < x.length; k++) sum -= factor[k][i] * x[k];
    x[i] = sum / factor[i][i];
  }
  return x;
}
