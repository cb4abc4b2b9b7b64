// The tokenizer file of a llama2.c checkpoint: a SentencePiece vocabulary with scores and without types.
//
// Layout, little-endian: int32 longest token; then for each token float32 score, int32 length, bytes. The exporting
// script wrote spaces for U+2581 and line ends around `<s>` and `</s>`; names here are SentencePiece's own again, so
// that the same vocabulary has the same names whatever file it came in.
import { HunchError } from "../../errors.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { TOKEN } from "./gguf.ts";
import { sentencePieceFromScores } from "./sentencepiece.ts";
import { pack, unpack, utf8 } from "./strings.ts";
import { LONGEST_TOKEN, MOST_TOKENS } from "./vocabulary.ts";

const UNKNOWN = 0, BEGIN = 1, END = 2;
const SPECIAL = ["<unk>", "<s>", "</s>"];

/** By the names that chat templates know. */
export const SPECIAL_NAMES = { unk_token: SPECIAL[UNKNOWN], bos_token: SPECIAL[BEGIN], eos_token: SPECIAL[END] };

/**
 * Reads `vocab` tokens from the file's whole content. Throws HunchError("input") with offset and field where it is
 * damaged or belongs to another model.
 */
export function tokenizerFromLlama2c(bytes: Uint8Array, vocab: number, file: string): Tokenizer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (message: string, offset: number, field: string): HunchError =>
    new HunchError("input", message, {
      file,
      offset,
      field,
      hint: "take the tokenizer that the model was trained with",
    });
  if (!Number.isInteger(vocab) || vocab < 3 || vocab > MOST_TOKENS) {
    throw fail(`a vocabulary of ${vocab} tokens is not possible`, 0, "vocab_size");
  }
  if (bytes.length < 4 + vocab * 8) throw fail(`the file is too short for ${vocab} tokens`, bytes.length, "tokens");
  const scores = new Float32Array(vocab);
  const types = new Uint8Array(vocab);
  const names: string[] = [];
  let at = 4;
  for (let token = 0; token < vocab; token++) {
    if (at + 8 > bytes.length) throw fail(`the file ends before token ${token} of ${vocab}`, at, "score");
    scores[token] = view.getFloat32(at, true);
    const length = view.getInt32(at + 4, true);
    if (length < 0 || length > LONGEST_TOKEN || at + 8 + length > bytes.length) {
      throw fail(`token ${token} has a length of ${length}`, at + 4, "len");
    }
    at += 8;
    const text = utf8(bytes.subarray(at, at + length));
    at += length;
    if (token < SPECIAL.length) {
      if (text.trim() !== SPECIAL[token]) {
        throw fail(
          `token ${token} is ${JSON.stringify(text.slice(0, 40))}, not ${SPECIAL[token]}`,
          at - length,
          "token",
        );
      }
      names.push(SPECIAL[token]);
      types[token] = token === UNKNOWN ? TOKEN.unknown : TOKEN.control;
    } else {
      names.push(text.replaceAll(" ", "▁"));
      types[token] = /^<0x[0-9A-F]{2}>$/.test(text) ? TOKEN.byte : TOKEN.normal;
    }
  }
  if (at !== bytes.length) throw fail(`the file has more than the model's ${vocab} tokens`, at, "tokens");
  const tokens = pack(names);
  return sentencePieceFromScores({
    tokens,
    types,
    scores,
    vocab,
    begin: BEGIN,
    // These models begin a new text after the end of one: llama2.c stops at either.
    ends: [END, BEGIN],
    specials: [UNKNOWN, BEGIN, END].map((id) => ({ id, text: SPECIAL[id], control: true })),
    place: { file, field: "tokens" },
    name: (token) => unpack(tokens, token),
    unknown: UNKNOWN,
    prefix: "always",
  });
}
