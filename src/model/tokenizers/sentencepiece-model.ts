// `tokenizer.model`, SentencePiece's own file, as folders of Llama 2's time have it in place of tokenizer.json: a protocol
// buffer (sentencepiece_model.proto) with pieces, scores and what is done to white space. It is put into the words of
// tokenizer.json as transformers 5 puts it, so that everything behind is the same.
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { HunchError } from "../../errors.ts";
import { MOST_TOKENS } from "./vocabulary.ts";

interface Piece {
  readonly text: string;
  readonly score: number;
  /** Normal 1, unknown 2, control 3, user-defined 4, unused 5, byte 6. */
  readonly type: number;
}

interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  /** Unigram 1, byte-pair encoding 2, words 3, characters 4. */
  readonly kind: number;
  readonly byteFallback: boolean;
  readonly unknown: number;
  readonly dummyPrefix: boolean;
  /** Whether text is rewritten before it is cut. */
  readonly rewrites: boolean;
}

/** Longer than any piece of a real model; every way to cut each is looked at. */
const LONGEST_PIECE = 128;
const UNKNOWN = 2, CONTROL = 3, USER = 4;
const BPE = 2;

/**
 * What tokenizer.json would be. `config` is the parsed tokenizer_config.json, `modelType` that of config.json.
 * Throws HunchError("input") naming `file` where it is damaged or of another kind.
 */
export function tokenizerJsonOf(
  bytes: Uint8Array,
  file: string,
  config: Readonly<Record<string, unknown>> = {},
  modelType: unknown = undefined,
): Record<string, unknown> {
  const model = read(bytes, file);
  const refuse = (field: string, message: string) =>
    new HunchError("input", message, { file, field, hint: "take a folder with tokenizer.json, or a GGUF file" });
  if (model.pieces.length === 0) throw refuse("pieces", "the vocabulary is empty");
  if (model.pieces.length > MOST_TOKENS) throw refuse("pieces", `${model.pieces.length} pieces are too many`);
  const long = model.pieces.findIndex(({ text }) => text.length > LONGEST_PIECE);
  if (long >= 0) throw refuse("pieces", `piece ${long} is too long, with ${model.pieces[long].text.length} characters`);
  if (model.kind !== BPE) throw refuse("model_type", "only byte-pair encoding is supported");
  if (model.rewrites) throw refuse("normalizer_spec", "text that is rewritten before it is cut is not supported");
  const vocab: Record<string, number> = Object.create(null);
  model.pieces.forEach(({ text }, id) => {
    if (text in vocab) throw refuse("pieces", `tokens ${vocab[text]} and ${id} are both ${JSON.stringify(text)}`);
    vocab[text] = id;
  });
  return {
    added_tokens: added(model, config),
    ...spaces(model, config, modelType),
    post_processor: null,
    model: {
      type: "BPE",
      unk_token: model.pieces[model.unknown]?.text ?? null,
      fuse_unk: true,
      byte_fallback: model.byteFallback,
      vocab,
      merges: merges(model, vocab),
    },
  };
}

/** What transformers does about the space in front of a text: it depends on the class that reads the folder. */
function spaces({ dummyPrefix }: SentencePieceModel, config: Readonly<Record<string, unknown>>, modelType: unknown) {
  const own = modelType === "llama" && /^Llama/.test(String(config.tokenizer_class));
  const legacy = config.legacy ?? !own;
  const metaspace = (prepend_scheme: string) => ({ type: "Metaspace", replacement: "▁", prepend_scheme, split: false });
  if (!dummyPrefix || !legacy) return { normalizer: null, pre_tokenizer: metaspace(dummyPrefix ? "first" : "never") };
  const normalizers = [
    { type: "Replace", pattern: { String: " " }, content: "▁" },
    { type: "Replace", pattern: { Regex: "\\A▁" }, content: "▁▁" },
  ];
  return {
    normalizer: own ? null : { type: "Sequence", normalizers },
    pre_tokenizer: metaspace("always"),
  };
}

/** Special tokens of the file, and those that tokenizer_config.json adds or describes anew. */
function added({ pieces }: SentencePieceModel, config: Readonly<Record<string, unknown>>) {
  const tokens = new Map<number, unknown>();
  pieces.forEach(({ text, type }, id) => {
    const special = type === UNKNOWN || type === CONTROL;
    if (special || type === USER) tokens.set(id, { id, content: text, special });
  });
  for (const [id, token] of Object.entries(config.added_tokens_decoder ?? {})) {
    tokens.set(Number(id), { ...token, id: Number(id) });
  }
  return [...tokens.values()];
}

/** Every way to make a piece of two others, the best score first, of equal ones the longest left part. */
function merges({ pieces }: SentencePieceModel, vocab: Readonly<Record<string, number>>): [string, string][] {
  const out: { left: string; right: string; score: number }[] = [];
  for (const { text, score, type } of pieces) {
    if (type === UNKNOWN || type === CONTROL) continue;
    for (let cut = 1; cut < text.length; cut++) {
      const left = text.slice(0, cut), right = text.slice(cut);
      if (left in vocab && right in vocab) out.push({ left, right, score });
    }
  }
  const length = (text: string) => [...text].length;
  out.sort((a, b) => b.score - a.score || length(b.left) - length(a.left) || length(b.right) - length(a.right));
  return out.map(({ left, right }) => [left, right]);
}

function read(bytes: Uint8Array, file: string): SentencePieceModel {
  const pieces: Piece[] = [];
  let trainer = { kind: 1, byteFallback: false, unknown: 0 };
  let normalizer = { dummyPrefix: true, rewrites: false };
  try {
    fields(bytes, (field, reader) => {
      if (field === 1) pieces.push(readPiece(reader.bytes()));
      else if (field === 2) trainer = readTrainer(reader.bytes());
      else if (field === 3) normalizer = readNormalizer(reader.bytes());
      else return false;
      return true;
    });
  } catch (error) {
    if (error instanceof HunchError) throw error;
    const hint = "the file is damaged, or no SentencePiece model";
    throw new HunchError("input", "this is not a protocol buffer of SentencePiece's", { file, hint });
  }
  return { pieces, ...trainer, ...normalizer };
}

/** Hands each field's number to `take`, which reads it and says so; others are stepped over. */
function fields(bytes: Uint8Array, take: (field: number, reader: BinaryReader, wire: WireType) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (!take(field, reader, wire)) reader.skip(wire, field);
  }
}

function readPiece(bytes: Uint8Array): Piece {
  let text = "", score = 0, type = 1;
  fields(bytes, (field, reader) => {
    if (field === 1) text = reader.string();
    else if (field === 2) score = reader.float();
    else if (field === 3) type = reader.int32();
    else return false;
    return true;
  });
  return { text, score, type };
}

function readTrainer(bytes: Uint8Array) {
  let kind = 1, byteFallback = false, unknown = 0;
  fields(bytes, (field, reader, wire) => {
    if (wire !== WireType.Varint) return false;
    if (field === 3) kind = reader.int32();
    else if (field === 35) byteFallback = reader.bool();
    else if (field === 40) unknown = reader.int32();
    else return false;
    return true;
  });
  return { kind, byteFallback, unknown };
}

function readNormalizer(bytes: Uint8Array) {
  let dummyPrefix = true, rewrites = false;
  fields(bytes, (field, reader) => {
    if (field === 2) rewrites = reader.bytes().length > 0;
    else if (field === 3) dummyPrefix = reader.bool();
    else return false;
    return true;
  });
  return { dummyPrefix, rewrites };
}
