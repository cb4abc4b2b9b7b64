// What a pass left behind, read where ONNX Runtime wrote it: memory that it and JavaScript share.
import type { Candidates, Scores, Tap } from "../../src/backend.ts";
import { largest } from "../../src/math/logits.ts";
import type { Verified, VerifyRequest } from "../../src/device-rule.ts";
import { type Distribution, mass, widened } from "../../src/math/distribution.ts";
import type { OnnxRules } from "./rules.ts";

/** The buffers that a pass writes to. Rows beyond those asked for are padding. */
export interface ResultBuffers {
  readonly logits: Float32Array; // [rows, vocab]
  readonly tokens: BigInt64Array; // [rows, top]; without meaning where top is 1
  readonly likelihoods: Float32Array; // [rows, top]; the largest logit where top is 1
  readonly probabilities: Float32Array; // [rows, vocab]; one column, without meaning, where top is 1
  /** Hidden states of the pass, [rows · width]. Throws RangeError where it was not asked for the tap. */
  readonly states: (tap: Tap) => Float32Array;
  /** Columns of tokens and likelihoods: 1 where only the largest logit was found. */
  readonly top: number;
}

export class OnnxScores implements Scores {
  verified?: Verified;

  constructor(
    readonly rows: number,
    readonly vocab: number,
    private readonly temperature: number,
    private readonly results: ResultBuffers,
    /** Throws once a later pass has overwritten the buffers. */
    private readonly check: () => void,
    private readonly rules: OnnxRules,
  ) {}

  argmax(row: number): number {
    this.#check(row);
    const { top, tokens, likelihoods } = this.results;
    return top > 1 ? Number(tokens[row * top]) : this.#row(row).indexOf(likelihoods[row]);
  }

  top(row: number, k: number): Candidates {
    this.#check(row);
    const { top, tokens, likelihoods } = this.results;
    const count = Math.min(k, this.vocab);
    if (top > 1 && count <= top) {
      const start = row * top;
      return {
        tokens: Int32Array.from(tokens.subarray(start, start + count), Number),
        probabilities: likelihoods.slice(start, start + count),
      };
    }
    const best = largest(this.#row(row), count);
    return { tokens: best, probabilities: Float32Array.from(best, (token) => this.probability(row, token)) };
  }

  probability(row: number, token: number): number {
    this.#check(row);
    if (!(token >= 0 && token < this.vocab)) throw new RangeError(`no token ${token} in a vocabulary of ${this.vocab}`);
    if (this.results.top > 1) return this.results.probabilities[row * this.vocab + token];
    const logits = this.#row(row);
    return Math.exp((logits[token] - this.#highest(logits)) / this.temperature) / this.#weight(logits);
  }

  /** The soft-max in float32 where the pass made it, else from the logits; renormalised in float64. */
  distribution(row: number): Distribution {
    this.#check(row);
    const { top, probabilities: made } = this.results;
    if (top > 1) return widened(made.subarray(row * this.vocab, (row + 1) * this.vocab));
    const probabilities = new Float64Array(this.vocab);
    const logits = this.#row(row);
    const highest = this.#highest(logits);
    for (let i = 0; i < this.vocab; i++) probabilities[i] = Math.exp((logits[i] - highest) / this.temperature);
    const factor = 1 / mass({ vocab: this.vocab, probabilities });
    for (let i = 0; i < this.vocab; i++) probabilities[i] *= factor;
    return { vocab: this.vocab, probabilities };
  }

  logits(row: number): Float32Array {
    this.#check(row);
    return this.#row(row);
  }

  states(tap: Tap): Float32Array {
    this.check();
    return this.results.states(tap);
  }

  verify(request: VerifyRequest): void {
    this.verified = this.rules.verify(request, this.results.probabilities, (row) => this.argmax(row));
  }

  #row(row: number): Float32Array {
    return this.results.logits.subarray(row * this.vocab, (row + 1) * this.vocab);
  }

  /** Σ exp((logit − highest) / temperature), for passes that made only the arg-max. */
  #weight(logits: Float32Array): number {
    const highest = this.#highest(logits);
    let sum = 0;
    for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] - highest) / this.temperature);
    return sum;
  }

  #highest(logits: Float32Array): number {
    let highest = -Infinity;
    for (let i = 0; i < logits.length; i++) if (logits[i] > highest) highest = logits[i];
    return highest;
  }

  #check(row: number): void {
    this.check();
    if (!(row >= 0 && row < this.rows)) throw new RangeError(`no row ${row} in scores of ${this.rows} rows`);
  }
}
