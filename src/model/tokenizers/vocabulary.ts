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
    const from = this.#starts[token], to = this.#starts[token + 1];
    const code = finish(hash(START, this.#bytes, from, to));
    const other = this.findHashed(code, this.#bytes, from, to);
    if (other >= 0) return other;
    const slots = this.#slots, mask = this.#mask;
    let slot = code & mask;
    for (let chain = 0; slots[slot] !== 0; chain++) {
      if (chain > LONGEST_CHAIN) throw new HunchError("input", "the vocabulary is made to collide", this.place);
      slot = (slot + 1) & mask;
    }
    slots[slot] = token + 1;
    return -1;
  }

  /** The indexed token of exactly these bytes, or −1. */
  find(source: Uint8Array, from: number, to: number): number {
    return to - from > this.#longest ? -1 : this.findHashed(finish(hash(START, source, from, to)), source, from, to);
  }

  /** `find` for a hash made with `hash` and `finish`, so that many look-ups over the same bytes share the work. */
  findHashed(code: number, source: Uint8Array, from: number, to: number): number {
    const slots = this.#slots, mask = this.#mask, starts = this.#starts, bytes = this.#bytes;
    const length = to - from;
    for (let slot = code & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const token = slots[slot] - 1;
      const start = starts[token];
      if (starts[token + 1] - start !== length) continue;
      let i = 0;
      while (i < length && bytes[start + i] === source[from + i]) i++;
      if (i === length) return token;
    }
    return -1;
  }

  /** A view of the token's bytes. */
  bytes(token: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[token], this.#starts[token + 1]);
  }
}

/** Hash of no bytes. */
export const START = 0x811c9dc5 | 0;

/** FNV-1a: `code` of what stands before, continued over source[from … to). */
export function hash(code: number, source: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) code = Math.imul(code ^ source[i], 0x01000193);
  return code;
}

/** A last mixing step, because only the low bits are used. */
export function finish(code: number): number {
  code = Math.imul(code ^ (code >>> 15), 0x85ebca6b);
  return code ^ (code >>> 13);
}
