// Hidden states made short and comparable: every number by its mean and deviation, the principal components of that, unit
// length. What DReSD does before it looks for neighbours (2025, arXiv 2502.15572).

/** Steps of subspace iteration; each takes samples · width · components · 2 products, twice. */
const STEPS = 5;

/** What states become: of the first ones seen, for those to come. */
export class Reduction {
  constructor(
    readonly mean: Float64Array,
    readonly deviation: Float64Array,
    /** [components][width], orthonormal. */
    readonly components: readonly Float64Array[],
  ) {}

  /**
   * Fits to states of one width, `most` components, or as many as there are states or numbers. Yields between steps, each
   * some milliseconds, so that a round need not wait for all; returns the reduction.
   */
  static *fitting(states: readonly Float32Array[], most: number): Generator<void, Reduction> {
    const width = states[0].length;
    const mean = new Float64Array(width), deviation = new Float64Array(width);
    for (const x of states) for (let i = 0; i < width; i++) mean[i] += x[i] / states.length;
    for (const x of states) for (let i = 0; i < width; i++) deviation[i] += (x[i] - mean[i]) ** 2 / states.length;
    for (let i = 0; i < width; i++) deviation[i] = Math.sqrt(deviation[i]) || 1;
    const rows = states.map((x) => Float64Array.from(x, (value, i) => (value - mean[i]) / deviation[i]));
    // From states spread over all of them towards the directions of most variance: v ← XᵀX v, made orthonormal.
    const count = Math.min(most, width, rows.length - 1);
    let basis = orthonormal(Array.from({ length: count }, (_, i) => rows[Math.floor(i * rows.length / count)].slice()));
    for (let step = 0; step < STEPS; step++) {
      yield;
      basis = orthonormal(basis.map((v) => {
        const image = new Float64Array(width);
        for (const x of rows) add(image, x, dot(x, v));
        return image;
      }));
    }
    return new Reduction(mean, deviation, basis);
  }

  /** [components] Of unit length. */
  project(state: ArrayLike<number>): Float32Array {
    const x = Float64Array.from(this.mean, (mean, i) => (state[i] - mean) / this.deviation[i]);
    return unit(this.components.map((component) => dot(component, x)));
  }
}

/** The same direction, of length 1; 0 stays. */
export function unit(values: ArrayLike<number>): Float32Array {
  let squared = 0;
  for (let i = 0; i < values.length; i++) squared += values[i] * values[i];
  return Float32Array.from(values, (value) => value / (Math.sqrt(squared) || 1));
}

/** Gram and Schmidt, twice over, because rounding leaves something of what was taken out; what is nothing then is left out. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const out: Float64Array[] = [];
  for (const v of vectors) {
    const whole = Math.sqrt(dot(v, v));
    for (let pass = 0; pass < 2; pass++) for (const other of out) add(v, other, -dot(v, other));
    const length = Math.sqrt(dot(v, v));
    if (!(length > 1e-9 * whole)) continue;
    for (let i = 0; i < v.length; i++) v[i] /= length;
    out.push(v);
  }
  return out;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function add(to: Float64Array, x: Float64Array, times: number): void {
  for (let i = 0; i < to.length; i++) to[i] += times * x[i];
}
