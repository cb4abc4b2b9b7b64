// Tokens to text as they come: never half a character, never any of a stop string.

/** What is needed of a tokenizer. */
interface Bytes {
  bytes(token: number): Uint8Array;
}

/**
 * Text of a growing list of tokens, in pieces. Two things are held back: the bytes of a character that is not complete,
 * and the longest end of the text that a stop string could begin with.
 *
 * Pieces, put together, are the text of the tokens decoded at once, cut before the first stop string. Tokens are taken
 * one by one, so where the text stops does not depend on how they were grouped.
 */
export class TextStream {
  readonly #tokenizer: Bytes;
  readonly #stops: readonly string[];
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #held = "";
  #stopped = false;

  /** `stops`: strings that end the text; none of them empty. */
  constructor(tokenizer: Bytes, stops: readonly string[] = []) {
    this.#tokenizer = tokenizer;
    this.#stops = stops;
  }

  /** True once a stop string was found; nothing more comes then. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The text that `token` sets free, possibly none. */
  push(token: number): string {
    if (this.#stopped) return "";
    const bytes = this.#tokenizer.bytes(token);
    return bytes.length === 0 ? "" : this.#release(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What was held back, when no more tokens come. Bytes that never made a character become U+FFFD. */
  end(): string {
    if (this.#stopped) return "";
    const text = this.#release(this.#decoder.decode());
    const rest = this.#stopped ? "" : this.#held;
    this.#stopped = true;
    return text + rest;
  }

  #release(text: string): string {
    if (this.#stops.length === 0) return text;
    this.#held += text;
    let cut = -1;
    for (const stop of this.#stops) {
      const at = this.#held.indexOf(stop);
      if (at >= 0 && (cut < 0 || at < cut)) cut = at;
    }
    if (cut >= 0) this.#stopped = true;
    else cut = this.#held.length - this.#suspicious();
    const out = this.#held.slice(0, cut);
    this.#held = this.#held.slice(cut);
    return out;
  }

  /** Length of the longest end of the held text that begins a stop string. */
  #suspicious(): number {
    let longest = 0;
    for (const stop of this.#stops) {
      let length = Math.min(stop.length - 1, this.#held.length);
      while (length > longest && !this.#held.endsWith(stop.slice(0, length))) length--;
      longest = Math.max(longest, length);
    }
    return longest;
  }
}
