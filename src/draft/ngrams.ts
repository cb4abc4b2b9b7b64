// Where a text has been before: the places at which it ended as it ends now.
import { IntTable } from "./int-table.ts";
import { TokenBuffer } from "./tokens.ts";

/** n-grams are looked up by up to so many tokens; a match that is longer is found by comparing. */
const INDEXED = 4;
/** Places remembered of each n-gram, the latest ones. */
const REMEMBERED = 16;
/** A match is measured up to so many tokens. */
const LONGEST = 64;

/** A place that the text was at before: what followed it stands at `next`, and the `length` tokens before are the same. */
export interface Match {
  readonly next: number;
  /** 1 … 64. */
  readonly length: number;
}

/** At most 200 bytes a token of the text. */
export class Ngrams {
  readonly text = new TokenBuffer();
  /**
   * An n-gram of `size` tokens that ends before the place `next` has the number INDEXED · next + size − 1. By the hash of
   * an n-gram its latest number, and by number that of the one before; −1 where there is none. A hash may be shared:
   * matches are compared.
   */
  readonly #latest = new IntTable();
  readonly #before = new TokenBuffer();

  clear(): void {
    this.text.clear();
    this.#latest.clear();
    this.#before.clear();
  }

  append(tokens: Int32Array): void {
    const first = this.text.length;
    this.text.append(tokens);
    const before = new Int32Array(INDEXED * tokens.length).fill(-1);
    for (let next = first; next < this.text.length; next++) {
      this.#hashes(next, (hash, size) => {
        const number = INDEXED * next + size - 1;
        before[number - INDEXED * first] = this.#latest.get(hash);
        this.#latest.set(hash, number);
      });
    }
    this.#before.append(before);
  }

  /** Earlier places like the end of the text, those of the longest indexed n-gram first; no place twice. */
  matches(): Match[] {
    const found = new Map<number, Match>();
    const hashes: number[] = [];
    this.#hashes(this.text.length, (hash) => hashes.push(hash));
    for (let size = hashes.length; size > 0; size--) {
      let number = this.#latest.get(hashes[size - 1]);
      for (let places = 0; number >= 0 && places < REMEMBERED; places++, number = this.#before.at(number)) {
        const next = Math.floor(number / INDEXED);
        if (found.has(next)) continue;
        const length = this.#common(next);
        if (length >= size) found.set(next, { next, length });
      }
    }
    return [...found.values()];
  }

  /** How many tokens before `next` are the last of the text. */
  #common(next: number): number {
    const end = this.text.length;
    let length = 0;
    while (length < LONGEST && length < next && this.text.at(next - 1 - length) === this.text.at(end - 1 - length)) {
      length++;
    }
    return length;
  }

  /** Hashes of the n-grams of 1, 2, … tokens that end before `end`. */
  #hashes(end: number, visit: (hash: number, size: number) => void): void {
    let hash = 0x2545f491;
    for (let size = 1; size <= INDEXED && size <= end; size++) {
      hash = Math.imul(hash ^ this.text.at(end - size), 0x9e3779b1);
      hash ^= hash >>> 15;
      visit(hash, size);
    }
  }
}
