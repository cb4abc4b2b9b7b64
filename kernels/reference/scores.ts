// The scores of one pass: whole rows of logits, from which everything else is computed when asked.
import type { Candidates, Scores, Tap } from "../../src/backend.ts";
import { tapped } from "../rows.ts";
import type { Distribution } from "../../src/math/distribution.ts";

export class ReferenceScores implements Scores {
  readonly rows: number;
  readonly vocab: number;
  #logits: readonly Float64Array[];
  #temperature: number;
  #check: () => void;
  #states: ReadonlyMap<Tap, Float64Array>;

  /** `check` throws once these scores are no longer valid: this engine finds that mistake, others only suffer it. */
  constructor(
    logits: readonly Float64Array[],
    vocab: number,
    temperature: number,
    check: () => void,
    states: ReadonlyMap<Tap, Float64Array>,
  ) {
    this.rows = logits.length;
    this.vocab = vocab;
    this.#logits = logits;
    this.#temperature = temperature;
    this.#check = check;
    this.#states = states;
  }

  argmax(row: number): number {
    const logits = this.logits(row);
    return logits.reduce((best, logit, token) => logit > logits[best] ? token : best, 0);
  }

  top(row: number, k: number): Candidates {
    const logits = this.logits(row);
    const probabilities = this.#softmax(row);
    const order = Array.from(logits, (_, token) => token).sort((a, b) => logits[b] - logits[a] || a - b);
    const tokens = Int32Array.from(order.slice(0, k));
    return { tokens, probabilities: Float32Array.from(tokens, (token) => probabilities[token]) };
  }

  probability(row: number, token: number): number {
    if (!(token >= 0 && token < this.vocab)) throw new RangeError(`no token ${token} in a vocabulary of ${this.vocab}`);
    return this.#softmax(row)[token];
  }

  distribution(row: number): Distribution {
    return { vocab: this.vocab, probabilities: this.#softmax(row) };
  }

  logits(row: number): Float64Array {
    this.#check();
    if (!(row >= 0 && row < this.rows)) throw new RangeError(`no row ${row} in scores of ${this.rows} rows`);
    return this.#logits[row];
  }

  states(tap: Tap): Float64Array {
    this.#check();
    return tapped(this.#states, tap);
  }

  #softmax(row: number): Float64Array {
    const logits = this.logits(row);
    const highest = logits[this.argmax(row)];
    const weights = logits.map((logit) => Math.exp((logit - highest) / this.#temperature));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  }
}
