// stories260K as other converters might have written it: with another entry of metadata, or a longer vocabulary.
import { readGguf } from "../../../src/model/files/gguf.ts";
import { asPackedStrings, unpack } from "../../../src/model/tokenizers/strings.ts";
import { gguf, value, type Written } from "../../model/support/gguf-writer.ts";
import { STORIES } from "./cli.ts";

export interface StoriesOptions {
  /** Entries besides, or in place of the file's own. */
  readonly entries?: Readonly<Record<string, Written>>;
  /** Tokens behind the vocabulary that nobody uses, with rows of zeros in the embedding. */
  readonly padding?: number;
  /** The same with names and a token type. */
  readonly extra?: { readonly names: readonly string[]; readonly type: number };
  /** One number of the embedding, by its place. */
  readonly broken?: { readonly at: number; readonly value: number };
}

/** GGUF bytes; every tensor as the original has it. */
export function stories({ entries = {}, padding = 0, extra, broken }: StoriesOptions): Uint8Array {
  const added = extra ?? { names: Array.from({ length: padding }, (_, i) => `<pad${i}>`), type: 5 };
  const { file, metadata, tensors } = readGguf(STORIES);
  const tokens = asPackedStrings(metadata.get("tokenizer.ggml.tokens"), {});
  const numbers = (key: string) => Array.from(metadata.get(key) as ArrayLike<number>);
  const names = Array.from({ length: tokens.length }, (_, token) => unpack(tokens, token));
  const more = (number: number) => added.names.map(() => number);
  const own: Record<string, Written> = {
    "general.architecture": value.text("llama"),
    "tokenizer.ggml.model": value.text("llama"),
    "tokenizer.ggml.tokens": value.texts([...names, ...added.names]),
    "tokenizer.ggml.scores": list(6, [...numbers("tokenizer.ggml.scores"), ...more(-1e9)]),
    "tokenizer.ggml.token_type": list(5, [...numbers("tokenizer.ggml.token_type"), ...more(added.type)]),
  };
  const whole = ["context_length", "embedding_length", "block_count", "feed_forward_length", "rope.dimension_count"]
    .concat(["attention.head_count", "attention.head_count_kv"]);
  for (const key of whole) {
    const found = metadata.get(`llama.${key}`);
    if (typeof found === "number") own[`llama.${key}`] = value.u32(found);
  }
  own["llama.attention.layer_norm_rms_epsilon"] = value.f32(
    metadata.get("llama.attention.layer_norm_rms_epsilon") as number,
  );
  let at = 0;
  const parts: Uint8Array[] = [];
  const written = [...tensors].map(([name, tensor]) => {
    const [rows, ...columns] = tensor.shape;
    const shape = [rows === tokens.length ? rows + added.names.length : rows, ...columns];
    const floats = new Float32Array(shape.reduce((a, b) => a * b, 1));
    floats.set(tensor.floats());
    if (broken && name === "token_embd.weight") floats[broken.at] = broken.value;
    parts.push(new Uint8Array(floats.buffer));
    const offset = at;
    at += floats.byteLength;
    return { name, dimensions: [...shape].reverse(), type: 0, offset };
  });
  file.close();
  return gguf({ entries: Object.entries({ ...own, ...entries }), tensors: written, data: Buffer.concat(parts) });
}

function list(type: 5 | 6, values: readonly number[]): Written {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(type, 0);
  head.writeBigUInt64LE(BigInt(values.length), 4);
  const numbers = type === 6 ? Float32Array.from(values) : Int32Array.from(values);
  return { type: 9, bytes: Buffer.concat([head, new Uint8Array(numbers.buffer)]) };
}
