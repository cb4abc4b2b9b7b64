// Opens a converted model (`hunch model convert`): one file with the weights as one engine computes with them, and what
// else a model is: spec, tokenizer and template in their original form, and the rows that every engine looks up.
//
//     "HUNCHFIL" · contents, each from a multiple of 64 bytes on · index (JSON) · footer
//     footer: SHA-256 of the index · offset and length of the index (u64, little-endian) · "HUNCHEND"
//
// The index is checked like any stranger's file: what it says must fit the file and itself.
import { createHash } from "node:crypto";
import { HunchError, UnsupportedError } from "../../errors.ts";
import { chatOf, METADATA, specialsOf } from "./gguf-source.ts";
import { readGgufFile } from "./gguf.ts";
import { readFolderSpecials, readFolderTemplate, readFolderTokenizer, type TextFolder } from "./huggingface-text.ts";
import { TOKENIZER } from "./llama2c.ts";
import { OpenedModel, type Warn } from "./opened.ts";
import { QUANTS } from "../tensors/quants.ts";
import { BinaryFile, Cursor } from "./reader.ts";
import { checkShapes } from "../spec/shapes.ts";
import type { ConvertedWeights, SourceTexts } from "../source.ts";
import type { Tensor, TensorType } from "../tensors/tensor.ts";
import { readSpec } from "../spec/spec-json.ts";
import { Json } from "../tokenizers/json.ts";
import { tokenizerFromGguf } from "../tokenizers/gguf.ts";
import { SPECIAL_NAMES, tokenizerFromLlama2c } from "../tokenizers/llama2c.ts";
import { blockElements, bytesOf, FileTensor, slice } from "../tensors/weights.ts";
import { WEIGHT_FORMATS } from "../../weight-format.ts";

export const MAGIC = "HUNCHFIL";
export const END = "HUNCHEND";
export const FOOTER = 56;
export const ALIGN = 64;
/** Changes with the layout of the file. */
export const VERSION = 1;

/** Longer than the index of any model. */
const LONGEST_INDEX = 64 << 20;
const KINDS = ["gguf", "huggingface", "llama2c"] as const;

/** Throws HunchError("input") where the file is cut short, damaged, or made by another version. */
export function openConverted(path: string, context?: number): OpenedModel {
  const file = new BinaryFile(path);
  try {
    const index = readIndex(file);
    const tensors = new Map(index.get("tensors").items().map((entry) => readTensor(file, entry)));
    const own = readSpec(index.get("spec"), tensors.size);
    checkShapes(own, tensors, path);
    const shorter = context !== undefined && context < own.context;
    const positions = tensors.get("positions.weight");
    if (shorter && positions) tensors.set("positions.weight", slice(positions, 0, context));
    const spec = shorter ? { ...own, context } : own;
    const texts = readTexts(file, index.get("texts"));
    return new OpenedModel({
      path,
      format: "hunch",
      title: index.get("title").text() ?? path,
      description: { spec, tensors, ignored: [] },
      files: [file],
      size: file.size,
      ...textParts(file, texts, spec.vocab),
      converted: readWeights(file, index.get("weights")),
    });
  } catch (error) {
    file.close();
    throw error;
  }
}

function readIndex(file: BinaryFile): Json {
  const incomplete = () => file.broken("the file is cut short, or was written to after it was made", undefined);
  if (file.size < MAGIC.length + FOOTER) throw incomplete();
  const cursor = new Cursor(file, file.size - FOOTER);
  const digest = cursor.bytes(32, "footer").slice();
  const [offset, length] = [cursor.u64("index"), cursor.u64("index")];
  if (new TextDecoder().decode(cursor.bytes(END.length, "footer")) !== END) throw incomplete();
  if (offset + length + BigInt(FOOTER) !== BigInt(file.size) || length > LONGEST_INDEX) throw incomplete();
  const bytes = file.read(Number(offset), Number(length), "index");
  if (createHash("sha256").update(bytes).digest().compare(digest) !== 0) {
    throw file.broken("the index is damaged: it does not have its checksum", Number(offset), "index");
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw file.broken("the index is not JSON", Number(offset), "index");
  }
  const index = new Json(value, { file: file.path });
  const version = index.get("version").index(1 << 20);
  if (version !== VERSION) {
    const hint = "convert the original again with this version";
    throw index.get("version").fail(`the file is of another version of hunch (${version}, not ${VERSION})`, hint);
  }
  return index;
}

interface Range {
  readonly offset: number;
  readonly length: number;
}

/** Where something lies in the file; undefined where `entry` does not say. */
function readRange(file: BinaryFile, entry: Json): Range | undefined {
  const offset = entry.get("offset").index(file.size), length = entry.get("length").index(file.size);
  if (offset === undefined || length === undefined) return undefined;
  file.check(offset, length, entry.path);
  return { offset, length };
}

