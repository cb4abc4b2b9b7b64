// `tokenizer.json` of a Hugging Face folder: byte-level and SentencePiece-like byte-pair encoding, which all supported
// architectures use. Every part of the file is understood or refused by name.
import type { Place } from "../../errors.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { isEndName, type TokenizerParts } from "./base.ts";
import { byteLevelRules, ByteLevelTokenizer, byteLevelVocabulary } from "./bytelevel.ts";
import { Json } from "./json.ts";
import { PairRules } from "./pairs.ts";
import { byteLevelCut, isByteLevel, normalForm, spaces } from "./pipeline.ts";
import { preTokenizer } from "./pretokenizers.ts";
import { pieceVocabulary, SentencePieceTokenizer } from "./sentencepiece.ts";
import type { SpecialToken } from "./special.ts";
import { pack, type PackedStrings, unpack } from "./strings.ts";
import { MOST_TOKENS } from "./vocabulary.ts";

/** The parsed JSON files of a folder that say something about its tokenizer. */
export interface HuggingFaceFiles {
  readonly tokenizerJson: unknown;
  readonly tokenizerConfig?: unknown;
  readonly generationConfig?: unknown;
  readonly config?: unknown;
}

/** Throws HunchError("input") naming `file` and the field where something is missing, contradictory or not supported. */
export function tokenizerFromHuggingFace(files: HuggingFaceFiles, file: string): Tokenizer {
  const place: Place = { file };
  const root = new Json(files.tokenizerJson, place);
  const model = root.get("model");
  const type = model.get("type").text() ?? (model.get("merges").isAbsent ? "of an unnamed kind" : "BPE");
  if (type !== "BPE") throw model.get("type").fail(`a tokenizer ${JSON.stringify(type)} is not supported, only "BPE"`);
  for (const name of ["continuing_subword_prefix", "end_of_word_suffix"]) {
    if (model.get(name).text()) throw model.get(name).fail("this is not supported");
  }
  if (model.get("dropout").value) throw model.get("dropout").fail("merges left out at random are not supported");

  const added = readAdded(root.get("added_tokens"));
  const names = readNames(model.get("vocab"), added);
  const parts = readParts(root, names, added, files, place);
  const unknown = named(model.get("unk_token"), names);
  return isByteLevel(root.get("pre_tokenizer"))
    ? byteLevel(root, names, parts, unknown)
    : sentencePiece(root, names, parts, unknown);
}

interface Added extends SpecialToken {
  readonly special: boolean;
}

function readAdded(list: Json): Map<number, Added> {
  const added = new Map<number, Added>();
  for (const item of list.items()) {
    const id = item.get("id").index(MOST_TOKENS - 1);
    const text = item.get("content").text();
    if (id === undefined || !text) throw item.fail("an added token lacks its id or its content");
    if (added.has(id)) throw item.fail(`token ${id} is added twice`);
    if (item.get("single_word").flag()) throw item.get("single_word").fail("tokens of single words are not supported");
    const special = item.get("special").flag() ?? false;
    // A token that ends a turn is never text, whatever the file says.
    const control = special || isEndName(text, false);
    added.set(id, { id, text, special, control, left: item.get("lstrip").flag(), right: item.get("rstrip").flag() });
  }
  return added;
}

interface Names {
  /** [vocab], spelling by id; "" where the file has none. */
  readonly list: string[];
  readonly ids: ReadonlyMap<string, number>;
  /** Which ids text can become by merging. */
  readonly mergeable: (token: number) => boolean;
  readonly isAdded: (token: number) => boolean;
}

function readNames(vocab: Json, added: ReadonlyMap<number, Added>): Names {
  const entries = vocab.entries();
  if (entries.length === 0) throw vocab.fail("the vocabulary is empty");
  const ids = new Map<string, number>();
  let size = 0;
  for (const [name, id] of entries) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= MOST_TOKENS) {
      throw vocab.fail(`token ${JSON.stringify(name.slice(0, 40))} has the id ${String(id).slice(0, 40)}`);
    }
    ids.set(name, id);
    size = Math.max(size, id + 1);
  }
  for (const { id } of added.values()) size = Math.max(size, id + 1);
  // A few padding ids are usual; a list as long as one wild id says would only cost memory.
  if (size > 2 * (ids.size + added.size) + 1024) throw vocab.fail(`ids reach ${size - 1} in ${ids.size} tokens`);
  const list = new Array<string>(size).fill("");
  for (const [name, id] of ids) {
    if (list[id] !== "") {
      throw vocab.fail(
        `${JSON.stringify(list[id].slice(0, 40))} and ${JSON.stringify(name.slice(0, 40))} are both token ${id}`,
      );
    }
    list[id] = name;
  }
  for (const { id, text } of added.values()) {
    const known = ids.get(text);
    if ((known ?? id) !== id || (list[id] !== "" && list[id] !== text)) {
      throw vocab.fail(`added token ${id}, ${JSON.stringify(text)}, is another one in the vocabulary`);
    }
    list[id] = text;
    ids.set(text, id);
  }
  return {
    list,
    ids,
    mergeable: (token) => list[token] !== "" && !added.get(token)?.control,
    isAdded: (token) => added.has(token),
  };
}

