// The feed-forward block, plain or gated: GLU Variants Improve Transformer (2020, arXiv 2002.05202), with SiLU or
// Gaussian Error Linear Units (2016, arXiv 1606.08415), alone or one of many: Outrageously Large Neural Networks: The
// Sparsely-Gated Mixture-of-Experts Layer (2017, arXiv 1701.06538).
import { match } from "ts-pattern";
import type { Activation, ExpertsSpec, FeedForwardSpec } from "../../src/model/spec/spec.ts";
import { type Matrix, multiply } from "./matrix.ts";

export interface FeedForwardWeights {
  readonly gate?: Matrix; // [hidden, width]
  readonly up: Matrix; // [hidden, width]
  readonly down: Matrix; // [width, hidden]
}

/** The blocks that a router chooses among; what is not chosen is not computed. */
export interface ExpertWeights {
  readonly router: Matrix; // [experts, width]
  readonly experts: readonly FeedForwardWeights[];
}

/** [width] → [width] */
export function feedForward(
  x: Float64Array,
  weights: FeedForwardWeights | ExpertWeights,
  spec: FeedForwardSpec,
): Float64Array {
  if (!("router" in weights)) return block(x, weights, spec);
  const out = new Float64Array(x.length);
  for (const { expert, weight } of route(multiply(weights.router, x), spec.experts!)) {
    block(x, weights.experts[expert], spec).forEach((value, i) => out[i] += weight * value);
  }
  return out;
}

/** The experts with the largest scores, in order of their number; among equals the first. */
export function route(scores: Float64Array, { used, share }: ExpertsSpec): { expert: number; weight: number }[] {
  const order = Array.from(scores, (_, expert) => expert).sort((a, b) => scores[b] - scores[a] || a - b);
  const chosen = order.slice(0, used);
  const exp = (expert: number) => Math.exp(scores[expert] - scores[order[0]]);
  const total = (share === "all" ? order : chosen).reduce((sum, expert) => sum + exp(expert), 0);
  return chosen.sort((a, b) => a - b).map((expert) => ({ expert, weight: exp(expert) / total }));
}

function block(x: Float64Array, weights: FeedForwardWeights, spec: FeedForwardSpec): Float64Array {
  const up = multiply(weights.up, x);
  const act = activation(spec.activation);
  if (!weights.gate) return multiply(weights.down, up.map(act));
  const gate = multiply(weights.gate, x);
  if (spec.clamp) {
    const { limit, alpha } = spec.clamp;
    const clamped = up.map((value, i) => {
      const open = Math.min(gate[i], limit);
      return open / (1 + Math.exp(-alpha * open)) * (Math.max(-limit, Math.min(limit, value)) + 1);
    });
    return multiply(weights.down, clamped);
  }
  return multiply(weights.down, up.map((value, i) => act(gate[i]) * value));
}

export function activation(name: Activation): (x: number) => number {
  return match(name)
    .with("silu", () => (x: number) => x / (1 + Math.exp(-x)))
    .with("gelu", () => (x: number) => x * 0.5 * (1 + erf(x / Math.SQRT2)))
    .with("gelu-tanh", () => (x: number) => x * 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))))
    .exhaustive();
}

/**
 * The error function, to about 1e-15: 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·5···(2n+1)), whose terms
 * all have one sign (Abramowitz and Stegun 7.1.6). Past 6 it is 1 to the last bit.
 */
export function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}
