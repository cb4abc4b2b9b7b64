// Where a text has been before: the places at which it ended as it ends now.
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

export class Ngrams {
  readonly text = new TokenBuffer();
  /** Places by the hash of the n-gram that ends before them. A hash may be shared: matches are compared. */
  readonly #places = new Map<number, number[]>();

  clear(): void {
    this.text.clear();
    this.#places.clear();
  }

  append(tokens: Int32Array): void {
    const first = this.text.length;
    this.text.append(tokens);
    for (let next = Math.max(1, first); next < this.text.length; next++) {
      this.#hashes(next, (hash) => {
        const places = this.#places.get(hash);
        if (places === undefined) this.#places.set(hash, [next]);
        else {
          places.push(next);
          if (places.length > REMEMBERED) places.shift();
        }
      });
    }
  }

  /** Earlier places like the end of the text, those of the longest indexed n-gram first; no place twice. */
  matches(): Match[] {
    const found = new Map<number, Match>();
    const hashes: number[] = [];
    this.#hashes(this.text.length, (hash) => hashes.push(hash));
    for (let size = hashes.length; size > 0; size--) {
      const places = this.#places.get(hashes[size - 1]) ?? [];
      for (let i = places.length - 1; i >= 0; i--) {
        if (found.has(places[i])) continue;
        const length = this.#common(places[i]);
        if (length >= size) found.set(places[i], { next: places[i], length });
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
  #hashes(end: number, visit: (hash: number) => void): void {
    let hash = 0x2545f491;
    for (let size = 1; size <= INDEXED && size <= end; size++) {
      hash = Math.imul(hash ^ this.text.at(end - size), 0x9e3779b1);
      hash ^= hash >>> 15;
      visit(hash);
    }
  }
}
