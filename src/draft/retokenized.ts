// The target's text in the tokens of a draft model that has another tokenizer.
//
// The text is cut into parts where a token begins with a space and something else than white space stands before it: any
// tokenizer cuts there. So each part is encoded on its own, and of a text that grows only the last part anew. A text without
// such places is cut all the same, after many tokens. Should a tokenizer merge across a cut, the draft model reads the same
// text in other tokens: it only guesses.
import type { Tokenizer } from "../model/tokenizer.ts";
import { ByteEncoder, joined } from "./byte-encoder.ts";
import { TokenBuffer } from "./tokens.ts";

/** Where a part begins: so many tokens of the target, and so many of the draft model, stand before it. */
interface Cut {
  readonly target: number;
  readonly draft: number;
}

export class RetokenizedText {
  readonly #encoder: ByteEncoder;
  /** The draft model's token for each token of the target that has no text and that both have. */
  readonly #special = new Map<number, number>();
  readonly #text = new TokenBuffer();
  readonly #retokenized = new TokenBuffer();
  readonly #cuts: Cut[] = [];

  /** `shared`: what `sharedTokens` says of them. */
  constructor(private readonly target: Tokenizer, private readonly draft: Tokenizer, shared: Int32Array) {
    this.#encoder = new ByteEncoder(draft);
    shared.forEach((token, own) => {
      if (token >= 0 && draft.bytes(own).length === 0) this.#special.set(token, own);
    });
  }

  /**
   * `text` in tokens of the draft model, behind its begin token where it wants one. Of tokens that have no text, those
   * that the draft model does not know are left out. A view, until the next call. Costs what is new of `text`.
   */
  of(text: Int32Array): Int32Array {
    const { target, draft } = this.#unchanged(text);
    this.#text.truncate(target);
    this.#text.append(text.subarray(target));
    this.#retokenized.truncate(draft);
    if (draft === 0 && this.draft.begin !== undefined) this.#push(this.draft.begin);
    let part: Uint8Array[] = [];
    for (let at = target; at < text.length; at++) {
      const bytes = this.target.bytes(text[at]);
      if (part.length > 0 && (bytes.length === 0 || beginsPart(bytes, part))) {
        this.#encode(part);
        part = [];
        this.#cuts.push({ target: at, draft: this.#retokenized.length });
      }
      if (bytes.length > 0) part.push(bytes);
      else this.#pushSpecial(text[at]);
    }
    this.#encode(part);
    return this.#retokenized.view;
  }

  /** The last cut before which nothing has changed; whether it is one, the token behind it says, which must be the same. */
  #unchanged(text: Int32Array): Cut {
    let shared = 0;
    while (shared < text.length && shared < this.#text.length && text[shared] === this.#text.at(shared)) shared++;
    const cuts = this.#cuts;
    while (cuts.length > 0 && cuts[cuts.length - 1].target >= shared) cuts.pop();
    return cuts[cuts.length - 1] ?? { target: 0, draft: 0 };
  }

  #encode(part: readonly Uint8Array[]): void {
    const begins = this.draft.begin === undefined ? 0 : 1;
    if (part.length > 0) {
      this.#retokenized.append(this.#encoder.encode(joined(part), this.#retokenized.length <= begins));
    }
  }

  #pushSpecial(token: number): void {
    const own = this.#special.get(token);
    const again = own === this.draft.begin && this.#retokenized.length === 1; // it is there already
    if (own !== undefined && !again) this.#push(own);
  }

  #push(token: number): void {
    this.#retokenized.append(Int32Array.of(token));
  }
}

const SPACE = 0x20;
/** So many tokens make a part that ends before the next character. */
const LONG = 64;

/** Whether a token with these bytes begins a new part. */
function beginsPart(bytes: Uint8Array, part: readonly Uint8Array[]): boolean {
  const before = part[part.length - 1];
  const last = before[before.length - 1];
  if (bytes[0] === SPACE && last !== SPACE && !(last >= 9 && last <= 13)) return true;
  return part.length >= LONG && (bytes[0] & 0xc0) !== 0x80;
}
