// Writing a file: it has its name when it is whole, and nothing is left behind where it never is.
//
// What is written goes to a temporary file beside it first. Links are followed, so that a link stays a link; mode and
// owner of a file that is replaced stay; of a file with several names, all names get the new content. What is no
// regular file (a device, a pipe, /dev/stdout) is written to as it comes; a folder is refused.
import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import process from "node:process";
import { runs } from "./running.ts";
import { HunchError } from "./errors.ts";

/** A file that cannot be written, with the system's word for it: `usage` where the path is wrong, else `unavailable`. */
export class WriteError extends HunchError {
  override readonly name = "WriteError";
  constructor(readonly code: string, file: string, hint: string) {
    const kind = WRONG_PATHS.includes(code) ? "usage" : "unavailable";
    super(kind, `this cannot be written: ${REASONS[code] ?? code}`, { file, hint });
  }
}

const WRONG_PATHS = ["ENOENT", "ENOTDIR", "EEXIST", "EISDIR", "ELOOP"];

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder",
  ENOTDIR: "there is no such folder",
  EEXIST: "a file is in the place of a folder",
  EISDIR: "this is a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EDQUOT: "the quota is used up",
  EFBIG: "it would be larger than is allowed",
  EIO: "the device fails",
  EPIPE: "its reader is gone",
  ELOOP: "links that lead in a circle",
};

export interface OutputOptions {
  /** Permissions of a file that is not there yet; by default those that the process gives to files. */
  readonly mode?: number;
  /** What a person can do where it cannot be written. */
  readonly hint?: string;
  /** Make the folders that are missing on the way, for their owner alone. */
  readonly folders?: boolean;
}

/** Temporary files of this machine carry it in their names: another machine's processes may share the folder. */
const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);
/** `NAME.HOST-PROCESS-NUMBER.tmp`, and what earlier versions wrote: `NAME.PROCESS.tmp`, `NAME.UUID.part`. */
const TEMPORARY = /\.(?:(?:([0-9a-f]{6})-)?(\d+)(?:-\d+)?\.tmp|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part)$/;
/** A foreign or unnamed process is given so many milliseconds to finish. */
const PATIENCE = 24 * 3600_000;

/** Temporary files of this process; gone with it, however it exits. */
const open = new Set<string>();
process.on("exit", () => open.forEach(removeIfPossible));

/** A name beside `path` for what comes or goes; where a killed process leaves that behind, `removeLeft` knows it. */
export function temporaryBeside(path: string): string {
  return `${path}.${HOST}-${process.pid}-${randomBytes(4).readUInt32LE()}.tmp`;
}

/** One file on its way. Every method throws WriteError where the system refuses. */
export class OutputFile {
  readonly #descriptor: number;
  /** Where the file is, links followed. */
  readonly #target: string;
  /** Undefined where the target is written to directly. */
  readonly #temporary: string | undefined;
  readonly #before: Stats | undefined;
  readonly #hint: string;
  /** Of a descriptor that others opened, such as stdout. */
  readonly #borrowed: boolean;
  #closed = false;

  constructor(readonly path: string, { mode, hint = "name another file", folders }: OutputOptions = {}) {
    this.#hint = hint;
    if (folders) this.#attempt(() => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }));
    const own = ownDescriptor(path);
    this.#borrowed = own !== undefined;
    const [target, before] = own === undefined ? this.#attempt(() => resolve(path)) : [path, undefined];
    this.#target = target;
    this.#before = before;
    if (before?.isDirectory()) throw new WriteError("EISDIR", path, hint);
    if (own !== undefined || (before !== undefined && !before.isFile())) {
      this.#descriptor = own ?? this.#attempt(() => openSync(target, constants.O_WRONLY));
      return;
    }
    if (before !== undefined) this.#attempt(() => accessSync(target, constants.W_OK));
    const name = basename(target).slice(0, 200); // names have at most 255 bytes
    const temporary = temporaryBeside(join(dirname(target), name));
    removeLeft(dirname(target), name);
    this.#descriptor = this.#attempt(() => openSync(temporary, "wx", before === undefined ? mode : 0o600));
    this.#temporary = temporary;
    open.add(temporary);
  }

  write(bytes: Uint8Array): void {
    this.#attempt(() => writeAll(this.#descriptor, bytes));
  }

