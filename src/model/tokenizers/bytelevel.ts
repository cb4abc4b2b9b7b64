// Byte-level byte-pair encoding: GPT-2, Llama 3, Qwen, SmolLM, OLMo, Granite, GPT-NeoX, Mistral's tekken.
// (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.)
//
// Own code instead of @huggingface/tokenizers 0.2.0. Measured once, by hand, on SmolLM2's vocabulary, one core,
// Bun / Deno (`npm run bench -- tokenizer` measures this file):
//
//                                 the library            this file
//     150 reference vectors       2 differ               none differs
//     English                     1.0 / 0.9 MB/s         12 / 14 MB/s
//     a million `a`               2.2 / 2.3 s            0.18 / 0.23 s
//     a million spaces            3.6 / 4.9 s            0.30 / 0.34 s
//     a million emoji (4 MB)      3.9 / 5.4 s            0.22 / 0.44 s
//     building                    47 / 71 ms, and JSON   35 / 42 ms
//
// The library's digits are ASCII's and its white space is JavaScript's; it runs whatever regular expression a file
// brings; it needs a `tokenizer.json`, which is not in a GGUF file; and it does not tell the bytes of a token. It is
// the second opinion of the tests.
import { HunchError, type Place } from "../../errors.ts";
import { BaseTokenizer, type TokenizerParts, type TokenList } from "./base.ts";
import { Merger } from "./merger.ts";
import { PairRules } from "./pairs.ts";
import type { PreTokenizer } from "./pretokenizers.ts";
import { type PackedStrings, unpack } from "./strings.ts";
import { finish, hash, LONGEST_TOKEN, START, Vocabulary } from "./vocabulary.ts";

/** GPT-2 writes each byte as a printable character: itself where it is one, else the next free one from U+0100. */
const BYTE_OF_CHARACTER = new Int16Array(0x144).fill(-1);
for (let byte = 0, free = 0x100; byte < 256; byte++) {
  const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  BYTE_OF_CHARACTER[printable ? byte : free++] = byte;
}

export interface ByteLevelParts extends TokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly rules: PairRules;
  readonly cut: PreTokenizer;
  /** A piece that is a token as a whole is that token, whatever the merges say. */
  readonly wholePieces: boolean;
  /** A space goes in front of text that does not begin with one. */
  readonly spaceFirst?: boolean;
  /** Applied to text between special tokens. */
  readonly normalize?: (text: string) => string;
  /** The token for a byte without one; such bytes are dropped where there is none, as everywhere. */
  readonly unknown?: number;
}

export class ByteLevelTokenizer extends BaseTokenizer {
  readonly kind = "byte-level BPE";
  readonly #parts: ByteLevelParts;
  readonly #merger: Merger;
  readonly #byteTokens = new Int32Array(256);
  #piece = new Uint8Array(256);

  constructor(parts: ByteLevelParts) {
    super(parts);
    this.#parts = parts;
    this.#merger = new Merger(parts.rules);
    const one = new Uint8Array(1);
    for (let byte = 0; byte < 256; byte++) {
      one[0] = byte;
      this.#byteTokens[byte] = parts.vocabulary.find(one, 0, 1);
    }
  }

  /** Heap operations so far, for tests of how cost grows with the text. */
  get work(): number {
    return this.#merger.work;
  }

  protected override encodePlain(given: string, _first: boolean, out: TokenList): void {
    const { normalize, spaceFirst, cut } = this.#parts;
    let text = normalize ? normalize(given) : given;
    if (spaceFirst && !text.startsWith(" ")) text = " " + text;
    cut(text, (from, to) => this.#encodePiece(text, from, to, out));
  }

  protected override plainBytes(token: number): Uint8Array {
    return this.#parts.vocabulary.bytes(token);
  }

  #encodePiece(text: string, from: number, to: number, out: TokenList): void {
    const { vocabulary, wholePieces, unknown } = this.#parts;
    if ((to - from) * 3 > this.#piece.length) this.#piece = new Uint8Array((to - from) * 3);
    const piece = this.#piece;
    const length = encodeUtf8(text, from, to, piece);
    if (piece.length > 1 << 20) this.#piece = new Uint8Array(256);
    if (wholePieces) {
      const token = vocabulary.find(piece, 0, length);
      if (token >= 0) return out.push(token);
    }
    const merger = this.#merger;
    merger.reserve(length);
    let symbols = 0;
    for (let i = 0; i < length; i++) {
      const token = this.#byteTokens[piece[i]];
      if (token < 0 && unknown === undefined) continue;
      merger.tokens[symbols] = token < 0 ? unknown! : token;
      merger.starts[symbols++] = i;
    }
    merger.starts[symbols] = length;
    const count = symbols > 1 ? merger.run(symbols) : symbols;
    for (let i = 0; i < count; i++) out.push(merger.tokens[i]);
  }
}

/** Writes text[from … to) as UTF-8 (lone surrogates as U+FFFD) and returns how many bytes. */
export function encodeUtf8(text: string, from: number, to: number, out: Uint8Array): number {
  let at = 0;
  for (let i = from; i < to; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) {
      out[at++] = unit;
    } else if (unit < 0x800) {
      out[at++] = 0xc0 | unit >> 6;
      out[at++] = 0x80 | unit & 63;
    } else {
      if (unit >= 0xd800 && unit < 0xe000) {
        const low = unit < 0xdc00 && i + 1 < to ? text.charCodeAt(i + 1) : 0;
        if (low >= 0xdc00 && low < 0xe000) {
          const point = 0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00);
          out[at++] = 0xf0 | point >> 18;
          out[at++] = 0x80 | point >> 12 & 63;
          out[at++] = 0x80 | point >> 6 & 63;
          out[at++] = 0x80 | point & 63;
          i++;
          continue;
        }
        unit = 0xfffd;
      }
      out[at++] = 0xe0 | unit >> 12;
      out[at++] = 0x80 | unit >> 6 & 63;
      out[at++] = 0x80 | unit & 63;
    }
  }
  return at;
}