function readTensor(file: BinaryFile, entry: Json): [string, Tensor] {
  const name = required(entry, "name");
  const type = required(entry, "type") as TensorType;
  if (!Object.hasOwn(QUANTS, type) && type !== "F32" && type !== "F16" && type !== "BF16") {
    throw entry.get("type").fail(`there is no tensor type ${JSON.stringify(type.slice(0, 40))}`);
  }
  const shape = entry.get("shape").items().map((size) => size.index(2 ** 31) ?? 0);
  const elements = shape.reduce((product, length) => product * length, 1);
  if (shape.length < 1 || shape.length > 2 || !Number.isSafeInteger(elements) || elements < 1) {
    throw entry.get("shape").fail("this is no shape of a tensor");
  }
  if (shape[shape.length - 1] % blockElements(type)) throw entry.fail(`rows do not consist of whole ${type} blocks`);
  const range = readRange(file, entry);
  if (!range) return [name, absentTensor(file, name, shape, type)];
  if (range.length !== bytesOf(type, elements)) throw entry.fail(`${range.length} bytes are not ${type} [${shape}]`);
  return [name, new FileTensor(name, shape, type, file, range.offset)];
}

/** A tensor of which the engine's own form is all that the file has. */
function absentTensor(file: BinaryFile, name: string, shape: readonly number[], type: TensorType): Tensor {
  const refuse = (): never => {
    const message = "this converted file holds its weights for one engine and format only";
    throw new UnsupportedError(message, { file: file.path, field: name, hint: "open the original model" });
  };
  return { name, shape, type, bytes: refuse, floats: refuse };
}

interface StoredTexts {
  readonly kind: SourceTexts["kind"];
  readonly files: ReadonlyMap<string, Range>;
}

function readTexts(file: BinaryFile, entry: Json): StoredTexts {
  const kind = KINDS.find((kind) => kind === entry.get("kind").text());
  if (!kind) throw entry.get("kind").fail("there is no such kind of tokenizer");
  const files = entry.get("files").items().map((stored): [string, Range] => {
    const range = readRange(file, stored);
    if (!range) throw stored.fail("the file does not say where this is");
    return [required(stored, "name"), range];
  });
  return { kind, files: new Map(files) };
}

/** Tokenizer and template, read where they are first asked for. */
function textParts(file: BinaryFile, { kind, files }: StoredTexts, vocab: number) {
  const folder: TextFolder = {
    path: file.path,
    open: (name) => {
      const range = files.get(name);
      return range && file.part(range.offset, range.length, name);
    },
  };
  const open = (name: string): BinaryFile => {
    const found = folder.open(name);
    if (found) return found;
    const hint = "convert it again from a model that has one; token ids work without it";
    throw new HunchError("input", "the converted model has no tokenizer", { file: file.path, hint });
  };
  const metadata = () => readGgufFile(open(METADATA)).metadata;
  const parts = {
    gguf: {
      tokenizer: (warn: Warn) => tokenizerFromGguf(metadata(), { file: `${file.path}/${METADATA}` }, warn),
      chat: () => chatOf(`${file.path}/${METADATA}`, metadata()),
      specials: () => specialsOf(`${file.path}/${METADATA}`, metadata()),
    },
    huggingface: {
      tokenizer: () => readFolderTokenizer(folder),
      chat: () => readFolderTemplate(folder),
      specials: () => readFolderSpecials(folder),
    },
    llama2c: {
      tokenizer: () => {
        const stored = open(TOKENIZER);
        return tokenizerFromLlama2c(stored.read(0, stored.size, "tokenizer"), vocab, stored.path);
      },
      chat: () => undefined,
      specials: () => SPECIAL_NAMES,
    },
  };
  const texts: SourceTexts = {
    kind,
    files: [...files].map(([name, { offset, length }]) => ({ name, bytes: () => file.read(offset, length, name) })),
  };
  return { ...parts[kind], texts };
}

function readWeights(file: BinaryFile, entry: Json): ConvertedWeights {
  const format = WEIGHT_FORMATS.find((format) => format === entry.get("format").text());
  if (!format) throw entry.get("format").fail("there is no such weight format");
  const places = new Map(
    entry.get("places").items().map((place): [string, Range] => {
      const range = readRange(file, place);
      if (!range) throw place.fail("the file does not say where this is");
      return [required(place, "name"), range];
    }),
  );
  return {
    engine: required(entry, "engine"),
    format,
    version: entry.get("version").index(2 ** 31) ?? 0,
    places,
    bytes: (name, from = 0, to = places.get(name)!.length) => {
      const { offset } = places.get(name)!;
      return file.read(offset + from, to - from, name);
    },
  };
}

function required(entry: Json, name: string): string {
  const text = entry.get(name).text();
  if (text === undefined) throw entry.get(name).fail("a text is missing");
  return text;
}
