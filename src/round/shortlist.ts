// The sampling distribution of a row from its few likeliest tokens, where they settle it: the rest of the vocabulary then
// stays where it was computed.
import { MOST_CANDIDATES, type Scores } from "../backend.ts";
import type { Distribution } from "../math/distribution.ts";
import { REACHED, truncate, truncateAfterTopP } from "../math/truncation.ts";
import type { Sampling } from "../sampling.ts";
import type { Penalty } from "./penalty.ts";

/** Below this much of the original mass, float32 probabilities no longer say how much is left. */
const ENOUGH_LEFT = 1e-3;

/** Whether a few likeliest tokens may settle what is left of a distribution. */
export function shortens({ topK, topP, minP, repetitionPenalty }: Sampling): boolean {
  if (topK === 0 && topP >= 1 && minP === 0) return false; // nothing is left out, or only the typical decides
  return topK <= MOST_CANDIDATES && repetitionPenalty >= 1;
}

/**
 * The sampling distribution of a row, from its likeliest tokens alone; undefined where they do not settle it.
 *
 * With top-p 0.7 and the likeliest tokens 0.5, 0.3, 0.1, … two settle it: 0.5 / 0.8 and 0.3 / 0.8.
 */
export function shortDistribution(
  scores: Scores,
  row: number,
  sampling: Sampling,
  penalty: Penalty,
): Distribution | undefined {
  const { topK, topP, minP } = sampling;
  if (!shortens(sampling)) return undefined;
  const { tokens, probabilities, bound } = shortlist(scores, row, sampling, penalty) ??
    { tokens: [], probabilities: [], bound: 1 };
  const kept = (count: number) => ascending(scores.vocab, tokens.slice(0, count), probabilities.slice(0, count));
  if (topK > 0) {
    return topK <= tokens.length || tokens.length === scores.vocab ? truncate(kept(topK), sampling) : undefined;
  }
  if (topP < 1) {
    let sum = 0;
    for (let i = 0; i < tokens.length; i++) {
      sum += probabilities[i];
      if (sum >= topP - REACHED) return truncateAfterTopP(kept(i + 1), sampling);
    }
    return undefined;
  }
  return bound < minP * probabilities[0] ? truncateAfterTopP(kept(tokens.length), sampling) : undefined;
}

/** The likeliest tokens of a row, penalised: every token that is not listed is at most `bound`. */
interface Shortlist {
  /** Most likely first, equal ones by ascending id. */
  readonly tokens: Int32Array;
  /** Of the whole soft-max. */
  readonly probabilities: Float64Array;
  readonly bound: number;
}

/** Undefined where the penalties leave too little of the mass to tell. */
function shortlist(scores: Scores, row: number, sampling: Sampling, penalty: Penalty): Shortlist | undefined {
  const { tokens, probabilities } = scores.top(row, MOST_CANDIDATES);
  const bound = tokens.length === scores.vocab ? -1 : probabilities[probabilities.length - 1];
  if (!penalty.active) return { tokens, probabilities: Float64Array.from(probabilities), bound };
  const logits = scores.logits(row);
  const factors = new Map<number, number>();
  let left = 1;
  for (const token of penalty.recent(row)) {
    const factor = Math.exp((penalty.of(logits[token]) - logits[token]) / sampling.temperature);
    factors.set(token, factor);
    left -= scores.probability(row, token) * (1 - factor);
  }
  if (!(left > ENOUGH_LEFT)) return undefined;
  const ranked = Array.from(tokens, (token, i) => ({ token, p: probabilities[i] * (factors.get(token) ?? 1) }))
    .filter(({ p }) => p > bound) // below it, a token that is not listed may come first
    .sort((a, b) => b.p - a.p || a.token - b.token);
  return {
    tokens: Int32Array.from(ranked, ({ token }) => token),
    probabilities: Float64Array.from(ranked, ({ p }) => p / left),
    bound: bound / left,
  };
}

/** A renormalised sparse distribution of distinct tokens in any order. */
function ascending(vocab: number, tokens: ArrayLike<number>, probabilities: ArrayLike<number>): Distribution {
  const order = Array.from(tokens, (_, i) => i).sort((a, b) => tokens[a] - tokens[b]);
  let sum = 0;
  for (const i of order) sum += probabilities[i];
  return {
    vocab,
    tokens: Int32Array.from(order, (i) => tokens[i]),
    probabilities: Float64Array.from(order, (i) => probabilities[i] / sum),
  };
}