/**
 * The bytes that a token's spelling stands for, written to `out` from `at`; returns where they end, or −1 where the
 * spelling has a character that stands for no byte.
 */
export function decodeSpelling(source: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  for (let i = from; i < to; i++) {
    let character = source[i];
    if (character >= 0x80) {
      if (character < 0xc2 || character > 0xc5 || i + 1 >= to) return -1;
      character = (character & 31) << 6 | source[++i] & 63;
    }
    const byte = character < BYTE_OF_CHARACTER.length ? BYTE_OF_CHARACTER[character] : -1;
    if (byte < 0) return -1;
    out[at++] = byte;
  }
  return at;
}

/**
 * Reads a vocabulary of spellings. `raw(token)`: the spelling is the token's own text, not bytes as characters (special
 * tokens, those a person added). Of two tokens with the same bytes the one that is not raw is found; two of the same
 * kind are refused.
 */
export function byteLevelVocabulary(
  tokens: PackedStrings,
  raw: (token: number) => boolean,
  findable: (token: number) => boolean,
  place: Place,
): Vocabulary {
  const total = tokens.length > 0 ? tokens.ends[tokens.length - 1] - tokens.starts[0] : 0;
  const vocabulary = new Vocabulary(tokens.length, Math.max(0, total), place);
  const scratch = new Uint8Array(LONGEST_TOKEN * 2);
  const later: number[] = [];
  for (let token = 0; token < tokens.length; token++) {
    const from = tokens.starts[token], to = tokens.ends[token];
    const length = raw(token) || to - from > scratch.length ? -1 : decodeSpelling(tokens.bytes, from, to, scratch, 0);
    if (length < 0) {
      vocabulary.append(tokens.bytes, from, to);
      if (findable(token)) later.push(token);
      continue;
    }
    vocabulary.append(scratch, 0, length);
    if (length === 0 || !findable(token)) continue;
    const other = vocabulary.index(token);
    if (other >= 0) throw new HunchError("input", duplicate(other, token, unpack(tokens, token)), place);
  }
  for (const token of later) vocabulary.index(token);
  return vocabulary;
}

export function duplicate(first: number, second: number, spelling: string): string {
  return `tokens ${first} and ${second} are both ${JSON.stringify(spelling)}`;
}

/** Reads merges written as `left right`. Throws HunchError("input") where one names a token that there is not. */
export function byteLevelRules(
  merges: PackedStrings,
  vocabulary: Vocabulary,
  place: Place,
  replace: boolean,
): PairRules {
  const rules = new PairRules(merges.length, place);
  const { bytes, starts, ends } = merges;
  const scratch = new Uint8Array(LONGEST_TOKEN * 2);
  const fail = (rank: number, what: string): HunchError =>
    new HunchError("input", `merge ${rank}, ${JSON.stringify(unpack(merges, rank).slice(0, 80))}, ${what}`, place);
  for (let rank = 0; rank < merges.length; rank++) {
    const from = starts[rank], to = ends[rank];
    // A space is never part of a spelling, so the first one parts the two; it is not looked for at the very front.
    let space = from + 1;
    while (space < to && bytes[space] !== 0x20) space++;
    if (space >= to - 1) throw fail(rank, "is not two tokens with a space between");
    if (to - from > LONGEST_TOKEN) throw fail(rank, "is too long");
    const middle = decodeSpelling(bytes, from, space, scratch, 0);
    const end = middle < 0 ? -1 : decodeSpelling(bytes, space + 1, to, scratch, middle);
    if (end < 0) throw fail(rank, "has a character that stands for no byte");
    const code = hash(START, scratch, 0, middle);
    const left = vocabulary.findHashed(finish(code), scratch, 0, middle);
    const right = vocabulary.findHashed(finish(hash(START, scratch, middle, end)), scratch, middle, end);
    const result = vocabulary.findHashed(finish(hash(code, scratch, middle, end)), scratch, 0, end);
    if (left < 0 || right < 0 || result < 0) throw fail(rank, "names a token that is not in the vocabulary");
    rules.add(left, right, rank, result, replace);
  }
  return rules;
}
