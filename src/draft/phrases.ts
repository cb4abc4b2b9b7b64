// Phrases by the token that comes before them: a few of each, of one length, the best first.
import { IntTable } from "./int-table.ts";

const ROOM = 256;
/** Most tokens that have phrases, and most bytes of those. */
const MOST_TOKENS = 2 ** 17;
const MOST_BYTES = 24 * 2 ** 20;

/**
 * (length + 1) · each · 4 bytes for each token that has phrases, their number rounded up to a power of two, and 16 to find
 * them; at most 26 MiB. Where those are full, tokens that are new get no phrases.
 */
export class Phrases {
  readonly #slots = new IntTable();
  #size = 0;
  /** [slots, each, length] */
  #tokens: Int32Array;
  /** [slots, each] How often each was added; 0 where there is none. */
  #counts: Int32Array;
  readonly #most: number;

  /**
   * `each`: most phrases of a token. `order`: which come first and stay, those added latest or most often. Phrases have
   * `length` tokens, ≥ 1.
   */
  constructor(
    readonly length: number,
    private readonly each: number,
    private readonly order: "latest" | "frequent" = "latest",
  ) {
    this.#tokens = new Int32Array(ROOM * each * length);
    this.#counts = new Int32Array(ROOM * each);
    const fit = MOST_BYTES / (4 * each * (length + 1));
    this.#most = Math.min(MOST_TOKENS, 2 ** Math.floor(Math.log2(fit)));
  }

  /** Bytes that the phrases take. */
  get bytes(): number {
    return this.#tokens.byteLength + this.#counts.byteLength;
  }

  /** Adds the phrase that stands at `from`. */
  add(before: number, tokens: ArrayLike<number>, from = 0): void {
    let slot = this.#slots.get(before);
    if (slot < 0) {
      if (this.#size === this.#most) return;
      slot = this.#size++;
      this.#slots.set(before, slot);
      if ((slot + 1) * this.each > this.#counts.length) this.#grow();
    }
    const first = slot * this.each;
    let at = first;
    const end = first + this.each;
    while (at < end && this.#counts[at] > 0 && !this.#same(at, tokens, from)) at++;
    if (at === end) this.#write(--at, tokens, from, 0); // the last one gives way
    else if (this.#counts[at] === 0) this.#write(at, tokens, from, 0);
    const count = ++this.#counts[at];
    while (at > first && (this.order === "latest" || this.#counts[at - 1] <= count)) this.#swap(at, --at);
  }

  /** Adds every phrase of a text that starts at `from` or later. */
  addAll(text: Int32Array, from = 0): void {
    for (let at = Math.max(0, from); at + this.length < text.length; at++) this.add(text[at], text, at + 1);
  }

  /** The phrases after a token, the best first. Views, valid until the next `add`. */
  after(before: number): Int32Array[] {
    const slot = this.#slots.get(before);
    const phrases: Int32Array[] = [];
    if (slot < 0) return phrases;
    for (let at = slot * this.each; at < (slot + 1) * this.each && this.#counts[at] > 0; at++) {
      phrases.push(this.#tokens.subarray(at * this.length, (at + 1) * this.length));
    }
    return phrases;
  }

  clear(): void {
    this.#counts.fill(0, 0, this.#size * this.each);
    this.#slots.clear();
    this.#size = 0;
  }

  #same(at: number, tokens: ArrayLike<number>, from: number): boolean {
    for (let i = 0; i < this.length; i++) if (this.#tokens[at * this.length + i] !== tokens[from + i]) return false;
    return true;
  }

  #write(at: number, tokens: ArrayLike<number>, from: number, count: number): void {
    for (let i = 0; i < this.length; i++) this.#tokens[at * this.length + i] = tokens[from + i];
    this.#counts[at] = count;
  }

  #swap(a: number, b: number): void {
    for (let i = 0; i < this.length; i++) {
      const [left, right] = [a * this.length + i, b * this.length + i];
      [this.#tokens[left], this.#tokens[right]] = [this.#tokens[right], this.#tokens[left]];
    }
    [this.#counts[a], this.#counts[b]] = [this.#counts[b], this.#counts[a]];
  }

  #grow(): void {
    const [tokens, counts] = [this.#tokens, this.#counts];
    this.#tokens = new Int32Array(2 * tokens.length);
    this.#tokens.set(tokens);
    this.#counts = new Int32Array(2 * counts.length);
    this.#counts.set(counts);
  }
}
