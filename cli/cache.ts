// The cache folder: where it is, what is in it, and keeping it under its limit.
//
// Everything in it can be made again. It carries the CACHEDIR.TAG of https://bford.info/cachedir/, for backup programs
// and for us: only a folder with that tag is ever emptied, so that no mistyped HUNCH_CACHE costs anybody's files.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import { HunchError } from "../src/errors.ts";
import { removeLeft, WriteError, writeOutput } from "../src/output-file.ts";
import { stderr } from "./output/streams.ts";

const TAG = "CACHEDIR.TAG";
const TAG_TEXT =
  "Signature: 8a477f597d28d172789f06886806bc55\n# This is the cache of hunch; it may be deleted at any time.\n";
const LIMIT = "limit";
const DEFAULT_LIMIT = 10 * 2 ** 30;

/** $HUNCH_CACHE, or the platform's place for caches, or the temporary folder where there is no home. Nothing is made. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.HUNCH_CACHE) return env.HUNCH_CACHE;
  // "All paths set in these environment variables must be absolute", says its specification, and others be ignored.
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, "hunch");
  if (process.platform === "win32") {
    if (env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "hunch", "cache");
  } else if (env.HOME) {
    return process.platform === "darwin"
      ? join(env.HOME, "Library", "Caches", "hunch")
      : join(env.HOME, ".cache", "hunch");
  }
  return temporaryFolder();
}

function temporaryFolder(): string {
  const user = process.getuid?.();
  return join(tmpdir(), user === undefined ? "hunch" : `hunch-${user}`);
}

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
  if (spare === folder) throw new HunchError("unavailable", `there is no cache: ${why}`, { file: folder }, HINT);
  try {
    made(spare);
  } catch (second) {
    const { message } = second as Error;
    throw new HunchError("unavailable", `there is no cache: ${why}; ${message}`, { file: folder }, HINT);
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
    throw new HunchError("unavailable", "the folder belongs to another user", { file: folder }, HINT);
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
  for (const top of [folder, ...read(folder).map((name) => join(folder, name))]) {
    removeLeft(top);
    for (const name of read(top)) {
      const path = join(top, name);
      if (GOING.test(name)) rmSync(path, { recursive: true, force: true });
      else if (basename(top) === "embedded") removeLeft(path);
    }
  }
}

/** One thing in the cache: a file, or a folder with all that it holds. */
export interface CacheEntry {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970: when anything in it was last written or marked as used. */
  readonly used: number;
}

/** Entries, most recently used first. Folders that group entries are opened: `models/abc` is an entry of its own. */
export function listCache(folder: string): CacheEntry[] {
  const entries: CacheEntry[] = [];
  for (const top of read(folder)) {
    if (top === TAG || top === LIMIT) continue;
    const path = join(folder, top);
    const inside = read(path);
    if (inside.length === 0) entries.push(entryOf(top, path));
    for (const name of inside) entries.push(entryOf(`${top}/${name}`, join(path, name)));
  }
  return entries.sort((a, b) => b.used - a.used || (a.name < b.name ? -1 : 1));
}

function entryOf(name: string, path: string): CacheEntry {
  const [bytes, used] = measure(path);
  return { name, path, bytes, used };
}

function measure(path: string): [bytes: number, used: number] {
  try {
    const about = statSync(path);
    if (!about.isDirectory()) return [about.size, about.mtimeMs];
    return read(path).map((name) => measure(join(path, name))).reduce(
      ([bytes, used], [more, later]) => [bytes + more, Math.max(used, later)],
      [0, about.mtimeMs],
    );
  } catch {
    return [0, 0]; // gone meanwhile: another hunch may be at work
  }
}

function read(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** What came of removing entries. */
export interface Removal {
  readonly removed: readonly CacheEntry[];
  /** Still there, all or in part, and why. */
  readonly kept: readonly { readonly entry: CacheEntry; readonly why: string }[];
}

/** Removes every entry. Throws HunchError where the folder is not known to be a cache. */
export function clearCache(folder: string): Removal {
  const entries = listCache(folder);
  if (entries.length > 0) requireTag(folder);
  const removal = removeAll(entries);
  for (const name of read(folder)) {
    const path = join(folder, name);
    if (name !== TAG && name !== LIMIT && read(path).length === 0) remove(path);
  }
  return removal;
}

/** Removes what was used longest ago until the rest fits the limit; what was used after `since` stays in any case. */
export function trimCache(folder: string, since: number): Removal {
  const limit = cacheLimit(folder);
  let total = 0;
  if (!existsSync(join(folder, TAG))) return { removed: [], kept: [] };
  return removeAll(
    listCache(folder).filter((entry) => {
      total += entry.bytes;
      return total > limit && entry.used < since;
    }),
  );
}

function removeAll(entries: readonly CacheEntry[]): Removal {
  const outcomes = entries.map((entry) => ({ entry, why: remove(entry.path) }));
  return {
    removed: outcomes.filter(({ why }) => why === undefined).map(({ entry }) => entry),
    kept: outcomes.flatMap(({ entry, why }) => why === undefined ? [] : [{ entry, why }]),
  };
}

/** An entry on its way out. */
const GOING = /\.removed-\d+$/;

/** Why it could not be; undefined where it is gone. Moved aside first, so that nobody ever sees half of an entry. */
function remove(path: string): string | undefined {
  const aside = `${path}.removed-${process.pid}`;
  try {
    renameSync(path, aside);
    rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== "ENOENT") return code ?? message; // else gone meanwhile
  }
  return undefined;
}

function requireTag(folder: string): void {
  if (existsSync(join(folder, TAG)) && readFileSync(join(folder, TAG), "utf8").startsWith(TAG_TEXT.slice(0, 43))) {
    return;
  }
  throw new HunchError(
    "usage",
    "this folder was not made by hunch, so it is not emptied",
    { file: folder },
    `if it is a cache of hunch all the same, put a file ${TAG} into it as https://bford.info/cachedir/ describes`,
  );
}

/** Most bytes that the cache may keep. */
export function cacheLimit(folder: string): number {
  try {
    const bytes = Number(readFileSync(join(folder, LIMIT), "utf8"));
    return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : DEFAULT_LIMIT;
  } catch {
    return DEFAULT_LIMIT;
  }
}

export function setCacheLimit(folder: string, bytes: number): void {
  writeOutput(join(folder, LIMIT), `${bytes}\n`);
}

/** Marks an entry as used now. */
export function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // gone meanwhile, or not ours to mark
  }
}
