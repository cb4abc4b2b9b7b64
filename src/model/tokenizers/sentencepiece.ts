// SentencePiece's byte-pair encoding: Llama 2, Mistral, Phi-3, Gemma, llama2.c. Characters are merged to tokens, the
// best score first; a character without a token becomes its bytes, `<0xNN>`.
// (Kudo and Richardson, "SentencePiece: A simple and language independent subword tokenizer", 2018, arXiv 1808.06226)
import { HunchError, type Place } from "../../errors.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { BaseTokenizer, type TokenizerParts, type TokenList } from "./base.ts";
import { duplicate, encodeUtf8 } from "./bytelevel.ts";
import { Merger, type MergeRules } from "./merger.ts";
import { type PackedStrings, unpack } from "./strings.ts";
import { LONGEST_TOKEN, Vocabulary } from "./vocabulary.ts";

/** How SentencePiece writes a space (U+2581). */
const BLANK = "▁";

/** `always`: a space in front of each stretch of text; `first`: only where nothing stands before it. */
export type Prefix = "always" | "first" | "never";

export interface SentencePieceParts extends TokenizerParts {
  readonly vocabulary: Vocabulary;
  /** Merges of what `vocabulary` finds. */
  readonly rules: (text: () => Uint8Array) => MergeRules;
  /** [256], tokens of single bytes, −1 where there is none. */
  readonly byteTokens: Int32Array;
  /** For characters that can neither be found nor written as bytes. */
  readonly unknown: number | undefined;
  /** Neighbouring unknown characters become one token. */
  readonly fuseUnknown: boolean;
  readonly prefix: Prefix;
  /** No prefix where the text begins with a space already. */
  readonly prefixOnce: boolean;
  /** Merges never cross the beginning of a word. */
  readonly words: boolean;
  readonly normalize?: (text: string) => string;
}

export class SentencePieceTokenizer extends BaseTokenizer {
  readonly kind = "SentencePiece";
  readonly #parts: SentencePieceParts;
  readonly #merger: Merger;
  readonly #byteOf = new Map<number, number>();
  #text = new Uint8Array(256);

  constructor(parts: SentencePieceParts) {
    super(parts);
    this.#parts = parts;
    this.#merger = new Merger(parts.rules(() => this.#text));
    parts.byteTokens.forEach((token, byte) => {
      if (token >= 0) this.#byteOf.set(token, byte);
    });
  }

  /** Heap operations so far, for tests of how cost grows with the text. */
  get work(): number {
    return this.#merger.work;
  }

  protected override encodePlain(given: string, first: boolean, out: TokenList): void {
    const { prefix, prefixOnce, words, normalize } = this.#parts;
    let text = (normalize ? normalize(given) : given).replaceAll(" ", BLANK);
    if (prefix === "always" || (prefix === "first" && first)) {
      if (!(prefixOnce && text.startsWith(BLANK))) text = BLANK + text;
    }
    if (!words) return this.#encodeStretch(text, 0, text.length, out);
    for (let from = 0; from < text.length;) {
      const blank = text.indexOf(BLANK, from + 1);
      const to = blank < 0 ? text.length : blank;
      this.#encodeStretch(text, from, to, out);
      from = to;
    }
  }

  protected override plainBytes(token: number): Uint8Array {
    const byte = this.#byteOf.get(token);
    return byte === undefined ? unblank(this.#parts.vocabulary.bytes(token)) : Uint8Array.of(byte);
  }

  #encodeStretch(text: string, from: number, to: number, out: TokenList): void {
    const { vocabulary, byteTokens, unknown, fuseUnknown } = this.#parts;
    if ((to - from) * 3 > this.#text.length) this.#text = new Uint8Array((to - from) * 3);
    const bytes = this.#text;
    const length = encodeUtf8(text, from, to, bytes);
    const merger = this.#merger;
    merger.reserve(length);
    let symbols = 0;
    for (let at = 0; at < length; symbols++) {
      const next = at + (bytes[at] < 0x80 ? 1 : bytes[at] < 0xe0 ? 2 : bytes[at] < 0xf0 ? 3 : 4);
      merger.tokens[symbols] = vocabulary.find(bytes, at, next);
      merger.starts[symbols] = at;
      at = next;
    }
    merger.starts[symbols] = length;
    const count = symbols > 1 ? merger.run(symbols) : symbols;
    let wasUnknown = false;
    for (let i = 0; i < count; i++) {
      const token = merger.tokens[i];
      const start = merger.starts[i], end = merger.starts[i + 1];
      if (token >= 0) out.push(token);
      else if (hasAll(byteTokens, bytes, start, end)) {
        for (let at = start; at < end; at++) out.push(byteTokens[bytes[at]]);
      } else if (unknown !== undefined && !(wasUnknown && fuseUnknown)) out.push(unknown);
      wasUnknown = token < 0;
    }
    if (this.#text.length > 1 << 20) this.#text = new Uint8Array(256);
  }
}

function hasAll(byteTokens: Int32Array, bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (byteTokens[bytes[at]] < 0) return false;
  return true;
}

/** The bytes of a token with U+2581 (e2 96 81) as a space. */
function unblank(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81) {
      out[length++] = 0x20;
      at += 2;
    } else out[length++] = bytes[at];
  }
  return length === bytes.length ? bytes : out.subarray(0, length);
}

