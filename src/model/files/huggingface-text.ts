// Tokenizer and chat template of a Hugging Face folder.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { HunchError } from "../../errors.ts";
import { chatFromTemplate, type ChatTemplate } from "../chat/chat.ts";
import { fromRecord } from "../spec/hyper.ts";
import { readJsonFile } from "./json.ts";
import { BinaryFile } from "./reader.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { tokenizerFromHuggingFace } from "../tokenizers/huggingface.ts";
import { tokenizerJsonOf } from "../tokenizers/sentencepiece-model.ts";

/** Longer than any template, and than any tokenizer.model. */
const LONGEST_TEMPLATE = 4 << 20;
const LONGEST_MODEL = 16 << 20;

/** Everything that is read here. */
export const TEXT_FILES = [
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "generation_config.json",
  "config.json",
]
  .concat(["special_tokens_map.json", "chat_template.jinja"]);

/** Where the files of a model folder are, on disk or inside another file. */
export interface TextFolder {
  readonly path: string;
  /** Undefined where there is no such file. Whoever asks closes it. */
  open(name: string): BinaryFile | undefined;
}

export function folderOnDisk(path: string): TextFolder {
  return { path, open: (name) => existsSync(join(path, name)) ? new BinaryFile(join(path, name)) : undefined };
}

/** Throws HunchError("input") where the folder has no tokenizer, or one that is not supported. */
export function readFolderTokenizer(folder: TextFolder): Tokenizer {
  const tokenizerConfig = optional(folder, "tokenizer_config.json");
  const config = optional(folder, "config.json");
  const generationConfig = optional(folder, "generation_config.json");
  const rest = { tokenizerConfig, generationConfig, config };
  const tokenizerJson = optional(folder, "tokenizer.json");
  if (tokenizerJson) return tokenizerFromHuggingFace({ tokenizerJson, ...rest }, join(folder.path, "tokenizer.json"));
  const model = folder.open("tokenizer.model");
  if (!model) {
    const hint = "add the model's tokenizer.json; token ids work without it";
    throw new HunchError("input", "the folder has no tokenizer.json", { file: folder.path, hint });
  }
  const made = tokenizerJsonOf(contentOf(model, LONGEST_MODEL), model.path, tokenizerConfig, config?.model_type);
  return tokenizerFromHuggingFace({ tokenizerJson: made, ...rest }, model.path);
}

/** The template of `chat_template.jinja`, or of `tokenizer_config.json`; of several, the one named `default`. */
export function readFolderTemplate(folder: TextFolder): ChatTemplate | undefined {
  const context = { specials: readFolderSpecials(folder) };
  const template = folder.open("chat_template.jinja");
  if (template) {
    const text = new TextDecoder("utf-8").decode(contentOf(template, LONGEST_TEMPLATE));
    return chatFromTemplate(text, context, template.path);
  }
  const file = join(folder.path, "tokenizer_config.json");
  const text = templateOf(optional(folder, "tokenizer_config.json")?.chat_template, file);
  return text === undefined ? undefined : chatFromTemplate(text, context, file);
}

/** Spelling of the special tokens by the names that templates know: whatever is called `…_token` and has one. */
export function readFolderSpecials(folder: TextFolder): Record<string, string> {
  const config = { ...optional(folder, "special_tokens_map.json"), ...optional(folder, "tokenizer_config.json") };
  const named = Object.entries(config).filter(([name]) => name.endsWith("_token"));
  return Object.fromEntries(named.map(([name, token]) => [name, spelling(token)]).filter(([, text]) => text !== ""));
}

function templateOf(value: unknown, file: string): string | undefined {
  if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
  const list = Array.isArray(value) ? value : [];
  for (const item of list) {
    if (typeof item !== "object" || item === null) continue;
    const entry = fromRecord(file, item as Record<string, unknown>, "chat_template.");
    if (entry.text(["name"]) === "default") return entry.text(["template"]);
  }
  const message = "this is neither a template nor a list with one named default";
  throw new HunchError("input", message, {
    file,
    field: "chat_template",
    hint: "use --raw to do without the template",
  });
}

/** A special token is its text, or an object with it. */
function spelling(token: unknown): string {
  if (typeof token === "object" && token !== null && "content" in token) return spelling(token.content);
  return typeof token === "string" ? token : "";
}

function optional(folder: TextFolder, name: string): Record<string, unknown> | undefined {
  const file = folder.open(name);
  return file && readJsonFile(file);
}

/** All of an open file, which is closed. */
function contentOf(file: BinaryFile, longest: number): Uint8Array {
  try {
    if (file.size > longest) throw file.broken(`${file.size} bytes are too many for such a file`, 0);
    return file.read(0, file.size, "content");
  } finally {
    file.close();
  }
}
