// What the target found likely the last time that it stood after the same token, or the same two: candidates that were
// computed anyway, of refused rows too, kept instead of thrown away.
// Turning Trash into Treasure: Accelerating Inference of Large Language Models with Token Recycling (Luo et al., 2024,
// arXiv 2408.08696) keeps them by one token; two tell more where they were seen.
import type { Candidates } from "../backend.ts";

/** Slots of each table, a power of two. Who hashes to a slot that is taken takes it over. */
const SLOTS = 1 << 14;

/** A table of at most SLOTS rows: 8 bytes and 8 for each candidate of a row, 1.2 MB with eight. */
class Table {
  readonly #before = new Int32Array(SLOTS);
  readonly #token = new Int32Array(SLOTS).fill(-1);
  readonly #tokens: Int32Array;
  readonly #probabilities: Float32Array;

  constructor(private readonly width: number) {
    this.#tokens = new Int32Array(SLOTS * width);
    this.#probabilities = new Float32Array(SLOTS * width);
  }

  set(before: number, token: number, { tokens, probabilities }: Candidates): void {
    const slot = slotOf(before, token);
    this.#before[slot] = before;
    this.#token[slot] = token;
    this.#tokens.fill(-1, slot * this.width, (slot + 1) * this.width);
    this.#probabilities.fill(0, slot * this.width, (slot + 1) * this.width);
    this.#tokens.set(tokens.subarray(0, this.width), slot * this.width);
    this.#probabilities.set(probabilities.subarray(0, this.width), slot * this.width);
  }

  get(before: number, token: number): Candidates | undefined {
    const slot = slotOf(before, token);
    if (this.#token[slot] !== token || this.#before[slot] !== before) return undefined;
    const [from, to] = [slot * this.width, (slot + 1) * this.width];
    return { tokens: this.#tokens.subarray(from, to), probabilities: this.#probabilities.subarray(from, to) };
  }
}

function slotOf(before: number, token: number): number {
  const hash = Math.imul(Math.imul(before + 1, 0x9e3779b1) ^ token, 0x85ebca6b);
  return (hash ^ hash >>> 15) & (SLOTS - 1);
}

export class Recycled {
  readonly #pairs: Table;
  readonly #singles: Table;

  /** Keeps the first `width` candidates of each row, at least 1. */
  constructor(width: number) {
    this.#pairs = new Table(width);
    this.#singles = new Table(width);
  }

  /** `row`: what the target found likely after `token`, which stood after `before`. */
  see(before: number, token: number, row: Candidates): void {
    if (row.tokens.length === 0) return;
    this.#pairs.set(before, token, row);
    this.#singles.set(-1, token, row);
  }

  /**
   * The latest row seen after these two tokens, else after the last of them; undefined where neither is known. Views
   * until the next `see`; token −1 where a row had fewer candidates.
   */
  after(before: number, token: number): { readonly row: Candidates; readonly pair: boolean } | undefined {
    const pair = this.#pairs.get(before, token);
    const row = pair ?? this.#singles.get(-1, token);
    return row && { row, pair: pair !== undefined };
  }
}
