// A tokenizer that knows more tokens than the model has embeddings, as files with a padding token added for training
// have. Its surplus tokens are refused when a text contains one.
import { HunchError } from "../../errors.ts";
import type { EncodeOptions, Tokenizer } from "../tokenizer.ts";

export class BoundedTokenizer implements Tokenizer {
  readonly kind: string | undefined;
  readonly begin: number | undefined;
  readonly ends: readonly number[];

  constructor(private readonly inner: Tokenizer, readonly vocab: number, private readonly path: string) {
    if (inner.begin !== undefined && inner.begin >= vocab) throw this.#surplus(inner.begin);
    this.kind = inner.kind;
    this.begin = inner.begin;
    this.ends = inner.ends.filter((token) => token < vocab);
  }

  encode(text: string, options?: EncodeOptions): Int32Array {
    const tokens = this.inner.encode(text, options);
    const surplus = tokens.find((token) => token >= this.vocab);
    if (surplus !== undefined) throw this.#surplus(surplus);
    return tokens;
  }

  bytes(token: number): Uint8Array {
    return this.inner.bytes(token);
  }

  decode(tokens: ArrayLike<number>): string {
    return this.inner.decode(tokens);
  }

  name(token: number): string {
    return this.inner.name(token);
  }

  #surplus(token: number): HunchError {
    const message = `the tokenizer's token ${token} has no row in the model's embedding of ${this.vocab}`;
    return new HunchError("input", message, {
      file: this.path,
      field: this.inner.name(token),
      hint: "leave it out of the text",
    });
  }
}
