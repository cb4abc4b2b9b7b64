// What all tokenizers share: special tokens, the beginning of text, and decoding by bytes.
import type { EncodeOptions, Tokenizer } from "../tokenizer.ts";
import type { Place } from "../../errors.ts";
import { type SpecialToken, SpecialTokens } from "./special.ts";
import { utf8 } from "./strings.ts";

const NOTHING = new Uint8Array(0);

/** Token ids, growing. */
export class TokenList {
  #ids = new Int32Array(256);
  #count = 0;

  push(id: number): void {
    if (this.#count === this.#ids.length) {
      const larger = new Int32Array(this.#count * 2);
      larger.set(this.#ids);
      this.#ids = larger;
    }
    this.#ids[this.#count++] = id;
  }

  finish(): Int32Array {
    return this.#ids.slice(0, this.#count);
  }
}

export interface TokenizerParts {
  readonly vocab: number;
  readonly begin: number | undefined;
  readonly ends: readonly number[];
  readonly specials: readonly SpecialToken[];
  readonly place: Place;
  /** The vocabulary's own spelling of a token. */
  readonly name: (token: number) => string;
}

export abstract class BaseTokenizer implements Tokenizer {
  readonly vocab: number;
  readonly begin: number | undefined;
  readonly ends: readonly number[];
  readonly #name: (token: number) => string;
  readonly #silent: ReadonlySet<number>;
  readonly #always: SpecialTokens | undefined;
  readonly #all: SpecialTokens | undefined;

  constructor(parts: TokenizerParts) {
    this.vocab = parts.vocab;
    this.begin = parts.begin;
    this.ends = parts.ends;
    this.#name = parts.name;
    this.#silent = new Set(parts.specials.filter((token) => token.control).map((token) => token.id));
    const always = parts.specials.filter((token) => !token.control);
    if (always.length > 0) this.#always = new SpecialTokens(always, parts.place);
    if (parts.specials.length > 0) this.#all = new SpecialTokens(parts.specials, parts.place);
  }

  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const out = new TokenList();
    if (options.begin && this.begin !== undefined) out.push(this.begin);
    const specials = options.special ? this.#all : this.#always;
    if (specials) {
      // A stretch of text "starts" at the beginning and after each special token.
      let first = true;
      specials.split(text, (stretch) => {
        this.encodePlain(stretch, first, out);
        first = false;
      }, (token) => {
        out.push(token.id);
        first = false;
      }, options.literal);
    } else if (text.length > 0) this.encodePlain(text, true, out);
    return out.finish();
  }

  bytes(token: number): Uint8Array {
    if (!(token >= 0 && token < this.vocab) || this.#silent.has(token)) return NOTHING;
    return this.plainBytes(token);
  }

  decode(tokens: ArrayLike<number>): string {
    let length = 0;
    for (let i = 0; i < tokens.length; i++) length += this.bytes(tokens[i]).length;
    const out = new Uint8Array(length);
    for (let i = 0, at = 0; i < tokens.length; i++) {
      const bytes = this.bytes(tokens[i]);
      out.set(bytes, at);
      at += bytes.length;
    }
    return utf8(out);
  }

  name(token: number): string {
    return token >= 0 && token < this.vocab ? this.#name(token) : "";
  }

  /** Encodes text without special tokens, never empty. `first`: nothing stands before it. */
  protected abstract encodePlain(text: string, first: boolean, out: TokenList): void;
  /** The bytes of a token that is not a control token. */
  protected abstract plainBytes(token: number): Uint8Array;
}

/** Tokens that end a turn or a text in some model, by name. Two that are also HTML count only as control tokens. */
const END_NAMES = new Set([
  "<|im_end|>",
  "<|endoftext|>",
  "<|end_of_text|>",
  "<|eot_id|>",
  "<|eom_id|>",
  "<|end|>",
  "<|return|>",
  "<end_of_turn>",
  "<end_of_utterance>",
  "<EOT>",
  "_<EOT>",
  "[EOT]",
  "<｜end▁of▁sentence｜>",
]);
const CONTROL_END_NAMES = new Set(["</s>", "<eos>", "[EOS]"]);

/** True where a token of this name ends a completion, whatever the file calls its end. */
export function isEndName(name: string, control: boolean): boolean {
  return END_NAMES.has(name) || (control && CONTROL_END_NAMES.has(name));
}
