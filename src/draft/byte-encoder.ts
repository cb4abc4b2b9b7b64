// Bytes to tokens. A tokenizer takes text, and text from the middle of another may begin inside a word, where no space
// stands before it, and end inside a character.
import type { Tokenizer } from "../model/tokenizer.ts";

/** What may be put before a text, to see how it is cut where no space stands before it. */
const ANCHORS = ["\n", "0", "?", "x"];

export class ByteEncoder {
  /** [256] The token of a single byte, −1 where there is none. */
  readonly #byteTokens = new Int32Array(256).fill(-1);
  /** Whether the tokenizer puts a space of its own before text: before all, or before text that begins with none. */
  readonly #puts: "always" | "missing" | "never";
  /** ANCHORS with their own tokens. */
  readonly #anchors: readonly (readonly [text: string, tokens: Int32Array])[];

  constructor(private readonly tokenizer: Tokenizer) {
    for (let token = 0; token < tokenizer.vocab; token++) {
      const bytes = tokenizer.bytes(token);
      if (bytes.length === 1 && this.#byteTokens[bytes[0]] < 0) this.#byteTokens[bytes[0]] = token;
    }
    const longer = (text: string) => this.bytes(tokenizer.encode(text)).length > text.length;
    this.#puts = longer(" a") ? "always" : longer("a") ? "missing" : "never";
    this.#anchors = ANCHORS.map((text) => [text, tokenizer.encode(text)]);
  }

  /** The bytes of tokens. */
  bytes(tokens: ArrayLike<number>): Uint8Array {
    return joined(Array.from(tokens, (token) => this.tokenizer.bytes(token)));
  }

  /**
   * Tokens of `bytes`, which stand behind other text, or `first`: behind none. What is no whole character becomes tokens
   * of single bytes; a byte without a token is left out.
   */
  encode(bytes: Uint8Array, first = false): Int32Array {
    const out: number[] = [];
    for (let from = 0; from < bytes.length;) {
      const to = from + wholeCharacters(bytes, from);
      if (to > from) {
        const text = decoder.decode(bytes.subarray(from, to));
        for (const token of first && from === 0 ? this.tokenizer.encode(text) : this.#behind(text)) out.push(token);
      }
      const byte = to < bytes.length ? this.#byteTokens[bytes[to]] : -1;
      if (byte >= 0) out.push(byte);
      from = to + 1;
    }
    return Int32Array.from(out);
  }

  /** Tokens of text that stands behind other text. */
  #behind(text: string): Int32Array {
    const { tokenizer } = this;
    const space = text.startsWith(" ");
    if (this.#puts === "never" || (this.#puts === "missing" && space)) return tokenizer.encode(text);
    if (space && text.length > 1) return tokenizer.encode(text.slice(1));
    for (const [anchor, alone] of this.#anchors) {
      const both = tokenizer.encode(anchor + text);
      if (alone.every((token, i) => token === both[i])) return both.subarray(alone.length);
    }
    return tokenizer.encode(text);
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes from `from` on that are whole UTF-8 characters, up to the first that is none. */
function wholeCharacters(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length === 0) break;
    at += length;
  }
  return at - from;
}

/** Bytes of the UTF-8 character at `at`; 0 where there is none, or a part of one. */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return 0;
  const [low, high] = SECOND[lead] ?? [0x80, 0xbf];
  return bytes[at + 1] >= low && bytes[at + 1] <= high ? length : 0;
}

/** The second byte after leads that allow fewer: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
const SECOND: Readonly<Record<number, readonly [number, number]>> = {
  0xe0: [0xa0, 0xbf],
  0xed: [0x80, 0x9f],
  0xf0: [0x90, 0xbf],
  0xf4: [0x80, 0x8f],
};

/** All parts, one behind the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
