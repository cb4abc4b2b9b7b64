// Probabilities over a vocabulary. Dense, or sparse where truncation left few tokens. All sums are in float64.

/**
 * A probability distribution over tokens `0 … vocab-1`.
 *
 * Dense: `tokens` is undefined and `probabilities[t]` belongs to token `t`; length `vocab`.
 * Sparse: `tokens` is ascending without repeats, `probabilities[i]` belongs to `tokens[i]`, every other token has 0.
 * Values are ≥ 0, finite and sum to 1 up to rounding.
 */
export interface Distribution {
  readonly vocab: number;
  readonly tokens?: Int32Array;
  readonly probabilities: Float64Array;
}
