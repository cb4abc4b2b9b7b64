// What a model file contains, as one SHA-256, remembered so that a file is read for it once.
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers";
import { HunchError } from "../../errors.ts";
import { writeOutput } from "../../output-file.ts";
import { BinaryFile } from "./reader.ts";

const STEP = 1 << 22;
/** Remembered files; the oldest are forgotten. */
const MOST_ENTRIES = 1000;

/**
 * SHA-256 of the content of `paths`, hex; of several files that of their hashes in order. A file that has not changed
 * (path, size, time of its last change) is looked up in `cacheDir/hashes.json`, which is replaced as a whole. `progress`
 * is told the fraction of each file that has to be read.
 */
export async function contentHash(
  paths: readonly string[],
  cacheDir: string,
  progress?: (fraction: number) => void,
): Promise<string> {
  const book = join(cacheDir, "hashes.json");
  const known = readBook(book);
  const fresh = new Map<string, string>();
  const hashes: string[] = [];
  for (const path of paths) {
    const key = identity(path);
    const hash = known.get(key) ?? await fileHash(path, progress);
    if (!known.has(key)) fresh.set(key, hash);
    hashes.push(hash);
  }
  if (fresh.size > 0) writeBook(book, fresh);
  return hashes.length === 1 ? hashes[0] : createHash("sha256").update(hashes.join()).digest("hex");
}

function identity(path: string): string {
  try {
    const { size, mtimeMs, ino } = statSync(path);
    return JSON.stringify([path, size, mtimeMs, ino]);
  } catch {
    throw new HunchError("input", "the file is gone", { file: path, hint: "check the path" });
  }
}

async function fileHash(path: string, progress?: (fraction: number) => void): Promise<string> {
  const file = new BinaryFile(path);
  try {
    const hash = createHash("sha256");
    const buffer = new Uint8Array(STEP);
    for (let at = 0; at < file.size; at += STEP) {
      const part = buffer.subarray(0, Math.min(STEP, file.size - at));
      file.readInto(part, at, "content");
      hash.update(part);
      progress?.((at + part.length) / file.size);
      await new Promise((resolve) => setImmediate(resolve)); // Ctrl-C is heard in between
    }
    return hash.digest("hex");
  } finally {
    file.close();
  }
}

/** What was remembered; nothing where the book is missing or damaged, for it can be made again. */
function readBook(book: string): Map<string, string> {
  try {
    const entries: unknown = JSON.parse(readFileSync(book, "utf8"));
    if (typeof entries !== "object" || entries === null) return new Map();
    return new Map(
      Object.entries(entries).filter(([, hash]) => typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash)),
    );
  } catch {
    return new Map();
  }
}

/** Adds to the book as it is now. A folder that cannot be written to only means hashing again next time. */
function writeBook(book: string, fresh: ReadonlyMap<string, string>): void {
  const entries = [...readBook(book), ...fresh].slice(-MOST_ENTRIES);
  try {
    writeOutput(book, JSON.stringify(Object.fromEntries(entries)), { folders: true });
  } catch {
    return;
  }
}
