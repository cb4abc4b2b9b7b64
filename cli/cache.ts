// The cache folder: where it is, what is in it, and keeping it under its limit.
//
// Everything in it can be made again. It carries the CACHEDIR.TAG of https://bford.info/cachedir/, for backup programs
// and for us: only a folder with that tag is ever emptied, so that no mistyped HUNCH_CACHE costs anybody's files.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HunchError } from "../src/errors.ts";

const TAG = "CACHEDIR.TAG";
const TAG_TEXT =
  "Signature: 8a477f597d28d172789f06886806bc55\n# This is the cache of hunch; it may be deleted at any time.\n";
const LIMIT = "limit";
const DEFAULT_LIMIT = 10 * 2 ** 30;

/** $HUNCH_CACHE, or the platform's place for caches, or the temporary folder where there is no home. Nothing is made. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.HUNCH_CACHE) return env.HUNCH_CACHE;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "hunch");
  if (process.platform === "win32") {
    if (env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "hunch", "cache");
  } else if (env.HOME) {
    return process.platform === "darwin"
      ? join(env.HOME, "Library", "Caches", "hunch")
      : join(env.HOME, ".cache", "hunch");
  }
  const user = process.getuid?.();
  return join(tmpdir(), user === undefined ? "hunch" : `hunch-${user}`);
}

/** The cache folder, made where it is missing. Throws HunchError where it cannot be written or belongs to another user. */
export function openCache(): string {
  const folder = cacheFolder();
  const hint = "set HUNCH_CACHE to a folder that can be written";
  try {
    const fresh = mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
    const about = statSync(folder);
    const user = process.getuid?.();
    if (user !== undefined && about.uid !== user && folder.startsWith(tmpdir())) {
      throw new HunchError("unavailable", "the cache folder belongs to another user", { file: folder }, hint);
    }
    const tag = join(folder, TAG);
    if (!existsSync(tag) && (fresh || readdirSync(folder).length === 0)) writeFileSync(tag, TAG_TEXT);
  } catch (error) {
    if (error instanceof HunchError) throw error;
    const { code } = error as { code?: string };
    throw new HunchError("unavailable", `the cache folder cannot be used: ${code}`, { file: folder }, hint);
  }
  return folder;
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

/** Removes every entry and returns what was there. Throws HunchError where the folder is not known to be a cache. */
export function clearCache(folder: string): CacheEntry[] {
  const entries = listCache(folder);
  if (entries.length > 0) requireTag(folder);
  for (const { path } of entries) remove(path);
  for (const name of read(folder)) {
    const path = join(folder, name);
    if (name !== TAG && name !== LIMIT && read(path).length === 0) remove(path);
  }
  return entries;
}

/** Removes what was used longest ago until the rest fits the limit; what was used after `since` stays in any case. */
export function trimCache(folder: string, since: number): CacheEntry[] {
  const limit = cacheLimit(folder);
  const removed: CacheEntry[] = [];
  let total = 0;
  if (!existsSync(join(folder, TAG))) return removed;
  for (const entry of listCache(folder)) {
    total += entry.bytes;
    if (total <= limit || entry.used >= since) continue;
    remove(entry.path);
    removed.push(entry);
  }
  return removed;
}

/** Moved aside first, so that nobody ever sees half of an entry. */
function remove(path: string): void {
  const aside = `${path}.removed-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // gone meanwhile
  }
  rmSync(aside, { recursive: true, force: true });
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
  const path = join(folder, LIMIT);
  writeFileSync(`${path}.${process.pid}`, `${bytes}\n`);
  renameSync(`${path}.${process.pid}`, path);
}

/** Marks an entry as used now. */
export function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // gone meanwhile, or not ours to mark
  }
}
