// Texts of a run in one suffix automaton, bounded: where they grow too many, those that drafts were taken from least
// make room. An automaton forgets nothing, so a new one is built of what stays, a little in every round, and takes over
// when it is whole.
import { SuffixAutomaton } from "./suffix-automaton.ts";

/** Tokens that a round may spend on building. */
const SHARE = 256;

interface Text {
  readonly tokens: Int32Array;
  /** Accepted drafts that were taken from it. */
  uses: number;
}

/** An automaton with its texts, in the order in which they were added. */
class Shelf {
  readonly automaton = new SuffixAutomaton();
  readonly texts: Text[] = [];
  /** Where each text ends, in tokens of all texts. */
  readonly #ends: number[] = [];

  /** Appends tokens of a text from `from` on, at most `most`; returns where it stopped. */
  add(text: Text, from: number, most: number): number {
    if (from === 0) this.automaton.beginText();
    const to = Math.min(text.tokens.length, from + most);
    for (let at = from; at < to; at++) this.automaton.append(text.tokens[at]);
    if (to === text.tokens.length) {
      this.texts.push(text);
      this.#ends.push(this.automaton.tokens);
    }
    return to;
  }

  textAt(place: number): Text {
    let [low, high] = [0, this.#ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ends[middle] <= place) low = middle + 1;
      else high = middle;
    }
    return this.texts[low];
  }
}

export class EarlierTexts {
  #shelf = new Shelf();
  #next: Shelf | undefined;
  readonly #queue: Text[] = [];
  #from = 0;

  /** `most`: tokens of all texts together, ≥ 1. At most half as many more are in the works. */
  constructor(private readonly most: number) {}

  /** Another one after `tidy` has put texts away. */
  get automaton(): SuffixAutomaton {
    return this.#shelf.automaton;
  }

  get texts(): readonly Int32Array[] {
    return this.#shelf.texts.map(({ tokens }) => tokens);
  }

  /** Of a text longer than half of `most`, the end. */
  add(tokens: Int32Array): void {
    const text = { tokens: tokens.slice(Math.max(0, tokens.length - (this.most >> 1))), uses: 0 };
    if (text.tokens.length === 0) return;
    if (this.#next !== undefined) this.#queue.push(text);
    else if (this.automaton.tokens + text.tokens.length > this.most) this.#rebuild(text);
    else this.#shelf.add(text, 0, Infinity);
  }

  /** A draft was accepted that stands where the automaton says that `place` is. */
  credit(place: number): void {
    this.#shelf.textAt(place).uses++;
  }

  /** A round's share of the work that is left. */
  tidy(): void {
    for (let left = SHARE; left > 0 && this.#next !== undefined;) {
      const text = this.#queue[0];
      const to = this.#next.add(text, this.#from, left);
      left -= to - this.#from;
      this.#from = to;
      if (to < text.tokens.length) continue;
      this.#from = 0;
      this.#queue.shift();
      if (this.#queue.length > 0) continue;
      this.#shelf = this.#next;
      this.#next = undefined;
    }
  }

  /** Keeps the texts that were of most use, of equal ones the latest, as far as half of `most` holds them. */
  #rebuild(latest: Text): void {
    let left = (this.most >> 1) - latest.tokens.length;
    const kept = new Set<Text>();
    for (const text of [...this.#shelf.texts].reverse().sort((a, b) => b.uses - a.uses)) {
      if (text.tokens.length > left) continue;
      left -= text.tokens.length;
      kept.add(text);
    }
    for (const text of this.#shelf.texts) {
      text.uses >>= 1; // what was of use once and never again ages
      if (kept.has(text)) this.#queue.push(text);
    }
    this.#queue.push(latest);
    this.#next = new Shelf();
  }
}
