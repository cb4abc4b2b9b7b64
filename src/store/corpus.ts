// Texts that can be asked what followed the same words before: where the longest end of a text stands in them, and what
// comes next there, with how often.
//
// The places of the texts are kept in the order of what stands before them, read backwards: a suffix array of the texts
// from right to left. In that order the places with the longest common past are neighbours, so that one binary search
// finds them; and what follows a place lies in one piece.
import { suffixArray } from "./suffix-array.ts";
import { costsOnePart, DamagedError, type UnreadableError, type Words } from "./words.ts";

/** Texts in which drafts are looked up. */
export interface Corpus {
  /** Tokens of all texts, and one for the end of each. */
  readonly tokens: number;
  /**
   * Everywhere that the end of `text` stands in the texts: as many of its last tokens as there is a place for, from
   * `least` (by default 1) to `most`. Undefined where there is none. No match reaches over the end of a text.
   */
  find(text: ArrayLike<number>, most: number, least?: number): Places | undefined;
}

/** Places of the texts before which the same tokens stand. */
export interface Places {
  /** How many tokens before them are the same; of what `next` gives, one more. */
  readonly length: number;
  /** How many there are, ≥ 1; of more than 32 in one index, estimated by 32 of them below the first step. */
  readonly count: number;
  /** The tokens that come next, most frequent first, of equals the one of the latest text. Ends of texts are left out. */
  next(): readonly Next[];
}

/** A token, and the places after it. */
export interface Next {
  readonly token: number;
  readonly places: Places;
}

/** Stands after each text, in place of a token. */
export const END = -1;

/** Some texts, END behind each, and their places in order. */
export interface Index {
  /** [n] */
  readonly text: Words;
  /** [n] Places 1 … n, by what is before them read backwards: place p is between tokens p − 1 and p. */
  readonly places: Words;
  /** [vocab + 1] How many of `places` have a token smaller than this one before them; absent in small indexes. */
  readonly starts?: Words;
}

/** [n] The places of a text, tokens END to `vocab` − 1, in the order of an Index. */
export function placesOf(text: Int32Array, vocab: number): Int32Array {
  const backwards = text.map((token) => token + 1).reverse();
  return suffixArray(backwards, vocab).map((at) => text.length - at);
}

/** [vocab + 1] `starts` of an index of this text. */
export function startsOf(text: Int32Array, vocab: number): Int32Array {
  const starts = new Int32Array(vocab + 1);
  for (const token of text) starts[token + 1]++;
  for (let token = 1; token <= vocab; token++) starts[token] += starts[token - 1];
  return starts;
}

/** An index in memory. Tokens are 0 … vocab − 1. */
export function indexOf(texts: readonly (readonly number[])[], vocab: number): Index {
  const text = Int32Array.from(texts.flatMap((text) => [...text, END]));
  const words = (all: Int32Array): Words => ({ length: all.length, at: (index) => all[index] });
  return { text: words(text), places: words(placesOf(text, vocab)), starts: words(startsOf(text, vocab)) };
}

/** Places that are looked at of one index. */
const LOOKED_AT = 32;

/** One place, where an index has few of a kind; else it speaks for `weight` of them. */
interface Place {
  readonly index: Index;
  readonly at: number;
  readonly weight: number;
}

/** Looks things up in some indexes, oldest first, as if they were one. */
export class IndexedCorpus implements Corpus {
  indexes: readonly Index[] = [];

  /** Tokens are 0 … vocab − 1. `damaged` is told once of each index that cannot be read, and is left out then. */
  constructor(
    private readonly vocab: number,
    private readonly damaged: (index: Index, error: DamagedError | UnreadableError) => void = (_, error) => {
      throw error;
    },
  ) {}

  get tokens(): number {
    return this.indexes.reduce((sum, { text }) => sum + text.length, 0);
  }

