// Opens a model file of any known format. The content decides, not the name.
import { existsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { HunchError } from "../errors.ts";
import { MAGIC, openConverted } from "./files/converted.ts";
import { openGguf } from "./files/gguf-source.ts";
import { openHuggingFace } from "./files/huggingface.ts";
import { openLlama2c } from "./files/llama2c.ts";
import type { OpenedModel, TemplateFile, Warn } from "./files/opened.ts";
import { BinaryFile } from "./files/reader.ts";
import type { ModelSource } from "./source.ts";

/** More ignored hyper-parameters than these are counted. */
const MOST_NAMED = 8;

export interface OpenOptions {
  /**
   * Longest text that is wanted, tokens. Models whose rotation depends on it (longrope, dynamic) are resolved for it;
   * others are only shortened by it. Default: the model's own, and where the rotation depends on it, the original one.
   */
  readonly context?: number;
  /** Told what is wrong with a model that can be used all the same, when it is found. */
  readonly warn?: Warn;
  /** A chat template in place of the model's own, and the file it came from. */
  readonly template?: TemplateFile;
}

/**
 * Opens `path`: a GGUF file, a Hugging Face folder (or its safetensors or config file), or a llama2.c checkpoint, whose
 * tokenizer may be named as in `model.bin?tokenizer=tok512.bin`, or what `hunch model convert` made of one. Nothing but
 * headers is read.
 * Throws HunchError("input") where the file is missing, damaged, hostile or of an unknown kind.
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<ModelSource> {
  const { context, template, warn } = options;
  const own = openFile(path, context);
  const source = template ? own.withTemplate(template) : own;
  if (warn) {
    source.warn = warn;
    if (source.ignored.length > 0) warn(ignoredLine(source));
  }
  return source;
}

/** A file's names come from strangers and go to terminals. */
function ignoredLine({ ignored, path }: OpenedModel): string {
  const names = ignored.slice(0, MOST_NAMED).map((name) => JSON.stringify(name.slice(0, 80)));
  const more = ignored.length > MOST_NAMED ? ` and ${ignored.length - MOST_NAMED} more` : "";
  return `hyper-parameters that this program does not know are ignored: ${names.join(", ")}${more} (${path})`;
}

function openFile(path: string, context: number | undefined): OpenedModel {
  const [name, tokenizer] = splitPath(path);
  const kind = kindOf(name);
  if (tokenizer !== undefined && kind !== "llama2c") {
    throw new HunchError("usage", "only llama2.c checkpoints take ?tokenizer=", { file: name, hint: "leave it out" });
  }
  if (kind === "converted") return openConverted(name, context);
  if (kind === "gguf") return openGguf(name, context);
  if (kind === "huggingFace") return openHuggingFace(statSync(name).isDirectory() ? name : dirname(name), context);
  return openLlama2c(name, tokenizer, context);
}

function splitPath(path: string): [string, string | undefined] {
  const mark = path.lastIndexOf("?tokenizer=");
  if (mark < 0 || existsSync(path)) return [path, undefined];
  return [path.slice(0, mark), path.slice(mark + "?tokenizer=".length)];
}

function kindOf(path: string): "converted" | "gguf" | "huggingFace" | "llama2c" {
  if (existsSync(path) && statSync(path).isDirectory()) return "huggingFace";
  const file = new BinaryFile(path);
  try {
    if (file.size < 28) throw file.broken(`${file.size} bytes are too short for any model`, 0);
    const start = file.read(0, 9, "header");
    const text = String.fromCharCode(...start);
    if (text.startsWith("GGUF")) return "gguf";
    if (text.startsWith(MAGIC)) return "converted";
    if (text.startsWith("HUNCHMDL")) {
      const hint = "make a file that stands for itself with hunch model convert";
      throw new HunchError("input", "an entry of the cache is nothing without its model", { file: path, hint });
    }
    if (basename(path) === "config.json" || /\.safetensors(\.index\.json)?$/.test(path)) return "huggingFace";
    if (text[8] === "{") {
      const hint = "give the folder of the model, with its config.json";
      throw new HunchError("input", "a single safetensors file does not describe a model", { file: path, hint });
    }
    if (/^PK|^\x80/.test(text)) {
      const hint = "convert it to safetensors or GGUF";
      throw new HunchError("input", "PyTorch's own files are not supported", { file: path, hint });
    }
    if (looksLikeLlama2c(file)) return "llama2c";
    const hint = "give a GGUF file, a Hugging Face folder or a llama2.c checkpoint";
    throw new HunchError("input", "not a model file of a known format", { file: path, offset: 0, hint });
  } finally {
    file.close();
  }
}

/** Seven numbers of plausible size (the sixth may be negative), or the mark of a later version. */
function looksLikeLlama2c(file: BinaryFile): boolean {
  const numbers = new Int32Array(file.read(0, 28, "header").buffer);
  if (numbers[0] === 0x616b3432) return true;
  return numbers.every((value, i) => (i === 5 ? Math.abs(value) : value) >= 1 && Math.abs(value) < 1 << 24);
}
