// Finds special tokens in text: at each place the longest one, from left to right. A trie over UTF-16 units, because
// some vocabularies have thousands of them.
import { HunchError, type Place } from "../../errors.ts";

/** One token that is matched as a whole before anything else. */
export interface SpecialToken {
  readonly id: number;
  readonly text: string;
  /** Only parsed on request (control tokens); otherwise always. */
  readonly control: boolean;
  /** Swallows white space before or after it. */
  readonly left?: boolean;
  readonly right?: boolean;
}

/** More UTF-16 units than any special token has. Bounds the cost at each place of the text. */
const LONGEST = 512;

interface Node {
  token?: SpecialToken;
  readonly next: Map<number, Node>;
}

const SPACE = /\p{White_Space}/u;

export class SpecialTokens {
  readonly #root: Node = { next: new Map() };
  /** Which UTF-16 units begin a special token. */
  readonly #first = new Uint8Array(0x10000);

  /** Throws HunchError("input") where one is empty or too long, or two have the same text. */
  constructor(tokens: Iterable<SpecialToken>, place: Place) {
    for (const token of tokens) {
      if (token.text.length === 0 || token.text.length > LONGEST) {
        const message = `special token ${token.id} has ${token.text.length} characters; 1 to ${LONGEST} are possible`;
        throw new HunchError("input", message, place);
      }
      this.#first[token.text.charCodeAt(0)] = 1;
      let node = this.#root;
      for (let i = 0; i < token.text.length; i++) {
        const unit = token.text.charCodeAt(i);
        let next = node.next.get(unit);
        if (!next) node.next.set(unit, next = { next: new Map() });
        node = next;
      }
      if (node.token) {
        const message = `tokens ${node.token.id} and ${token.id} are both ${JSON.stringify(token.text)}`;
        throw new HunchError("input", message, place);
      }
      node.token = token;
    }
  }

  /**
   * Tells the stretches of ordinary text and the special tokens of `text`, in order; neither is ever empty. `literal`:
   * spans of which no control token is made, as EncodeOptions has them.
   */
  split(
    text: string,
    plain: (text: string) => void,
    special: (token: SpecialToken) => void,
    literal: readonly number[] = [],
  ): void {
    let from = 0;
    let span = 0;
    for (let at = 0; at < text.length;) {
      while (span < literal.length && literal[span + 1] <= at) span += 2;
      // Where control tokens must end: the next span, or here where this is one.
      const controlEnd = span < literal.length ? literal[span] : text.length;
      const token = this.#first[text.charCodeAt(at)] === 1 ? this.#longestAt(text, at, controlEnd) : undefined;
      if (!token) {
        at++;
        continue;
      }
      let end = at;
      if (token.left) { while (end > from && SPACE.test(text[end - 1])) end--; }
      if (end > from) plain(text.slice(from, end));
      special(token);
      at += token.text.length;
      if (token.right) { while (at < text.length && SPACE.test(text[at])) at++; }
      from = at;
    }
    if (from < text.length) plain(text.slice(from));
  }

  #longestAt(text: string, at: number, controlEnd: number): SpecialToken | undefined {
    let found: SpecialToken | undefined;
    let node: Node | undefined = this.#root;
    for (let i = at; i < text.length; i++) {
      node = node.next.get(text.charCodeAt(i));
      if (!node) break;
      if (node.token && (!node.token.control || i < controlEnd)) found = node.token;
    }
    return found;
  }
}
