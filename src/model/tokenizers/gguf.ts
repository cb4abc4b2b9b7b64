// The tokenizer inside a GGUF file: `tokenizer.ggml.*`. Its two kinds are `gpt2` (byte-level byte-pair encoding) and
// `llama` (SentencePiece with scores). Keys, defaults and token types are those of llama.cpp.
import { HunchError, type Place } from "../../errors.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { isEndName, type TokenizerParts } from "./base.ts";
import { byteLevelRules, ByteLevelTokenizer, byteLevelVocabulary } from "./bytelevel.ts";
import { namedPreTokenizer, preTokenizer } from "./pretokenizers.ts";
import { sentencePieceFromScores } from "./sentencepiece.ts";
import type { SpecialToken } from "./special.ts";
import { asPackedStrings, type PackedStrings, unpack } from "./strings.ts";

/** A file's metadata. Lists of strings may be packed (see strings.ts), which is much faster. */
export type Metadata = ReadonlyMap<string, unknown>;

/** Keys that say nothing about how text is encoded, or with these values alone. */
const HARMLESS: readonly (readonly [keys: RegExp, value?: unknown])[] = [
  [/^(tokens|token_type|token_type_count|scores|merges|pre)$/], // one kind needs the one, another the other
  [/^(bos|eos|eot|eom|padding|unknown|seperator|separator|mask|cls|prefix|suffix|middle|fim_\w+)_token_id$/],
  [/^add_(eos_token|sep_token|space_prefix)$/, false],
  [/^remove_extra_whitespaces$/, false],
  [/^escape_whitespaces$/, true],
];

/** `tokenizer.ggml.token_type` */
export const TOKEN = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;

/**
 * Builds the tokenizer that `metadata` describes. `place.file` names the file in complaints. `warn` is told of ids that are
 * left out because the vocabulary does not have them.
 * Throws HunchError("input") naming the field where something is missing, contradictory or not supported.
 */
export function tokenizerFromGguf(
  metadata: Metadata,
  place: Place,
  warn: (text: string) => void = () => {},
): Tokenizer {
  const reader = new Reader(metadata, place, warn);
  const model = reader.text("tokenizer.ggml.model");
  if (model === undefined) throw reader.fail("tokenizer.ggml.model", "the file has no tokenizer");
  if (model === "gpt2" || model === "llama") {
    const tokenizer = model === "gpt2" ? byteLevel(reader) : sentencePiece(reader);
    reader.warnOfUnread();
    return tokenizer;
  }
  const shown = JSON.stringify(model.slice(0, 80));
  throw reader.fail("tokenizer.ggml.model", `a tokenizer of kind ${shown} is not supported, only "gpt2" and "llama"`);
}

function byteLevel(reader: Reader): Tokenizer {
  const pre = reader.text("tokenizer.ggml.pre") ?? guessedPre(reader);
  const { kind, wholePieces, begin } = namedPreTokenizer(pre, reader.at("tokenizer.ggml.pre"));
  const tokens = reader.tokens();
  const types = reader.types(tokens.length);
  const raw = (token: number) => types[token] !== TOKEN.normal && types[token] !== TOKEN.unused;
  const findable = (token: number) => types[token] !== TOKEN.control && types[token] !== TOKEN.unknown;
  const vocabulary = byteLevelVocabulary(tokens, raw, findable, reader.at("tokenizer.ggml.tokens"));
  const merges = asPackedStrings(reader.metadata.get("tokenizer.ggml.merges"), reader.at("tokenizer.ggml.merges"));
  return new ByteLevelTokenizer({
    ...reader.parts(tokens, types, begin, {}),
    vocabulary,
    rules: byteLevelRules(merges, vocabulary, reader.at("tokenizer.ggml.merges"), false),
    cut: preTokenizer(kind),
    wholePieces,
  });
}

/** Files from before May 2024 do not say it. */
function guessedPre(reader: Reader): string {
  const message = "the file does not say how text is cut before it is encoded, so it is cut as GPT-2's is by default";
  const hint = "answers may be worse: convert the model again with a newer llama.cpp";
  reader.warn(reader.fail("tokenizer.ggml.pre", message, hint).line);
  return "default";
}

function sentencePiece(reader: Reader): Tokenizer {
  const tokens = reader.tokens();
  const types = reader.types(tokens.length);
  return sentencePieceFromScores({
    ...reader.parts(tokens, types, true, { begin: 1, end: 2 }),
    tokens,
    types,
    scores: reader.numbers("tokenizer.ggml.scores", tokens.length, "scores"),
    unknown: reader.id("tokenizer.ggml.unknown_token_id", tokens.length) ?? (tokens.length > 0 ? 0 : undefined),
    prefix: reader.flag("tokenizer.ggml.add_space_prefix") ?? true ? "always" : "never",
    place: reader.at("tokenizer.ggml.tokens"),
  });
}

/** Metadata with complaints that name file and field. */
class Reader {
  readonly #read = new Set<string>();

  constructor(readonly metadata: Metadata, readonly place: Place, readonly warn: (text: string) => void) {}

  at(field: string): Place {
    return { ...this.place, field };
  }

  fail(field: string, message: string, hint = "the file is damaged, or not what it says"): HunchError {
    return new HunchError("input", message, { ...this.at(field), hint });
  }

