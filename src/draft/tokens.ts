// A list of tokens that grows.

export class TokenBuffer {
  #tokens: Int32Array;
  #length = 0;

  /** `room`: tokens that fit before the first copy. */
  constructor(room = 1024) {
    this.#tokens = new Int32Array(Math.max(1, room));
  }

  get length(): number {
    return this.#length;
  }

  /** The last token; undefined where there is none. */
  get last(): number {
    return this.#tokens[this.#length - 1];
  }

  at(index: number): number {
    return this.#tokens[index];
  }

  /** [length] A view: later appends do not show in it, `clear` and `truncate` may overwrite it. */
  get view(): Int32Array {
    return this.#tokens.subarray(0, this.#length);
  }

  append(tokens: Int32Array): void {
    if (this.#length + tokens.length > this.#tokens.length) {
      const larger = new Int32Array(2 * (this.#length + tokens.length));
      larger.set(this.view);
      this.#tokens = larger;
    }
    this.#tokens.set(tokens, this.#length);
    this.#length += tokens.length;
  }

  /** Forgets the tokens from `length` on. */
  truncate(length: number): void {
    this.#length = Math.min(length, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }
}
