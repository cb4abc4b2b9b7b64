// Texts for a store, as tokens: of text files, folders, lines of JSON and finished conversations.
import { type Dirent, readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { messagesOf } from "../generate/requests.ts";
import { chatPrompt } from "../input/prompt.ts";
import { AS_IT_IS } from "../input/template.ts";
import { readText, readTextFile } from "../input/text.ts";

/** Larger files of a folder are no texts that somebody wrote. */
const LARGEST = 2 ** 20;
/** Folders of what others wrote, or programs made. */
const SKIPPED = ["node_modules", "__pycache__"];

export interface Texts {
  readonly texts: readonly Int32Array[];
  /** What was left out and why, a few words each. */
  readonly left: readonly string[];
}

/**
 * The texts of files. A folder: every text file in it, but not hidden ones. `.jsonl`: a line is a text, or an object
 * with `text` or `messages`. `.json`: a conversation as /save writes it. `-`: stdin. Anything else: one text. Throws
 * HunchError with the place where something cannot be read as that.
 */
export async function textsOf(
  paths: readonly string[],
  source: ModelSource,
  progress: (step: string, fraction: number) => void,
): Promise<Texts> {
  const texts: Int32Array[] = [];
  const left: string[] = [];
  const add = (text: string) => {
    if (text !== "") texts.push(source.tokenizer.encode(text));
  };
  const addMessages = (messages: unknown) => {
    const template = { ...AS_IT_IS, variables: { add_generation_prompt: false } };
    texts.push(chatPrompt(source, messagesOf(messages), template).tokens);
  };
  for (const [i, path] of paths.entries()) {
    progress("reading", i / paths.length);
    if (path !== "-" && statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      const files = [...filesIn(path)];
      let skipped = 0;
      for (const [j, file] of files.entries()) {
        progress("reading", (i + j / files.length) / paths.length);
        const text = await textOrNothing(file);
        if (text === undefined) skipped++;
        else add(text);
      }
      if (skipped > 0) left.push(`${skipped} of ${files.length} files in ${path}: they are no text`);
    } else if (extname(path) === ".jsonl") {
      const without = await addLines(path, add, addMessages);
      if (without > 0) left.push(`${without} of the lines of ${path}: they hold no text`);
    } else if (extname(path) === ".json") {
      await inFile(path, async () => addMessages(messagesIn(JSON.parse(await readTextFile(path)))));
    } else add(await readText(path));
  }
  return { texts, left };
}

/** Returns how many lines held neither text nor messages, such as failed answers. */
async function addLines(
  path: string,
  add: (text: string) => void,
  addMessages: (messages: unknown) => void,
): Promise<number> {
  let without = 0;
  for (const [i, line] of (await readTextFile(path)).split("\n").entries()) {
    if (line.trim() === "") continue;
    await inFile(`${path}, line ${i + 1}`, () => {
      const value: unknown = JSON.parse(line);
      const { text, messages } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
      if (typeof value === "string") add(value);
      else if (typeof text === "string") add(text);
      else if (messages !== undefined) addMessages(messages);
      else without++;
    });
  }
  return without;
}

function messagesIn(value: unknown): unknown {
  return Array.isArray(value) ? value : (value as { messages?: unknown } | null)?.messages;
}

/** Tells of what fails with the file in which it does. */
async function inFile(file: string, work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof HunchError)) throw new HunchError("input", "this is not JSON", { file, hint: "correct it" });
    throw error.place.file === undefined
      ? new HunchError(error.kind, error.message, { ...error.place, file, hint: error.hint })
      : error;
  }
}

function* filesIn(folder: string): Generator<string> {
  for (const entry of entriesOf(folder)) {
    if (entry.name.startsWith(".") || SKIPPED.includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (entry.isFile()) yield path;
  }
}

/** Sorted by name. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    const { code } = error as { code?: string };
    throw new HunchError("input", `this folder cannot be read: ${code}`, { file: folder, hint: "name what can be" });
  }
}

async function textOrNothing(file: string): Promise<string | undefined> {
  if (statSync(file).size > LARGEST) return undefined;
  try {
    return await readTextFile(file);
  } catch (error) {
    if (error instanceof HunchError && error.kind === "input") return undefined; // no UTF-8
    throw error;
  }
}
