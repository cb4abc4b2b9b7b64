// What a pass left behind, read in memory that the device has filled. The rest stays on the device until it is loaded.
import { type Candidates, MOST_CANDIDATES, type Need, NEEDS, type Scores, type Tap } from "../../src/backend.ts";
import { largest } from "../../src/math/logits.ts";
import type { Verified } from "../../src/device-rule.ts";
import { type Distribution, widened } from "../../src/math/distribution.ts";
import { tapped } from "../rows.ts";
import { BEST_WORDS } from "./kernels.ts";

/** What was read back of a pass, rows after each other. */
export interface Results {
  readonly best?: Uint32Array; // [rows, BEST_WORDS], as ops/best.wgsl says
  readonly candidates?: Uint32Array; // [rows, MOST_CANDIDATES, 2], as ops/candidates.wgsl says
  readonly probabilities?: Float32Array; // [rows, vocab]
  readonly logits?: Float32Array; // [rows, vocab]
}

export type Part = keyof Results;

/** The need that brings each part. */
const BRINGS: Readonly<Record<Part, Need>> = {
  best: "argmax",
  candidates: "candidates",
  probabilities: "probabilities",
  logits: "logits",
};

/** The parts that `need` asks for; all where nothing is said. */
export function partsFor(need: Need = "logits"): Part[] {
  const parts = Object.keys(BRINGS) as Part[];
  return parts.filter((part) => NEEDS.indexOf(BRINGS[part]) <= NEEDS.indexOf(need));
}

/** A pass that was run. */
export interface Scored {
  readonly rows: number;
  readonly vocab: number;
  readonly temperature: number;
  readonly results: Results;
  readonly verified: Verified | undefined;
  /** [rows of the pass · width] each, of the taps that it was asked for. */
  readonly states: ReadonlyMap<Tap, Float32Array>;
  /** Throws once the results are gone. */
  readonly check: () => void;
  /** Reads all of the results. */
  readonly load: () => Promise<Results>;
}

export class WebGpuScores implements Scores {
  readonly rows: number;
  readonly vocab: number;
  readonly verified?: Verified;
  #results: Results;

  constructor(private readonly pass: Scored) {
    this.rows = pass.rows;
    this.vocab = pass.vocab;
    this.verified = pass.verified;
    this.#results = pass.results;
  }

  async load(): Promise<void> {
    this.pass.check();
    if (this.#results.logits === undefined) this.#results = await this.pass.load();
  }

  argmax(row: number): number {
    return this.#part("best", row)[row * BEST_WORDS];
  }

  top(row: number, k: number): Candidates {
    const count = Math.min(k, this.vocab);
    const { tokens, logits } = count <= MOST_CANDIDATES ? this.#candidates(row, count) : this.#sorted(row, count);
    const best = floats(this.#part("best", row)).subarray(row * BEST_WORDS);
    const { temperature } = this.pass;
    const likely = (logit: number) => Math.exp((logit - best[1]) / temperature) / best[4];
    return { tokens, probabilities: logits.map(likely) };
  }

  probability(row: number, token: number): number {
    if (!(token >= 0 && token < this.vocab)) throw new RangeError(`no token ${token} in a vocabulary of ${this.vocab}`);
    return this.#row("probabilities", row)[token];
  }

  distribution(row: number): Distribution {
    return widened(this.#row("probabilities", row));
  }

  logits(row: number): Float32Array {
    return this.#row("logits", row);
  }

  states(tap: Tap): Float32Array {
    this.pass.check();
    return tapped(this.pass.states, tap);
  }

  #row(part: "probabilities" | "logits", row: number): Float32Array {
    return this.#part(part, row).subarray(row * this.vocab, (row + 1) * this.vocab);
  }

  #candidates(row: number, count: number): { tokens: Int32Array; logits: Float32Array } {
    const pairs = this.#part("candidates", row).subarray(
      2 * row * MOST_CANDIDATES,
      2 * (row * MOST_CANDIDATES + count),
    );
    const numbers = floats(pairs);
    return {
      tokens: Int32Array.from({ length: count }, (_, place) => pairs[2 * place]),
      logits: Float32Array.from({ length: count }, (_, place) => numbers[2 * place + 1]),
    };
  }

  /** More of the likeliest tokens than the device has listed. */
  #sorted(row: number, count: number): { tokens: Int32Array; logits: Float32Array } {
    const logits = this.logits(row);
    const tokens = largest(logits, count);
    return { tokens, logits: Float32Array.from(tokens, (token) => logits[token]) };
  }

  #part<P extends Part>(part: P, row: number): NonNullable<Results[P]> {
    this.pass.check();
    if (!(row >= 0 && row < this.rows)) throw new RangeError(`no row ${row} in scores of ${this.rows} rows`);
    const found = this.#results[part];
    if (found === undefined) {
      throw new Error(`these scores are still on the device: ask the pass for ${BRINGS[part]}, or load them`);
    }
    return found;
  }
}

/** The same memory as numbers. */
export function floats(words: Uint32Array): Float32Array {
  return new Float32Array(words.buffer, words.byteOffset, words.length);
}
