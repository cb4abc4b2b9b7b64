// The cache folder, made and kept clean; and what to do where it cannot be made or written to.
import { existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { cacheFolder, temporaryFolder } from "../../src/assets/cache-folder.ts";
import { HunchError } from "../../src/errors.ts";
import { removeIfPossible, removeLeft, WriteError, writeOutput } from "../../src/output-file.ts";
import { GOING, namesIn, TAG, TAG_TEXT } from "./entries.ts";
import { stderr } from "../output/streams.ts";

/**
 * The cache folder, made where it is missing, without what killed runs left in it. Where it cannot be made, a temporary
 * one, and a line that says so. Throws HunchError where that cannot be had either.
 */
export function openCache(): string {
  const folder = cacheFolder();
  try {
    return made(folder);
  } catch (error) {
    return spareCache(folder, error);
  }
}

/**
 * Runs `work` with the cache in `folder`; where it cannot write there, because the folder is read-only or full, once
 * more with a temporary cache, and a line that says so. What is in `folder` is read in any case.
 */
export async function withCache<T>(folder: string, work: (folder: string) => Promise<T>): Promise<T> {
  try {
    return await work(folder);
  } catch (error) {
    if (!(error instanceof WriteError) || !error.place.file?.startsWith(folder)) throw error;
    return await work(spareCache(folder, error));
  }
}

const HINT = "set HUNCH_CACHE to a folder that can be written";
/** Folders that were complained about. */
const told = new Set<string>();

function spareCache(folder: string, error: unknown): string {
  const spare = temporaryFolder();
  const { code } = error as { code?: string };
  const why = error instanceof HunchError ? error.message : `this cannot be used: ${code ?? error}`;
  if (spare === folder) throw new HunchError("unavailable", `there is no cache: ${why}`, { file: folder, hint: HINT });
  try {
    made(spare);
  } catch (second) {
    const { message } = second as Error;
    throw new HunchError("unavailable", `there is no cache: ${why}; ${message}`, { file: folder, hint: HINT });
  }
  if (!told.has(folder)) stderr.line(`hunch: the cache is in ${spare} for now: ${why} (${folder}); ${HINT}`);
  told.add(folder);
  return spare;
}

/** The folder, usable; throws what is in the way. */
function made(folder: string): string {
  const fresh = mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
  const user = process.getuid?.();
  // In the temporary folder anybody can be first: a folder or link of another user is none of ours.
  if (user !== undefined && folder.startsWith(tmpdir()) && lstatSync(folder).uid !== user) {
    throw new HunchError("unavailable", "the folder belongs to another user", { file: folder, hint: HINT });
  }
  const tag = join(folder, TAG);
  if (fresh || readdirSync(folder).length === 0) writeTag(tag);
  if (existsSync(tag)) removeLeftovers(folder);
  return folder;
}

/** Only `hunch cache clear` needs it; a full disk is told where it matters. */
function writeTag(path: string): void {
  try {
    writeOutput(path, TAG_TEXT);
  } catch {
    return;
  }
}

/** What killed runs left: files on their way, and entries on their way out. */
function removeLeftovers(folder: string): void {
  for (const top of [folder, ...namesIn(folder).map((name) => join(folder, name))]) {
    removeLeft(top);
    for (const name of namesIn(top)) {
      const path = join(top, name);
      if (GOING.test(name)) removeIfPossible(path);
      else if (basename(top) === "embedded") removeLeft(path);
    }
  }
}
