// The tokenizer and the chat template of a GGUF file, for another one with a larger vocabulary: tokens that nobody uses
// fill it up.
import { HunchError } from "../../src/errors.ts";
import type { GgufMetadata, GgufValue } from "../../src/model/files/gguf.ts";
import { asPackedStrings, unpack } from "../../src/model/tokenizers/strings.ts";
import { type Entry, flag, floats, integers, text, texts, u32, type Value } from "./gguf-header.ts";

/** GGUF's word for a token that is never used. */
const UNUSED = 5;

/** Throws HunchError where the model has no tokenizer, or one of more than `vocab` tokens. */
export function tokenizerEntries(metadata: GgufMetadata, vocab: number): Entry[] {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (tokens === undefined) {
    throw new HunchError("usage", "the model has no tokenizer in GGUF's form", { hint: "name another with -m" });
  }
  const names = strings(tokens);
  const missing = vocab - names.length;
  if (missing < 0) {
    throw new HunchError("usage", `the tokenizer has ${names.length} tokens, and the shape only ${vocab}`, {
      hint: "name a model with a smaller vocabulary by -m",
    });
  }
  const filled: Readonly<Record<string, (value: GgufValue) => Value>> = {
    "tokenizer.ggml.tokens": () => texts([...names, ...Array.from({ length: missing }, (_, i) => `<unused ${i}>`)]),
    "tokenizer.ggml.token_type": (value) =>
      integers(Int32Array.of(...numbers(value), ...new Array(missing).fill(UNUSED))),
    "tokenizer.ggml.scores": (value) => floats(Float32Array.of(...numbers(value), ...new Array(missing).fill(-1e9))),
  };
  return [...metadata].filter(([key]) => key.startsWith("tokenizer."))
    .flatMap(([key, value]): Entry[] => {
      const written = filled[key]?.(value) ?? valueOf(value);
      return written === undefined ? [] : [[key, written]];
    });
}

/** Undefined for kinds of values that no tokenizer has. */
function valueOf(value: GgufValue): Value | undefined {
  if (typeof value === "string") return text(value);
  if (typeof value === "boolean") return flag(value);
  if (typeof value === "number") return u32(value);
  if (typeof value === "object" && "starts" in value) return texts(strings(value));
  return undefined;
}

function strings(value: GgufValue): string[] {
  const packed = asPackedStrings(value, {});
  return Array.from({ length: packed.length }, (_, i) => unpack(packed, i));
}

function numbers(value: GgufValue): number[] {
  return Array.from(value as ArrayLike<number>);
}
