// How likely a candidate is to be accepted, learned from those that were: logistic regression, one step a verdict.
// Adaptive Subgradient Methods for Online Learning and Stochastic Optimization (Duchi et al., 2011, JMLR 12) for the
// step sizes: what is seldom seen takes large steps, what is often seen settles.

const RATE = 0.15;

/** What is known of a candidate, one number a feature. Zeros cost nothing and teach nothing. */
export type Features = Float64Array;

export class Calibration {
  readonly weights: Float64Array;
  readonly #steps: Float64Array;

  /** `weights`: where to start; `trust`: how many verdicts those are worth, 1 or more. */
  constructor(weights: ArrayLike<number>, trust = 1) {
    this.weights = Float64Array.from(weights);
    this.#steps = new Float64Array(weights.length).fill(trust);
  }

  /** The probability that a candidate is accepted, given that the node above it is, 0 … 1. */
  probability(features: Features): number {
    let odds = 0;
    for (let i = 0; i < features.length; i++) odds += this.weights[i] * features[i];
    return 1 / (1 + Math.exp(-odds));
  }

  /** A candidate was verified, and the node above it accepted. */
  see(features: Features, accepted: boolean): void {
    const off = this.probability(features) - (accepted ? 1 : 0);
    for (let i = 0; i < features.length; i++) {
      const slope = off * features[i];
      if (slope === 0) continue;
      this.#steps[i] += slope * slope;
      this.weights[i] -= RATE * slope / Math.sqrt(this.#steps[i]);
    }
  }
}

/** ln(p / (1 − p)) of a share of `hits` in `all`, both counted with a half and one more. */
export function logOdds(hits: number, all: number): number {
  return Math.log((hits + 0.5) / (all - hits + 0.5));
}
