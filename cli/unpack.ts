// Unpacks what a standalone binary carries into the cache folder, once: a library must lie in a file to be loaded, and
// a model's reader wants a file that it can read in any order. Part of binaries only; see scripts/build.ts.
import { createHash, randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, utimesSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { HunchError } from "../src/errors.ts";

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
 * The path of `file` in `cacheDir`, written there if it is not there in full. Written to a temporary name, checked
 * against the hash and renamed, so that neither a kill nor a second hunch leaves half of it.
 */
export async function unpack(file: Carried, cacheDir: string): Promise<string> {
  const folder = join(cacheDir, "embedded", file.sha256.slice(0, 16));
  const path = join(folder, basename(file.name));
  if (sizeOf(path) === file.bytes) {
    markUsed(path);
    return path;
  }
  const part = `${path}.${randomUUID()}.part`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await write(file, part);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    if (error instanceof HunchError) throw error;
    const reason = (error as { code?: string }).code ?? String(error);
    const hint = `${Math.ceil(file.bytes / 1e6)} MB are needed; set HUNCH_CACHE to a folder that has room`;
    throw new HunchError("unavailable", `a part of hunch could not be unpacked: ${reason}`, { file: path }, hint);
  }
  return path;
}

async function write(file: Carried, part: string): Promise<void> {
  const hash = createHash("sha256");
  const descriptor = openSync(part, "w", 0o600);
  try {
    for (let from = 0; from < file.bytes; from += PIECE) {
      let piece = await file.read(from, Math.min(file.bytes, from + PIECE));
      hash.update(piece);
      while (piece.length > 0) piece = piece.subarray(writeSync(descriptor, piece));
    }
  } finally {
    closeSync(descriptor);
  }
  if (hash.digest("hex") === file.sha256) return;
  throw new HunchError(
    "unavailable",
    "this copy of hunch is damaged",
    { field: file.name },
    "download or build it again",
  );
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
