// What a pass left behind, read in memory that the device has filled.
import type { Candidates, Scores } from "../../src/backend.ts";
import type { Distribution } from "../../src/distribution.ts";
import { BEST_WORDS } from "./kernels.ts";

/** What was read back of a pass. */
export interface Results {
  readonly logits: Float32Array; // [rows, vocab]
  readonly best: Uint32Array; // [rows, BEST_WORDS], as ops/best.wgsl says
  /** The same memory as numbers, where the device has made the sums of probabilities. */
  readonly sums: Float32Array | undefined;
}

export class WebGpuScores implements Scores {
  readonly #logSums: (number | undefined)[] = [];
  readonly #ranked: (Int32Array | undefined)[] = [];

  constructor(
    readonly rows: number,
    readonly vocab: number,
    private readonly temperature: number,
    private readonly results: Results,
    /** Throws once the results are gone. */
    private readonly check: () => void,
  ) {}

  argmax(row: number): number {
    this.#check(row);
    return this.results.best[row * BEST_WORDS];
  }

  top(row: number, k: number): Candidates {
    this.#check(row);
    const tokens = this.#best(row, Math.min(k, this.vocab));
    return { tokens, probabilities: Float32Array.from(tokens, (token) => this.probability(row, token)) };
  }

  probability(row: number, token: number): number {
    const logits = this.logits(row);
    if (!(token >= 0 && token < this.vocab)) throw new RangeError(`no token ${token} in a vocabulary of ${this.vocab}`);
    return Math.exp(logits[token] / this.temperature - this.#logSum(row));
  }

  distribution(row: number): Distribution {
    const logits = this.logits(row);
    const highest = this.#highest(row);
    const probabilities = new Float64Array(this.vocab);
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      sum += probabilities[i] = Math.exp(logits[i] / this.temperature - highest);
    }
    for (let i = 0; i < probabilities.length; i++) probabilities[i] /= sum;
    return { vocab: this.vocab, probabilities };
  }

  logits(row: number): Float32Array {
    this.#check(row);
    return this.results.logits.subarray(row * this.vocab, (row + 1) * this.vocab);
  }

  #highest(row: number): number {
    return this.logits(row)[this.argmax(row)] / this.temperature;
  }

  /** log Σ exp(logit / temperature) */
  #logSum(row: number): number {
    return this.#logSums[row] ??= (() => {
      const highest = this.#highest(row);
      const { sums } = this.results;
      if (sums) return highest + Math.log(sums[row * BEST_WORDS + 4]);
      const logits = this.logits(row);
      let sum = 0;
      for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] / this.temperature - highest);
      return highest + Math.log(sum);
    })();
  }

  /** The k likeliest tokens. Short lists by insertion: few tokens pass the last of the list. */
  #best(row: number, k: number): Int32Array {
    const known = this.#ranked[row];
    if (known && known.length >= k) return known.slice(0, k);
    const logits = this.logits(row);
    const { best } = this.results;
    if (k <= 2) return Int32Array.from([best[row * BEST_WORDS], best[row * BEST_WORDS + 2]].slice(0, k));
    if (k > 256) {
      const all = Int32Array.from(logits, (_, token) => token);
      return this.#ranked[row] = all.sort((a, b) => logits[b] - logits[a] || a - b).slice(0, k);
    }
    const list = new Int32Array(k);
    let count = 0;
    for (let token = 0; token < logits.length; token++) {
      const logit = logits[token];
      if (count === k && !(logit > logits[list[k - 1]])) continue;
      let at = count < k ? count++ : k - 1;
      for (; at > 0 && logit > logits[list[at - 1]]; at--) list[at] = list[at - 1];
      list[at] = token;
    }
    return this.#ranked[row] = list;
  }

  #check(row: number): void {
    this.check();
    if (!(row >= 0 && row < this.rows)) throw new RangeError(`no row ${row} in scores of ${this.rows} rows`);
  }
}