  /** Gives the file its name; `durable`: when it returns, a power failure does not take it away any more. */
  finish({ durable = false } = {}): void {
    if (durable) this.#attempt(() => fsyncSync(this.#descriptor));
    this.#close();
    const temporary = this.#temporary;
    if (temporary === undefined) return;
    const before = this.#before;
    try {
      this.#attempt(() => {
        if (before !== undefined && before.nlink > 1) {
          copyFileSync(temporary, this.#target); // the other names stay names of the same file
          rmSync(temporary);
          return;
        }
        if (before !== undefined) keepOwner(temporary, before);
        renameSync(temporary, this.#target);
      });
      open.delete(temporary);
      if (durable) this.#attempt(() => syncFolder(dirname(this.#target)));
    } finally {
      this.discard();
    }
  }

  /** Leaves nothing behind, unless it was finished. */
  discard(): void {
    this.#close();
    const temporary = this.#temporary;
    if (temporary === undefined || !open.has(temporary)) return;
    removeIfPossible(temporary);
    open.delete(temporary);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#borrowed) this.#attempt(() => closeSync(this.#descriptor));
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { code } = error as { code?: unknown };
      throw typeof code === "string" ? new WriteError(code, this.path, this.#hint) : error;
    }
  }
}

/** Writes all of a file. */
export function writeOutput(path: string, content: string, options: OutputOptions = {}): void {
  const file = new OutputFile(path, options);
  try {
    file.write(new TextEncoder().encode(content));
    file.finish();
  } finally {
    file.discard();
  }
}

/**
 * Removes what killed processes left in `folder`: on their way to a file called `only`, or to any, which is for folders
 * that nobody but hunch writes to.
 */
export function removeLeft(folder: string, only?: string): void {
  for (const name of namesIn(folder)) {
    const [found, host, pid] = name.match(TEMPORARY) ?? [];
    if (found === undefined || (only !== undefined && !(name.startsWith(`${only}.`) && host === HOST))) continue;
    const path = join(folder, name);
    const known = pid !== undefined && (host === undefined || host === HOST);
    if (known ? !runs(Number(pid)) : age(path) > PATIENCE) removeIfPossible(path);
  }
}

/** A file or folder that is in nobody's way where it stays: in a folder that is read-only, or another's. */
export function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    return;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // missing, or not ours to read
  }
}

function age(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** `/dev/stdout` and the like name what is open already; to open it again would begin it anew. */
function ownDescriptor(path: string): number | undefined {
  const [, name, number] = path.match(/^\/dev\/(?:(stdout|stderr)|fd\/(\d+))$/) ?? [];
  const descriptor = name === "stdout" ? 1 : name === "stderr" ? 2 : number === undefined ? undefined : Number(number);
  if (descriptor !== undefined) fstatSync(descriptor);
  return descriptor;
}

/** Where `path` leads, through links that may dangle, and what is there. */
function resolve(path: string): [target: string, before: Stats | undefined] {
  let target = path;
  for (let links = 0; links < 40; links++) {
    const about = lstatSync(target, { throwIfNoEntry: false });
    if (about === undefined) {
      realpathSync(dirname(target)); // throws where there is no such folder
      return [target, undefined];
    }
    if (!about.isSymbolicLink()) return [target, about];
    const next = readlinkSync(target);
    target = isAbsolute(next) ? next : `${realpathSync(dirname(target))}${sep}${next}`;
  }
  throw Object.assign(new Error("too many links"), { code: "ELOOP" });
}

function keepOwner(path: string, { mode, uid, gid }: Stats): void {
  const about = statSync(path);
  try {
    if (about.uid !== uid || about.gid !== gid) chownSync(path, uid, gid);
  } catch {
    // Only root gives files away: as when an editor writes it, it now belongs to who wrote it.
  }
  chmodSync(path, mode & 0o7777);
}

/** Names of files are in their folder, which is written later than they are. Windows has no such call. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } catch (error) {
    if (!["EINVAL", "ENOTSUP"].includes((error as { code?: string }).code ?? "")) throw error; // some file systems have none
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== "EAGAIN" && code !== "EINTR") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2); // a full pipe that another made non-blocking
    }
  }
}
