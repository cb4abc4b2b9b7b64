// What is scored.
import type { ModelSource } from "../../src/model/source.ts";

/** Tokens of a text, the beginning token in front where the model wants one. */
export function tokensOf(source: ModelSource, given: string | Int32Array): Int32Array {
  return typeof given === "string" ? source.tokenizer.encode(given, { begin: true }) : given;
}
