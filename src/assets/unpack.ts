// Unpacks what a standalone binary carries into the cache folder, once: a library must lie in a file to be loaded, and
// a model's reader wants a file that it can read in any order. Part of binaries only; see scripts/build.ts.
import { createHash } from "node:crypto";
import { statSync, utimesSync } from "node:fs";
import { basename, join } from "node:path";
import { HunchError } from "../errors.ts";
import { OutputFile } from "../output-file.ts";

/** One carried file. */
export interface Carried {
  /** Path in the source tree. */
  readonly name: string;
  readonly bytes: number;
  /** Of the content, hex. */
  readonly sha256: string;
  /** Bytes `from` to `to` (exclusive) of the content. */
  read(from: number, to: number): Promise<Uint8Array>;
}

const PIECE = 8 << 20;

/**
 * The path of `file` in `cacheDir`, written there if it is not there in full, and checked against the hash before it has
 * its name, so that neither a kill nor a second hunch leaves half of it.
 */
export async function unpack(file: Carried, cacheDir: string): Promise<string> {
  const folder = join(cacheDir, "embedded", file.sha256.slice(0, 16));
  const path = join(folder, basename(file.name));
  if (sizeOf(path) === file.bytes) {
    markUsed(path);
    return path;
  }
  const hint = `${Math.ceil(file.bytes / 1e6)} MB are needed; set HUNCH_CACHE to a folder that has room`;
  const output = new OutputFile(path, { folders: true, mode: 0o600, hint });
  try {
    await write(file, output);
    output.finish();
  } finally {
    output.discard();
  }
  return path;
}

async function write(file: Carried, output: OutputFile): Promise<void> {
  const hash = createHash("sha256");
  for (let from = 0; from < file.bytes; from += PIECE) {
    const piece = await file.read(from, Math.min(file.bytes, from + PIECE));
    hash.update(piece);
    output.write(piece);
  }
  if (hash.digest("hex") === file.sha256) return;
  throw new HunchError("unavailable", "this copy of hunch is damaged", {
    field: file.name,
    hint: "download or build it again",
  });
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return -1;
  }
}

/** What is used stays when the cache is trimmed. */
function markUsed(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // gone meanwhile, or not ours to mark
  }
}
