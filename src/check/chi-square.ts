// Pearson's chi-square test: do so many draws come from this distribution?
import { type Distribution, probability } from "../math/distribution.ts";

export interface ChiSquare {
  readonly statistic: number;
  /** Cells less 1; 0 where nearly all draws must be one token. */
  readonly freedom: number;
  /** Draws of tokens that the distribution excludes; one is enough to refute. */
  readonly impossible: number;
}

/** Cells expected less often than this are put together. */
const RARE = 5;

/** `counts` by token, of any number of draws. */
export function chiSquare(counts: ReadonlyMap<number, number>, expected: Distribution): ChiSquare {
  let draws = 0;
  let impossible = 0;
  for (const [token, count] of counts) {
    draws += count;
    if (!(probability(expected, token) > 0)) impossible += count;
  }
  let statistic = 0;
  let cells = 0;
  let rest = { expected: 0, seen: 0 };
  const add = (cell: typeof rest) => {
    statistic += (cell.seen - cell.expected) ** 2 / cell.expected;
    cells++;
  };
  for (let i = 0; i < expected.probabilities.length; i++) {
    const token = expected.tokens === undefined ? i : expected.tokens[i];
    const cell = { expected: draws * expected.probabilities[i], seen: counts.get(token) ?? 0 };
    if (cell.expected >= RARE) add(cell);
    else rest = { expected: rest.expected + cell.expected, seen: rest.seen + cell.seen };
  }
  if (rest.expected >= RARE) add(rest);
  return { statistic, freedom: Math.max(cells - 1, 0), impossible };
}

/**
 * A chi-square statistic as a standard normal deviate (Wilson & Hilferty, "The distribution of chi-square", 1931): above
 * 5 once in three million tests. Sums of independent statistics have the sum of their freedoms.
 */
export function deviate(statistic: number, freedom: number): number {
  if (freedom < 1) return 0;
  const variance = 2 / (9 * freedom);
  return (Math.cbrt(statistic / freedom) - (1 - variance)) / Math.sqrt(variance);
}
