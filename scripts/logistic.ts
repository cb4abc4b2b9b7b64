// Logistic regression for scripts that train small judges: all examples at once, by Newton's method.

/** Features [examples][width] with their answers. */
export interface Examples {
  readonly features: readonly Float32Array[];
  readonly answers: readonly boolean[];
}

/** σ(weights · x + bias) is how likely the answer is yes. */
export interface Logistic {
  readonly weights: Float64Array;
  readonly bias: number;
}

/**
 * The least of Σ weight·loss + `ridge`/2·|weights|² per example of standardised features, the two answers counting alike
 * however many of each there are; told for the features as they are. `rounds` of Newton's method, each solved by conjugate
 * gradients.
 */
export function fitLogistic({ features, answers }: Examples, ridge: number, rounds = 8): Logistic {
  const width = features[0].length, count = features.length;
  const mean = new Float64Array(width), deviation = new Float64Array(width);
  for (const x of features) for (let i = 0; i < width; i++) mean[i] += x[i] / count;
  for (const x of features) for (let i = 0; i < width; i++) deviation[i] += (x[i] - mean[i]) ** 2 / count;
  for (let i = 0; i < width; i++) deviation[i] = Math.sqrt(deviation[i]) || 1;
  // A last feature, 1, is for the bias; it is not held down.
  const rows = features.map((x) =>
    Float64Array.from({ length: width + 1 }, (_, i) => i < width ? (x[i] - mean[i]) / deviation[i] : 1)
  );
  const right = answers.filter(Boolean).length;
  const counts = answers.map((yes) => count / (2 * (yes ? right : count - right)));
  const held = (v: Float64Array, i: number) => i < width ? ridge * count * v[i] : 0;
  const w = new Float64Array(width + 1);
  for (let round = 0; round < rounds; round++) {
    const gradient = new Float64Array(width + 1);
    const curvature = rows.map((x, n) => {
      const p = sigmoid(dot(w, x));
      add(gradient, x, counts[n] * (p - (answers[n] ? 1 : 0)));
      return counts[n] * p * (1 - p);
    });
    for (let i = 0; i <= width; i++) gradient[i] += held(w, i);
    const step = solve((v) => {
      const out = Float64Array.from(v, (_, i) => held(v, i) + 1e-9 * v[i]);
      rows.forEach((x, n) => add(out, x, curvature[n] * dot(v, x)));
      return out;
    }, gradient);
    for (let i = 0; i <= width; i++) w[i] -= step[i];
  }
  const weights = Float64Array.from({ length: width }, (_, i) => w[i] / deviation[i]);
  return { weights, bias: w[width] - dot(weights, mean) };
}

export function likelihoodOf({ weights, bias }: Logistic, features: ArrayLike<number>): number {
  return sigmoid(bias + dot(weights, features));
}

/** How often a yes is found likelier than a no; 0.5 by chance. */
export function rankQuality(scores: readonly number[], answers: readonly boolean[]): number {
  const order = [...scores.keys()].sort((a, b) => scores[a] - scores[b]);
  let [no, yes, above] = [0, 0, 0];
  for (const n of order) {
    if (answers[n]) {
      yes++;
      above += no;
    } else no++;
  }
  return above / (yes * no);
}

/** x with A·x = b, A symmetric and positive, by conjugate gradients. */
function solve(times: (v: Float64Array) => Float64Array, b: Float64Array, most = 100): Float64Array {
  const x = new Float64Array(b.length), residual = b.slice(), direction = b.slice();
  let squared = dot(residual, residual);
  const enough = squared * 1e-16;
  for (let step = 0; step < most && squared > enough; step++) {
    const image = times(direction);
    const length = squared / dot(direction, image);
    add(x, direction, length);
    add(residual, image, -length);
    const next = dot(residual, residual);
    for (let i = 0; i < direction.length; i++) direction[i] = residual[i] + next / squared * direction[i];
    squared = next;
  }
  return x;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i] * b[i];
  return sum;
}

function add(to: Float64Array, x: ArrayLike<number>, times: number): void {
  for (let i = 0; i < to.length; i++) to[i] += times * x[i];
}
