// The bytes of every token, and the way back from bytes to a token: one buffer and an open-addressing hash table.
import { HunchError, type Place } from "../../errors.ts";

/** More tokens than any vocabulary has; keeps ranks and ids within what the merger packs into one number. */
export const MOST_TOKENS = 1 << 21;
/** More bytes than any token has. Bounds the cost of one look-up. */
export const LONGEST_TOKEN = 4096;
/** A chain this long happens only where a file was made to collide. */
const LONGEST_CHAIN = 1024;

export class Vocabulary {
  /** Token `t` stands for `bytes[starts[t] … starts[t + 1])`. */
  #bytes: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #slots: Int32Array; // token + 1, 0 = free
  readonly #mask: number;
  #count = 0;
  #longest = 0;

  /** Room for `capacity` tokens of about `sizeHint` bytes together. Throws HunchError where there are too many. */
  constructor(readonly capacity: number, sizeHint: number, readonly place: Place) {
    if (capacity === 0) throw new HunchError("input", "the vocabulary is empty", place);
    if (capacity > MOST_TOKENS) {
      throw new HunchError("input", `a vocabulary of ${capacity} tokens; at most ${MOST_TOKENS} are possible`, place);
    }
    this.#bytes = new Uint8Array(Math.max(64, sizeHint));
    this.#starts = new Uint32Array(capacity + 1);
    let slots = 16;
    while (slots < capacity * 2) slots *= 2;
    this.#slots = new Int32Array(slots);
    this.#mask = slots - 1;
  }

  /** Tokens added so far. */
  get size(): number {
    return this.#count;
  }

  /** Bytes of the longest token. */
  get longest(): number {
    return this.#longest;
  }

  /** Appends the next token's bytes without making it findable, and returns its id. */
  append(source: Uint8Array, from: number, to: number): number {
    const token = this.#count++;
    const length = to - from;
    if (length > LONGEST_TOKEN) {
      throw new HunchError(
        "input",
        `token ${token} has ${length} bytes; at most ${LONGEST_TOKEN} are possible`,
        this.place,
      );
    }
    if (length > this.#longest) this.#longest = length;
    const at = this.#starts[token];
    if (at + length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, at + length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    for (let i = 0; i < length; i++) this.#bytes[at + i] = source[from + i];
    this.#starts[token + 1] = at + length;
    return token;
  }

  /** Makes an appended token findable by its bytes. Returns the token that already has them, or −1. */
  index(token: number): number {
    const from = this.#starts[token];
    const to = this.#starts[token + 1];
    let slot = hash(this.#bytes, from, to) & this.#mask;
    for (let chain = 0; this.#slots[slot] !== 0; chain++) {
      if (this.#equals(this.#slots[slot] - 1, this.#bytes, from, to)) return this.#slots[slot] - 1;
      if (chain > LONGEST_CHAIN) throw new HunchError("input", "the vocabulary is made to collide", this.place);
      slot = (slot + 1) & this.#mask;
    }
    this.#slots[slot] = token + 1;
    return -1;
  }

  /** The indexed token of exactly these bytes, or −1. */
  find(source: Uint8Array, from: number, to: number): number {
    if (to - from > this.#longest) return -1;
    let slot = hash(source, from, to) & this.#mask;
    while (this.#slots[slot] !== 0) {
      if (this.#equals(this.#slots[slot] - 1, source, from, to)) return this.#slots[slot] - 1;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  /** A view of the token's bytes. */
  bytes(token: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[token], this.#starts[token + 1]);
  }

  #equals(token: number, source: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[token];
    const length = to - from;
    if (this.#starts[token + 1] - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.#bytes[start + i] !== source[from + i]) return false;
    return true;
  }
}

/** FNV-1a with a last mixing step, because only the low bits are used. */
function hash(source: Uint8Array, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ source[i], 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return h ^ (h >>> 13);
}
