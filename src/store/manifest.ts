// What a store says of itself, in its store.json: whose tokens it holds, and how large it may become.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HunchError } from "../errors.ts";
import { writeOutput } from "../output-file.ts";
import type { Vocabulary } from "./segment.ts";
import { unreadable } from "./words.ts";

export interface Manifest extends Vocabulary {
  /** Most bytes of its files. */
  readonly limit: number;
}

export const MANIFEST = "store.json";
const FORMAT = "hunch store";
/** Of the whole store: with another form of its files it has another version. */
const VERSION = 1;
/** Of stores that nobody gave another. */
export const DEFAULT_LIMIT = 100e6;
/** Less holds next to nothing. */
export const LEAST_LIMIT = 64e3;

export function writeManifest(folder: string, { tokenizer, vocab, model, limit }: Manifest): void {
  const manifest = { format: FORMAT, version: VERSION, tokenizer, vocab, model, limit };
  writeOutput(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
}

/** Undefined where it is missing or damaged. Throws HunchError where it cannot be read, or is of a later version. */
export function readManifest(folder: string): Manifest | undefined {
  let manifest: Manifest & { format?: unknown; version?: unknown };
  try {
    manifest = JSON.parse(readFileSync(join(folder, MANIFEST), "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || (error as { code?: string }).code === "ENOENT") return undefined;
    throw unreadable(join(folder, MANIFEST), error);
  }
  if (typeof manifest !== "object" || manifest === null || manifest.format !== FORMAT) return undefined;
  if (manifest.version !== VERSION) {
    throw new HunchError("input", `this store has version ${manifest.version}, and this hunch reads ${VERSION}`, {
      file: join(folder, MANIFEST),
      field: "version",
      hint: "use the hunch that made it, or another name",
    });
  }
  const { tokenizer, vocab, model, limit } = manifest;
  const fits = typeof tokenizer === "string" && typeof model === "string" &&
    Number.isInteger(vocab) && vocab > 0 && vocab < 2 ** 24 && Number.isSafeInteger(limit) && limit > 0;
  return fits ? { tokenizer, vocab, model, limit } : undefined;
}
