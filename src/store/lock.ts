// One process at a time: a file in a folder that says by its name who may change the folder. Its name changes by one
// rename, which only one process can win, and what a killed process holds is taken over in the same way.
import { randomBytes } from "node:crypto";
import { readdirSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runs } from "../running.ts";

/** Who holds it: host, process, and a number that nobody has had. */
const HELD = /^lock-held-(.*)-(\d+)-[0-9a-f]{16}$/;
const FREE = "lock-free";
/** After so many milliseconds a process of another host, or one with the number of an earlier one, holds nothing. */
const PATIENCE = 3600_000;
/** Looks for a file that another process is just renaming. */
const LOOKS = 3;

/** Makes the lock of a new folder. */
export function makeLock(folder: string): void {
  writeFileSync(join(folder, FREE), "", { mode: 0o600 });
}

/** Runs `work` where nobody else is at it; undefined where somebody is. Throws what the system does. */
export function withLock<T>(folder: string, work: () => T): T | undefined {
  const mine = join(folder, `lock-held-${host()}-${process.pid}-${randomBytes(8).toString("hex")}`);
  if (!take(folder, mine)) return undefined;
  try {
    return work();
  } finally {
    rename(mine, join(folder, FREE));
  }
}

function take(folder: string, mine: string): boolean {
  for (let look = 0; look < LOOKS; look++) {
    const locks = readdirSync(folder).filter((name) => name === FREE || HELD.test(name));
    const free = locks.find((name) => name === FREE || abandoned(folder, name));
    // Its time is new before it is ours, or another would take it for abandoned. Where it is gone another was faster.
    if (free !== undefined) return touch(join(folder, free)) && rename(join(folder, free), mine);
    if (locks.length > 0) return false;
  }
  makeLock(folder); // somebody removed it
  return rename(join(folder, FREE), mine);
}

function abandoned(folder: string, name: string): boolean {
  const [, where, pid] = name.match(HELD)!;
  if (where === host() && !runs(Number(pid))) return true;
  const about = statSync(join(folder, name), { throwIfNoEntry: false });
  return about !== undefined && Date.now() - about.mtimeMs > PATIENCE;
}

const host = () => hostname().replaceAll(/[^\w.]/g, "_");

const rename = (from: string, to: string) => isThere(() => renameSync(from, to));

function touch(path: string): boolean {
  const now = new Date();
  return isThere(() => utimesSync(path, now, now));
}

/** False where the file is not there any more. */
function isThere(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false;
    throw error;
  }
}
