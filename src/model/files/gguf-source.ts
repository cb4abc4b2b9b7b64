// Opens a GGUF model, in one file or split (`NAME-00001-of-0000N.gguf`).
import { basename } from "node:path";
import { HunchError } from "../../errors.ts";
import { chatFromTemplate, type ChatTemplate } from "../chat/chat.ts";
import { describe, type ModelFile } from "../spec/architecture.ts";
import { ARCHITECTURES } from "../architectures/mod.ts";
import { type GgufFile, type GgufMetadata, readGguf } from "./gguf.ts";
import { Hyper } from "../spec/hyper.ts";
import { OpenedModel } from "./opened.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { tokenizerFromGguf } from "../tokenizers/gguf.ts";
import { asPackedStrings, unpack } from "../tokenizers/strings.ts";

const PART = /-(\d{5})-of-(\d{5})\.gguf$/;

/** Throws HunchError("input") for whatever is damaged or not supported, by name. */
export function openGguf(path: string, context?: number): OpenedModel {
  const parts: GgufFile[] = [];
  try {
    parts.push(readGguf(path));
    parts.push(...furtherParts(path, parts[0]));
    return assemble(path, parts, context);
  } catch (error) {
    for (const { file } of parts) file.close();
    throw error;
  }
}

function assemble(path: string, parts: readonly GgufFile[], context?: number): OpenedModel {
  const { metadata } = parts[0];
  const title = metadata.get("general.name");
  return new OpenedModel({
    path,
    format: "gguf",
    title: typeof title === "string" && title !== "" ? title : basename(path),
    description: describeGguf(path, metadata, allTensors(parts), context),
    files: parts.map(({ file }) => file),
    size: parts.reduce((total, { file }) => total + file.size, 0),
    tokenizer: (warn) => tokenizerFromGguf(metadata, { file: path }, warn),
    chat: () => chatOf(path, metadata),
    specials: () => specialsOf(path, metadata),
    texts: { kind: "gguf", files: [{ name: METADATA, bytes: () => metadataFile(parts[0]) }] },
  });
}

/** The metadata alone, as a GGUF file without tensors. */
export const METADATA = "metadata.gguf";

function metadataFile({ file, metadata, metadataEnd }: GgufFile): Uint8Array {
  const bytes = file.read(0, metadataEnd, "metadata");
  new DataView(bytes.buffer).setBigUint64(8, 0n, true); // tensor_count
  new DataView(bytes.buffer).setBigUint64(16, BigInt(metadata.size), true);
  return bytes;
}

export function chatOf(path: string, metadata: GgufMetadata): ChatTemplate | undefined {
  const hyper = new Hyper(path, (key) => metadata.get(key));
  if (!hyper.has("tokenizer.chat_template")) return undefined;
  return chatFromTemplate(hyper.text(["tokenizer.chat_template"]), { specials: specialsOf(path, metadata) }, path);
}

/** What templates call special tokens, and how GGUF does. */
const SPECIALS = { bos_token: "bos", eos_token: "eos", unk_token: "unknown", pad_token: "padding", mask_token: "mask" };

/** Spelling of the special tokens by the names that templates know. */
export function specialsOf(path: string, metadata: GgufMetadata): Record<string, string> {
  const hyper = new Hyper(path, (key) => metadata.get(key));
  if (!hyper.has("tokenizer.ggml.tokens")) return {};
  const tokens = asPackedStrings(metadata.get("tokenizer.ggml.tokens"), { file: path, field: "tokenizer.ggml.tokens" });
  const spellings: Record<string, string> = {};
  for (const [name, key] of Object.entries(SPECIALS)) {
    const field = `tokenizer.ggml.${key}_token_id`;
    const id = hyper.has(field) ? hyper.integer([field], 0) : Infinity;
    if (id < tokens.length) spellings[name] = unpack(tokens, id);
  }
  return spellings;
}

/** What metadata and tensors under GGUF's names amount to. */
export function describeGguf(
  path: string,
  metadata: ReadonlyMap<string, unknown>,
  tensors: ReadonlyMap<string, Tensor>,
  context?: number,
) {
  const name = new Hyper(path, (key) => metadata.get(key)).text(["general.architecture"]);
  const hyper = new Hyper(path, (key) => metadata.get(`${name}.${key}`), `${name}.`);
  const candidates = ARCHITECTURES.filter(({ gguf }) => gguf === name);
  const architecture = candidates.find(({ isIt }) => isIt?.(hyper)) ?? candidates.find(({ isIt }) => !isIt);
  if (!architecture) {
    const known = ARCHITECTURES.flatMap(({ gguf }) => gguf ?? []).join(", ");
    const message = `the architecture ${JSON.stringify(name.slice(0, 80))} is not supported`;
    throw new HunchError("input", message, { file: path, field: "general.architecture", hint: `known are ${known}` });
  }
  const file: ModelFile = { kind: "gguf", path, hyper, all: metadata, tensors, context };
  return describe(architecture, file);
}

/** The other files of a split model; `first` must be the one that holds the metadata. */
function furtherParts(path: string, first: GgufFile): GgufFile[] {
  const split = new Hyper(path, (key) => first.metadata.get(key));
  const count = split.integer(["split.count"], 0);
  if (count <= 1) return [];
  const match = PART.exec(path);
  const named = match && Number(match[2]) === count;
  if (!named || Number(match[1]) !== 1 || split.integer(["split.no"], 0) !== 0) {
    const message = `the model is split into ${count} files, and this is not the first of them under its own name`;
    const hint = `give the file that ends in -00001-of-${String(count).padStart(5, "0")}.gguf`;
    throw new HunchError("input", message, { file: path, field: "split.no", hint });
  }
  const parts: GgufFile[] = [];
  try {
    for (let number = 2; number <= count; number++) {
      const name = path.replace(PART, `-${String(number).padStart(5, "0")}-of-${match[2]}.gguf`);
      const part = readGguf(name);
      parts.push(part);
      const no = new Hyper(name, (key) => part.metadata.get(key)).integer(["split.no"], 0);
      if (no !== number - 1) {
        throw part.file.broken(`this is part ${no + 1}, not part ${number}`, undefined, "split.no");
      }
    }
    return parts;
  } catch (error) {
    for (const { file } of parts) file.close();
    throw error;
  }
}

function allTensors(parts: readonly GgufFile[]): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const part of parts) {
    for (const [name, tensor] of part.tensors) {
      if (tensors.has(name)) throw part.file.broken("a tensor is in two files of the split", undefined, name);
      tensors.set(name, tensor);
    }
  }
  const { file, metadata } = parts[0];
  const announced = new Hyper(file.path, (key) => metadata.get(key)).integer(["split.tensors.count"], 0);
  if (parts.length > 1 && announced !== 0 && announced !== tensors.size) {
    const message = `the files of the split have ${tensors.size} tensors, not ${announced}`;
    throw file.broken(message, undefined, "split.tensors.count");
  }
  return tensors;
}
