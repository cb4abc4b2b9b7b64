// Opens a Hugging Face folder: config.json, safetensors (one file, or shards under an index), tokenizer and template.
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { HunchError } from "../../errors.ts";
import { describe, isIgnored, type ModelFile } from "../spec/architecture.ts";
import {
  folderOnDisk,
  readFolderSpecials,
  readFolderTemplate,
  readFolderTokenizer,
  TEXT_FILES,
} from "./huggingface-text.ts";
import { fromRecord } from "../spec/hyper.ts";
import { readJson } from "./json.ts";
import { OpenedModel } from "./opened.ts";
import { packedWeights } from "../tensors/packed4.ts";
import { type BinaryFile, readWhole } from "./reader.ts";
import { readSafetensors, type SafeTensor } from "./safetensors.ts";
import type { Tensor, TensorType } from "../tensors/tensor.ts";
import { type TextPart, textPart } from "./text-part.ts";
import { FileTensor } from "../tensors/weights.ts";

/** Files of a folder that decide what the model computes or says, besides the weights. */
const BESIDES = [...TEXT_FILES, "model.safetensors.index.json"];

/** Throws HunchError("input") for whatever is damaged or not supported, by name. */
export function openHuggingFace(folder: string, context?: number): OpenedModel {
  const path = join(folder, "config.json");
  if (!existsSync(path)) {
    const hint = "give a GGUF file, a llama2.c checkpoint, or a folder with config.json and model.safetensors";
    throw new HunchError("input", "the folder has no config.json", { file: folder, hint });
  }
  const config = readJson(path);
  const part = textPart(path, config);
  const weights = readWeights(folder);
  try {
    const { architecture, hyper, all } = part;
    const tensors = asTensors(weights.tensors, part);
    const file: ModelFile = { kind: "huggingFace", path: folder, hyper, all, tensors, context };
    const texts = folderOnDisk(folder);
    return new OpenedModel({
      path: folder,
      format: "huggingface",
      title: basename(resolve(folder)),
      description: describe(architecture, file),
      files: weights.files,
      besides: BESIDES.map((name) => join(folder, name)).filter(existsSync),
      size: weights.files.reduce((total, { size }) => total + size, 0),
      tokenizer: () => readFolderTokenizer(texts),
      chat: () => readFolderTemplate(texts),
      specials: () => readFolderSpecials(texts),
      texts: { kind: "huggingface", files: TEXT_FILES.flatMap((name) => textFile(join(folder, name)) ?? []) },
    });
  } catch (error) {
    for (const file of weights.files) file.close();
    throw error;
  }
}

function textFile(path: string): { name: string; bytes(): Uint8Array } | undefined {
  return existsSync(path) ? { name: basename(path), bytes: () => readWhole(path) } : undefined;
}

interface Weights {
  readonly files: readonly BinaryFile[];
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

function readWeights(folder: string): Weights {
  const single = join(folder, "model.safetensors"); // an index beside it is left of shards that were joined
  if (!existsSync(single)) {
    const index = join(folder, "model.safetensors.index.json");
    if (existsSync(index)) return readShards(folder, index);
    const hint = "only safetensors are read: convert the weights, or download that file";
    throw new HunchError("input", "the folder has no model.safetensors", { file: folder, hint });
  }
  const { file, tensors } = readSafetensors(single);
  return { files: [file], tensors };
}

/** Every tensor must be in the shard that the index names for it. */
function readShards(folder: string, index: string): Weights {
  const map = fromRecord(index, readJson(index)).inside(["weight_map"]);
  const places = Object.entries(readJson(index).weight_map ?? {});
  const wrong = (field: string, message: string) =>
    new HunchError("input", message, { file: index, field, hint: "the index is damaged" });
  if (!map || places.length === 0) throw wrong("weight_map", "the index names no tensors");
  const files: BinaryFile[] = [];
  const shards = new Map<string, Map<string, SafeTensor>>();
  const tensors = new Map<string, SafeTensor>();
  try {
    for (const [name, shard] of places) {
      if (typeof shard !== "string" || shard !== basename(shard) || !shard.endsWith(".safetensors")) {
        throw wrong(name, "the shard is not a safetensors file of the same folder");
      }
      let content = shards.get(shard);
      if (!content) {
        const opened = readSafetensors(join(folder, shard));
        files.push(opened.file);
        shards.set(shard, content = opened.tensors);
      }
      const tensor = content.get(name);
      if (!tensor) throw wrong(name, `the tensor is not in ${shard}`);
      tensors.set(name, tensor);
    }
    return { files, tensors };
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

const TYPES: Record<string, TensorType> = { F32: "F32", F16: "F16", BF16: "BF16" };

/** Tensors under the file's names; 4-bit packed ones become one tensor each. */
function asTensors(
  stored: ReadonlyMap<string, SafeTensor>,
  { architecture, rename, outer }: TextPart,
): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const packed = packedWeights(stored, outer);
  for (const [name, tensor] of packed.tensors) {
    const own = rename(name);
    if (own !== undefined) tensors.set(own, tensor);
  }
  for (const [name, { dtype, shape, file, offset }] of stored) {
    const own = rename(name);
    if (own === undefined || packed.used.has(name) || isIgnored(architecture, own)) continue;
    if (!Object.hasOwn(TYPES, dtype)) {
      const place = { file: file.path, field: name };
      throw new HunchError("input", `tensors of type ${dtype} are not supported`, {
        ...place,
        hint: "use F32, F16 or BF16",
      });
    }
    tensors.set(own, new FileTensor(name, shape, TYPES[dtype], file, offset));
  }
  return tensors;
}
