// A logistic function fitted as examples come. What delayed and target-init estimate acceptance by; not a shape.

/** Step size, and how strongly weights are drawn back to where they started: rounds are few and much alike. */
const STEP = 0.1;
const RETURN = 1e-3;

export class Logistic {
  readonly #weights: number[];

  /** `start`: the weights before anything was seen, one per feature. Features should be about 1 in size. */
  constructor(private readonly start: readonly number[]) {
    this.#weights = [...start];
  }

  /** 0…1 */
  estimate(features: readonly number[]): number {
    const sum = features.reduce((total, feature, i) => total + feature * this.#weights[i], 0);
    return 1 / (1 + Math.exp(-sum));
  }

  /** One step down the gradient of the log loss. */
  learn(features: readonly number[], happened: boolean): void {
    const error = (happened ? 1 : 0) - this.estimate(features);
    features.forEach((feature, i) => {
      this.#weights[i] += STEP * error * feature - RETURN * (this.#weights[i] - this.start[i]);
    });
  }
}
