// Which model a name means: a file, or one of those lying in the model folders.
import { existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, dirname, join, parse, sep } from "node:path";
import { HunchError } from "../../src/errors.ts";
import { sourceFile } from "../../src/assets/assets.ts";
import { openModel, type OpenOptions } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { withCache } from "../cache/cache.ts";
import { warn } from "../output/streams.ts";
import { closest } from "../../src/suggestion.ts";

/** A model that can be named. */
export interface KnownModel {
  /** What `--model` takes: the file's name without its ending and the number of a part, or the folder's. */
  readonly name: string;
  readonly path: string;
  /** The other files of a split model. */
  readonly parts: readonly string[];
  /** True: runs when no model is named. */
  readonly default: boolean;
}

const DEFAULT_MODEL = "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";

/** What the name of a model says whose weights are drawn: it is good for costs, never for text or acceptance. */
export const RANDOM_WEIGHTS = "with random weights";

/** Folders are looked into this deep. */
const DEPTH = 2;

/** A file of a split model: what all of them begin with, and its number. */
const PART = /^(.+)-(\d{5})-of-\d{5}\.gguf$/i;

/** Folders with models: those of $HUNCH_MODELS, and `models` where the command runs. */
function modelFolders(): string[] {
  return [...(process.env.HUNCH_MODELS ?? "").split(delimiter).filter((folder) => folder !== ""), "models"];
}

/** The model that runs when none is named. Throws HunchError where this build has none. */
async function defaultModel(cacheDir: string): Promise<string> {
  const path = await withCache(cacheDir, (folder) => sourceFile(DEFAULT_MODEL, folder));
  if (path !== undefined) return path;
  throw new HunchError("usage", "this build of hunch carries no model", { hint: "name one with --model FILE" });
}

/** The default model, where this build has one, and everything in the model folders. */
export async function knownModels(cacheDir: string): Promise<KnownModel[]> {
  const models: KnownModel[] = [];
  try {
    const path = await defaultModel(cacheDir);
    models.push({ name: nameOf(path), path, parts: [], default: true });
  } catch (error) {
    if (!(error instanceof HunchError)) throw error; // a slim build has none, and lists the others
  }
  for (const model of folderModels()) {
    if (!models.some(({ path }) => path === model.path || sameFile(path, model.path))) models.push(model);
  }
  return models;
}

/** Everything in the model folders. */
export function folderModels(): KnownModel[] {
  return modelFolders().flatMap((folder) => {
    const paths = modelsIn(folder, DEPTH);
    return paths.flatMap((path) => {
      const [, base, number = "1"] = path.match(PART) ?? [];
      if (Number(number) > 1) return [];
      const parts = paths.filter((other) => base !== undefined && other !== path && other.match(PART)?.[1] === base);
      return [{ name: nameOf(path), path, parts, default: false }];
    });
  });
}

function nameOf(path: string): string {
  const [, base] = path.match(PART) ?? [];
  if (base !== undefined) return parse(base).base;
  return parse(path).ext.match(/^\.(gguf|bin|hunch)$/i) ? parse(path).name : parse(path).base;
}

function sameFile(a: string, b: string): boolean {
  try {
    const [one, other] = [statSync(a), statSync(b)];
    return one.ino === other.ino && one.dev === other.dev && one.size === other.size;
  } catch {
    return false;
  }
}

function modelsIn(folder: string, depth: number): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return []; // not there
  }
  if (names.includes("config.json") && names.some((name) => name.endsWith(".safetensors"))) return [folder];
  const found = names.filter((name) => /\.(gguf|hunch)$/i.test(name)).map((name) => join(folder, name));
  if (depth > 0) { for (const name of names) found.push(...modelsIn(join(folder, name), depth - 1)); }
  return found;
}

/** The path of the model that `name` means; the default model where it is absent. Throws HunchError where there is none. */
async function findModel(name: string | undefined, cacheDir: string): Promise<string> {
  if (name === undefined) return defaultModel(cacheDir);
  const file = name.replace(/\?tokenizer=.*$/, "");
  if (existsSync(file)) return name;
  const models = await knownModels(cacheDir);
  const meant = (known: string) => known.toLowerCase() === name.toLowerCase();
  const found = models.find((model) => meant(model.name) || meant(parse(model.path).name));
  if (found) return found.path;
  const near = closest(name, models.map((model) => model.name)) ?? neighbour(file);
  throw new HunchError("input", "there is no such model file", {
    file: name,
    hint: near ? `did you mean ${near}?` : "hunch model list shows what can be named without a path",
  });
}

/**
 * Opens the model that `name` means, as `--model` takes it, and warns on stderr. Throws HunchError where it is not there or
 * broken.
 */
export async function openNamed(
  name: string | undefined,
  cacheDir: string,
  options: OpenOptions = {},
): Promise<ModelSource> {
  return await openModel(await findModel(name, cacheDir), { warn, ...options });
}

/** A file beside the one that is missing, of nearly its name. */
function neighbour(file: string): string | undefined {
  const folder = dirname(file);
  try {
    const there = readdirSync(folder).filter((name) => existsSync(join(folder, name))); // no links to nowhere
    const near = closest(parse(file).base, there);
    return near && (folder === "." && !file.startsWith(`.${sep}`) ? near : join(folder, near));
  } catch {
    return undefined;
  }
}