  find(text: ArrayLike<number>, most: number, least = 1): Places | undefined {
    let usable = 0; // no token is negative; END is
    while (usable < Math.min(most, text.length) && text[text.length - 1 - usable] >= 0) usable++;
    let length = Math.max(1, least);
    let ranges: Range[] = [];
    for (const index of this.indexes) {
      const range = this.#look(index, () => longest(index, text, usable, length));
      if (range === undefined) continue;
      if (range.length > length) ranges = [];
      length = range.length;
      ranges.push(range);
    }
    const places = ranges.flatMap((range) => this.#look(range.index, () => sample(range)) ?? []);
    return places.length === 0 ? undefined : this.#places(length, places);
  }

  #places(length: number, places: readonly Place[]): Places {
    const count = places.reduce((sum, { weight }) => sum + weight, 0);
    return { length, count, next: () => this.#next(length, places) };
  }

  #next(length: number, places: readonly Place[]): Next[] {
    const byToken = new Map<number, Place[]>();
    for (const { index, at, weight } of places) {
      const token = this.#look(index, () => this.#token(index, at)) ?? END;
      if (token === END) continue;
      const place = { index, at: at + 1, weight };
      const same = byToken.get(token);
      if (same === undefined) byToken.set(token, [place]);
      else same.push(place);
    }
    const later = (a: readonly Place[], b: readonly Place[]) => this.#latest(a) - this.#latest(b);
    return Array.from(byToken, ([token, places]) => ({ token, places: this.#places(length + 1, places), all: places }))
      .sort((a, b) => b.places.count - a.places.count || later(b.all, a.all));
  }

  #token({ text }: Index, at: number): number {
    const token = text.at(at);
    if (token >= END && token < this.vocab) return token;
    throw new DamagedError(`there is no token ${token}`);
  }

  /** Grows with the age of the youngest place. */
  #latest(places: readonly Place[]): number {
    return places.reduce((most, { index, at }) => Math.max(most, this.indexes.indexOf(index) * 2 ** 32 + at), 0);
  }

  #look<T>(index: Index, work: () => T): T | undefined {
    if (!this.indexes.includes(index)) return undefined;
    try {
      return work();
    } catch (error) {
      if (!costsOnePart(error)) throw error;
      this.indexes = this.indexes.filter((other) => other !== index);
      this.damaged(index, error);
      return undefined;
    }
  }
}

/** `places` from `low` to `high` (exclusive) of an index, before which the same `length` tokens stand. */
interface Range {
  readonly index: Index;
  readonly length: number;
  readonly low: number;
  readonly high: number;
}

/** The places with the most of the last `most` tokens of `text` before them, `least` at least. */
function longest(index: Index, text: ArrayLike<number>, most: number, least: number): Range | undefined {
  const { places, starts, text: tokens } = index;
  const last = text[text.length - 1];
  if (most < least || starts !== undefined && last >= starts.length - 1) return undefined;
  const first = starts === undefined ? 0 : starts.at(last);
  const end = starts === undefined ? places.length : starts.at(last + 1);
  /** How many tokens before a place are those of the text, at most `most`. */
  const common = (place: number) => {
    const at = places.at(place);
    let length = 0;
    while (length < most && length < at && tokens.at(at - 1 - length) === text[text.length - 1 - length]) length++;
    return length;
  };
  const behind = (place: number) => {
    const length = common(place);
    if (length === most) return true;
    const at = places.at(place) - 1 - length;
    return at >= 0 && tokens.at(at) > text[text.length - 1 - length];
  };
  const middle = boundary(first, end, behind);
  const length = Math.max(middle < end ? common(middle) : 0, middle > first ? common(middle - 1) : 0);
  if (length < least) return undefined;
  const shares = (place: number) => common(place) >= length;
  let step = 1;
  while (middle - step >= first && shares(middle - step)) step *= 2;
  const low = boundary(Math.max(first, middle - step), middle, shares);
  step = 1;
  while (middle + step < end && shares(middle + step)) step *= 2;
  const high = boundary(middle, Math.min(end, middle + step), (place) => !shares(place));
  return { index, length, low, high };
}

/** All places of a range, or some at equal distances that speak for all. */
function sample({ index, low, high }: Range): Place[] {
  const size = Math.min(high - low, LOOKED_AT);
  const weight = (high - low) / size;
  return Array.from({ length: size }, (_, i) => ({ index, at: index.places.at(low + Math.floor(i * weight)), weight }));
}

/** The first place from `low` on for which `is` holds, given that it holds for all after it; `high` where it never does. */
function boundary(low: number, high: number, is: (place: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (is(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
