// How the next token is chosen from the target's scores: temperature, truncation, penalties.

/** Temperature 0 means greedy: everything but the repetition penalty is then without effect. */
export interface Sampling {
  /** ≥ 0 */
  readonly temperature: number;
  /** Keep the k likeliest tokens; 0: all. */
  readonly topK: number;
  /** Keep the fewest likeliest tokens whose probabilities reach this, 0 < topP ≤ 1. */
  readonly topP: number;
  /** Drop tokens less likely than this fraction of the likeliest, 0 ≤ minP < 1. */
  readonly minP: number;
  /** Locally typical sampling: keep the tokens nearest the entropy until they reach this mass; 1: off. */
  readonly typical: number;
  /** Divides positive and multiplies negative logits of tokens in the last `repetitionWindow` tokens; 1: off. */
  readonly repetitionPenalty: number;
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