/** Any two symbols merge whose bytes together are a token; the best score first, of equal ones the leftmost. */
class ScoreRules implements MergeRules {
  readonly ranks: Int32Array;
  readonly results: Int32Array;

  constructor(readonly vocabulary: Vocabulary, scores: ArrayLike<number>, readonly text: () => Uint8Array) {
    const count = scores.length;
    const order = new Float64Array(count);
    for (let token = 0; token < count; token++) order[token] = -scores[token];
    order.sort();
    // The rank is where the first of equal scores stands.
    const rank = (key: number): number => {
      let low = 0, high = count - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (order[middle] < key) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    this.ranks = new Int32Array(count);
    this.results = new Int32Array(count);
    for (let token = 0; token < count; token++) {
      this.ranks[token] = rank(-scores[token]);
      this.results[token] = token;
    }
  }

  rule(_left: number, _right: number, from: number, to: number): number {
    return this.vocabulary.find(this.text(), from, to);
  }
}

/** `tokenizer.ggml.token_type` of what text is made of; see TOKEN in gguf.ts. */
const NORMAL = 1, USER = 4, UNUSED = 5, BYTE = 6;

export interface ScoredParts extends TokenizerParts {
  readonly tokens: PackedStrings;
  readonly types: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly unknown: number | undefined;
  readonly prefix: Prefix;
  readonly place: Place;
}

/** A tokenizer of tokens with scores and types. Throws HunchError("input") where the vocabulary contradicts itself. */
export function sentencePieceFromScores(parts: ScoredParts): Tokenizer {
  const { tokens, types, scores, place } = parts;
  for (let token = 0; token < tokens.length; token++) {
    if (Number.isNaN(scores[token])) throw new HunchError("input", `the score of token ${token} is no number`, place);
  }
  const isText = (token: number) => types[token] === NORMAL || types[token] === USER || types[token] === UNUSED;
  const { vocabulary, byteTokens } = pieceVocabulary(tokens, isText, (token) => types[token] === BYTE, place);
  return new SentencePieceTokenizer({
    ...parts,
    vocabulary,
    byteTokens,
    rules: (text) => new ScoreRules(vocabulary, scores, text),
    fuseUnknown: false,
    prefixOnce: false,
    words: false,
  });
}

/** Reads tokens written as UTF-8 with U+2581 for a space, and the tokens of single bytes among them. */
export function pieceVocabulary(
  tokens: PackedStrings,
  isText: (token: number) => boolean,
  isByte: (token: number) => boolean,
  place: Place,
): { vocabulary: Vocabulary; byteTokens: Int32Array } {
  const total = tokens.length > 0 ? tokens.ends[tokens.length - 1] - tokens.starts[0] : 0;
  const vocabulary = new Vocabulary(tokens.length, Math.min(Math.max(0, total), tokens.length * LONGEST_TOKEN), place);
  const byteTokens = new Int32Array(256).fill(-1);
  for (let token = 0; token < tokens.length; token++) {
    vocabulary.append(tokens.bytes, tokens.starts[token], tokens.ends[token]);
    if (isByte(token)) {
      const spelling = unpack(tokens, token);
      const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(spelling);
      if (!byte) throw new HunchError("input", `token ${token}, ${JSON.stringify(spelling)}, is no byte`, place);
      const value = parseInt(byte[1], 16);
      if (byteTokens[value] >= 0) throw new HunchError("input", duplicate(byteTokens[value], token, spelling), place);
      byteTokens[value] = token;
    } else if (isText(token) && tokens.ends[token] > tokens.starts[token]) {
      const other = vocabulary.index(token);
      if (other >= 0) throw new HunchError("input", duplicate(other, token, unpack(tokens, token)), place);
    }
  }
  return { vocabulary, byteTokens };
}
