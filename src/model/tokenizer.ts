// Text to token ids and back.

export interface EncodeOptions {
  /** Text like `<|im_end|>` becomes the special token. Default false: user text stays text. */
  readonly special?: boolean;
  /**
   * With `special`: [from, to, from, to, …] in UTF-16 units, ascending. No control token is made of what stands there,
   * in part or whole; to everything else the text is one.
   */
  readonly literal?: readonly number[];
  /** Put the beginning-of-text token in front where the model wants one. Default false. */
  readonly begin?: boolean;
}

export interface Tokenizer {
  /** How it works, for people: `byte-level BPE`, `SentencePiece`. */
  readonly kind?: string;
  readonly vocab: number;
  /** Beginning-of-text token where the model wants one in front of plain text. */
  readonly begin?: number;
  /** Tokens that end a completion. */
  readonly ends: readonly number[];
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** The bytes that a token stands for; empty for special tokens. */
  bytes(token: number): Uint8Array;
  /** Bytes of all tokens, decoded as UTF-8 (replacement characters where they are not). */
  decode(tokens: ArrayLike<number>): string;
  /** The token's own name, as the vocabulary has it: for comparing vocabularies and for showing. */
  name(token: number): string;
}