  /** Nothing that a file says of its tokenizer is left out in silence. */
  warnOfUnread(): void {
    const prefix = "tokenizer.ggml.";
    const unread = [...this.metadata.keys()].filter((field) => {
      if (!field.startsWith(prefix) || this.#read.has(field)) return false;
      const key = field.slice(prefix.length);
      return !HARMLESS.some((known) =>
        known[0].test(key) && (known.length === 1 || known[1] === this.metadata.get(field))
      );
    });
    if (unread.length === 0) return;
    const shown = unread.slice(0, 8).map((field) => JSON.stringify(field.slice(0, 80))).join(", ");
    this.warn(`what this program does not know of a tokenizer is ignored: ${shown} (${this.place.file})`);
  }

  #get(field: string): unknown {
    this.#read.add(field);
    return this.metadata.get(field);
  }

  text(field: string): string | undefined {
    const value = this.#get(field);
    if (value === undefined || typeof value === "string") return value;
    throw this.fail(field, "this is no text");
  }

  flag(field: string): boolean | undefined {
    const value = this.#get(field);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.fail(field, "this is neither true nor false");
  }

  tokens(): PackedStrings {
    const tokens = asPackedStrings(this.metadata.get("tokenizer.ggml.tokens"), this.at("tokenizer.ggml.tokens"));
    if (tokens.length === 0) throw this.fail("tokenizer.ggml.tokens", "the vocabulary is empty");
    return tokens;
  }

  /** Token types; all normal where the file has none. */
  types(count: number): ArrayLike<number> {
    const field = "tokenizer.ggml.token_type";
    if (this.metadata.get(field) === undefined) return new Uint8Array(count).fill(TOKEN.normal);
    const types = this.numbers(field, count, "token types");
    for (let token = 0; token < count; token++) {
      // 0 is "undefined" in llama.cpp; converters write it for tokens that nobody uses.
      if (types[token] === 0 || Number.isInteger(types[token]) && types[token] >= 1 && types[token] <= 6) continue;
      throw this.fail(field, `token ${token} is of type ${types[token]}, which does not exist`);
    }
    return types;
  }

  numbers(field: string, count: number, what: string): ArrayLike<number> {
    const value = this.metadata.get(field);
    if (!isNumbers(value)) {
      throw this.fail(field, value === undefined ? `the ${what} are missing` : "no list of numbers");
    }
    if (value.length !== count) throw this.fail(field, `${value.length} ${what} for ${count} tokens`);
    return value;
  }

  /** A token id; undefined where the file has none, or one that the vocabulary does not have, as llama.cpp has it. */
  id(field: string, count: number): number | undefined {
    const value = this.metadata.get(field);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < count) return value;
    if (typeof value !== "number" && typeof value !== "bigint") throw this.fail(field, "this is no token id");
    const wrong = this.fail(field, `token ${value} is not in the vocabulary of ${count}`, "it is left out");
    this.warn(wrong.line);
    return undefined;
  }

  /** What all kinds of tokenizers read alike. */
  parts(
    tokens: PackedStrings,
    types: ArrayLike<number>,
    beginByDefault: boolean,
    defaults: { readonly begin?: number; readonly end?: number },
  ): TokenizerParts {
    const count = tokens.length;
    const inside = (id: number | undefined) => id !== undefined && id < count ? id : undefined;
    const bos = this.id("tokenizer.ggml.bos_token_id", count) ?? inside(defaults.begin);
    const eos = this.id("tokenizer.ggml.eos_token_id", count) ?? inside(defaults.end);
    const wanted = this.flag("tokenizer.ggml.add_bos_token") ?? beginByDefault;
    if (wanted && bos === undefined) {
      throw this.fail("tokenizer.ggml.bos_token_id", "text shall begin with a token that the file does not name");
    }
    const ends = new Set<number>();
    for (
      const id of [eos, this.id("tokenizer.ggml.eot_token_id", count), this.id("tokenizer.ggml.eom_token_id", count)]
    ) {
      if (id !== undefined) ends.add(id);
    }
    const specials = this.#specials(tokens, types);
    for (const { id, text, control } of specials) if (isEndName(text, control)) ends.add(id);
    return {
      vocab: count,
      begin: wanted ? bos : undefined,
      ends: [...ends],
      specials,
      place: this.at("tokenizer.ggml.tokens"),
      name: (token) => unpack(tokens, token),
    };
  }

  #specials(tokens: PackedStrings, types: ArrayLike<number>): SpecialToken[] {
    // Phi-3's special tokens swallow white space after them, and its GGUF files cannot say so; llama.cpp goes by name.
    const name = this.metadata.get("general.name");
    const swallow = typeof name === "string" && /phi-?3/i.test(name);
    const specials: SpecialToken[] = [];
    for (let id = 0; id < tokens.length; id++) {
      const type = types[id];
      if (type !== TOKEN.control && type !== TOKEN.user && type !== TOKEN.unknown) continue;
      const text = unpack(tokens, id);
      if (text === "") throw this.fail("tokenizer.ggml.tokens", `special token ${id} is empty`);
      // Converters have mistaken ends of turns for text that people write; generating one must still end the turn.
      const control = type !== TOKEN.user || isEndName(text, false);
      const right = swallow && !["<unk>", "<s>", "<|endoftext|>"].includes(text);
      specials.push({ id, text, control, right });
    }
    return specials;
  }
}

function isNumbers(value: unknown): value is ArrayLike<number> {
  if (Array.isArray(value)) return value.every((item) => typeof item === "number");
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array);
}
