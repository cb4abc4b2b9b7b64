// What is in the cache folder: listing it, emptying it, and keeping it under its limit.
//
// It carries the CACHEDIR.TAG of https://bford.info/cachedir/, for backup programs and for us: only a folder with that
// tag is ever emptied, so that no mistyped HUNCH_CACHE costs anybody's files.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { HunchError } from "../../src/errors.ts";
import { writeOutput } from "../../src/output-file.ts";

export const TAG = "CACHEDIR.TAG";
export const TAG_TEXT =
  "Signature: 8a477f597d28d172789f06886806bc55\n# This is the cache of hunch; it may be deleted at any time.\n";
const LIMIT = "limit";
const DEFAULT_LIMIT = 10 * 2 ** 30;
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
  for (const top of namesIn(folder)) {
    if (top === TAG || top === LIMIT) continue;
    const path = join(folder, top);
    const inside = namesIn(path);
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
    return namesIn(path).map((name) => measure(join(path, name))).reduce(
      ([bytes, used], [more, later]) => [bytes + more, Math.max(used, later)],
      [0, about.mtimeMs],
    );
  } catch {
    return [0, 0]; // gone meanwhile: another hunch may be at work
  }
}

/** Sorted; none where the folder is missing or not to be read. */
export function namesIn(folder: string): string[] {
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
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (name !== TAG && name !== LIMIT && namesIn(path).length === 0) remove(path);
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
export const GOING = /\.removed-\d+$/;

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
  throw new HunchError("usage", "this folder was not made by hunch, so it is not emptied", {
    file: folder,
    hint: `if it is a cache of hunch all the same, put a file ${TAG} into it as https://bford.info/cachedir/ describes`,
  });
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