/** A token given by its spelling, or by an object that has it as `content`. */
function named(value: Json, names: Names): number | undefined {
  if (value.isAbsent) return undefined;
  const text = typeof value.value === "string" ? value.value : value.get("content").text();
  if (text === undefined) return undefined;
  const id = names.ids.get(text);
  if (id === undefined) throw value.fail(`${JSON.stringify(text.slice(0, 40))} is not in the vocabulary`);
  return id;
}

function readParts(
  root: Json,
  names: Names,
  added: ReadonlyMap<number, Added>,
  files: HuggingFaceFiles,
  place: Place,
): TokenizerParts {
  const config = new Json(files.tokenizerConfig, place, "tokenizer_config");
  const wanted = config.get("add_bos_token").flag();
  const begin = wanted === false ? undefined : firstOfTemplate(root.get("post_processor"), names) ??
    (wanted ? named(config.get("bos_token"), names) : undefined);
  const ends = new Set<number>();
  const end = named(config.get("eos_token"), names);
  if (end !== undefined) ends.add(end);
  for (const [name, file] of [["generation_config", files.generationConfig], ["config", files.config]] as const) {
    const value = new Json(file, place, name).get("eos_token_id");
    for (const each of Array.isArray(value.value) ? value.items() : [value]) {
      // A folder may belong to a model with a larger vocabulary than its tokenizer's.
      const id = each.index(MOST_TOKENS - 1);
      if (id !== undefined && id < names.list.length) ends.add(id);
    }
  }
  for (const { id, text, control } of added.values()) if (isEndName(text, control)) ends.add(id);
  const packed = pack(names.list);
  return {
    vocab: names.list.length,
    begin,
    ends: [...ends],
    specials: [...added.values()],
    place: { ...place, field: "added_tokens" },
    name: (token) => unpack(packed, token),
  };
}

/** The special token that the post-processor puts in front of a single text. */
function firstOfTemplate(processor: Json, names: Names): number | undefined {
  if (processor.isAbsent) return undefined;
  const type = processor.get("type").text();
  if (type === "ByteLevel") return undefined;
  if (type === "Sequence") {
    for (const each of processor.get("processors").items()) {
      const id = firstOfTemplate(each, names);
      if (id !== undefined) return id;
    }
    return undefined;
  }
  if (type !== "TemplateProcessing") throw processor.get("type").fail(`${JSON.stringify(type)} is not supported`);
  const first = processor.get("single").items()[0];
  return first === undefined ? undefined : named(first.get("SpecialToken").get("id"), names);
}

function packedMerges(merges: Json): PackedStrings {
  const list = merges.list();
  const texts = list.map((merge, rank) => {
    const text = Array.isArray(merge) && merge.length === 2 ? `${merge[0]} ${merge[1]}` : merge;
    if (typeof text !== "string") throw merges.fail(`merge ${rank} is not two tokens`);
    return text;
  });
  return pack(texts);
}

function byteLevel(root: Json, names: Names, parts: TokenizerParts, unknown: number | undefined): Tokenizer {
  const model = root.get("model");
  const { kind, spaceFirst } = byteLevelCut(root.get("pre_tokenizer"));
  const place = (value: Json): Place => ({ ...value.place, field: value.path });
  const vocabulary = byteLevelVocabulary(pack(names.list), names.isAdded, names.mergeable, place(model.get("vocab")));
  const merges = model.get("merges");
  return new ByteLevelTokenizer({
    ...parts,
    vocabulary,
    rules: byteLevelRules(packedMerges(merges), vocabulary, place(merges), true),
    cut: preTokenizer(kind),
    wholePieces: model.get("ignore_merges").flag() ?? false,
    spaceFirst,
    normalize: normalForm(root.get("normalizer")),
    unknown,
  });
}

function sentencePiece(root: Json, names: Names, parts: TokenizerParts, unknown: number | undefined): Tokenizer {
  const model = root.get("model");
  if (model.get("ignore_merges").flag()) throw model.get("ignore_merges").fail("this is not supported here");
  const place: Place = { ...root.place, field: "model.vocab" };
  const isByte = (token: number) => fallback && /^<0x[0-9A-F]{2}>$/.test(names.list[token]);
  const fallback = model.get("byte_fallback").flag() ?? false;
  const { vocabulary, byteTokens } = pieceVocabulary(pack(names.list), names.mergeable, isByte, place);
  const rules = pieceRules(model.get("merges"), names);
  return new SentencePieceTokenizer({
    ...parts,
    vocabulary,
    byteTokens,
    rules: () => rules,
    unknown,
    fuseUnknown: model.get("fuse_unk").flag() ?? false,
    ...spaces(root.get("normalizer"), root.get("pre_tokenizer")),
  });
}

function pieceRules(merges: Json, names: Names): PairRules {
  const list = merges.list();
  const rules = new PairRules(list.length, { ...merges.place, field: merges.path });
  list.forEach((merge, rank) => {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    if (!Array.isArray(pair) || pair.length !== 2) throw merges.fail(`merge ${rank} is not two tokens`);
    const [left, right, result] = [pair[0], pair[1], `${pair[0]}${pair[1]}`].map((name) => names.ids.get(String(name)));
    if (left === undefined || right === undefined || result === undefined) {
      throw merges.fail(
        `merge ${rank}, ${JSON.stringify(pair).slice(0, 80)}, names a token that is not in the vocabulary`,
      );
    }
    rules.add(left, right, rank, result, true);
  });
  return rules;
}
