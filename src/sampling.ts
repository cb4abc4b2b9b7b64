// How the next token is chosen from the target's scores: temperature, truncation, penalties.
import { HunchError } from "./errors.ts";

/**
 * Applied in this order: repetition penalty, temperature, top-k, top-p, min-p, typical. Each truncation looks at what
 * the ones before it left, renormalised, and leaves at least one token; equal tokens are taken by ascending id.
 *
 * Temperature 0 means greedy: everything but the repetition penalty is then without effect.
 */
export interface Sampling {
  /** 0, or from 1e-30 to 1e30: engines compute with it in float32. */
  readonly temperature: number;
  /** Keep the k likeliest tokens; 0: all. */
  readonly topK: number;
  /** Keep the fewest likeliest tokens whose probabilities reach this, 0 < topP ≤ 1. */
  readonly topP: number;
  /** Drop tokens less likely than this fraction of the likeliest, 0 ≤ minP < 1. */
  readonly minP: number;
  /** Locally typical sampling: keep the tokens nearest the entropy until they reach this mass, 0 < typical ≤ 1; 1: off. */
  readonly typical: number;
  /**
   * Divides positive and multiplies negative logits of tokens in the last `repetitionWindow` tokens of prompt and
   * completion, 0.01 to 100; 1: off. Drafted tokens count for what follows them, as if they had been said.
   */
  readonly repetitionPenalty: number;
  /** ≥ 0 */
  readonly repetitionWindow: number;
}

export const GREEDY: Sampling = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  typical: 1,
  repetitionPenalty: 1,
  repetitionWindow: 64,
};

/** What gives the raw soft-max: temperature 1 and nothing left out, but with the same penalties. */
export function rawSampling({ repetitionPenalty, repetitionWindow }: Sampling): Sampling {
  return { ...GREEDY, temperature: 1, repetitionPenalty, repetitionWindow };
}

/** True where tokens that were said count for less. */
export function penalises({ repetitionPenalty, repetitionWindow }: Sampling): boolean {
  return repetitionPenalty !== 1 && repetitionWindow > 0;
}

const RANGES: Record<keyof Sampling, readonly [valid: (value: number) => boolean, range: string]> = {
  temperature: [(x) => x === 0 || (x >= 1e-30 && x <= 1e30), "that is 0 or from 1e-30 to 1e30"],
  topK: [(x) => Number.isInteger(x) && x >= 0, "that is whole, 0 or more"],
  topP: [(x) => x > 0 && x <= 1, "above 0 and at most 1"],
  minP: [(x) => x >= 0 && x < 1, "from 0 to below 1"],
  typical: [(x) => x > 0 && x <= 1, "above 0 and at most 1"],
  repetitionPenalty: [(x) => x >= 0.01 && x <= 100, "from 0.01 to 100"],
  repetitionWindow: [(x) => Number.isInteger(x) && x >= 0, "that is whole, 0 or more"],
};

/** Throws HunchError("usage") that names the setting, as `nameOf` spells it, and its range. */
export function checkSampling(sampling: Sampling, nameOf: (key: keyof Sampling) => string = (key) => key): void {
  for (const [name, [valid, range]] of Object.entries(RANGES)) {
    const key = name as keyof Sampling;
    const value = sampling[key];
    if (!valid(value)) {
      throw new HunchError("usage", `${nameOf(key)} ${value} is out of range`, { hint: `give a number ${range}` });
    }
  }
}
