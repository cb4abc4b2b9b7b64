// Bounded access to a file: ranges are read on demand, and every size is checked against the file before anything is
// allocated. A complaint names file, offset and field.
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { HunchError } from "../../errors.ts";

/** Most bytes that one system call is asked for. */
const READ_STEP = 1 << 28;

/** What Git LFS leaves in place of a file that was not fetched begins so, and is at most so long. */
const POINTER = "version https://git-lfs.github.com/spec/";
const LONGEST_POINTER = 1024;

/** An open file. Throws HunchError("input") for everything that is not there. */
export class BinaryFile {
  readonly path: string;
  readonly size: number;
  #descriptor: number | undefined;
  /** Where the file begins inside the one that holds it, and that one; it is closed there. */
  #start = 0;
  #whole: BinaryFile | undefined;

  constructor(path: string, part?: { readonly of: BinaryFile; readonly offset: number; readonly size: number }) {
    this.path = path;
    if (part) {
      part.of.check(part.offset, part.size, path);
      [this.#whole, this.#start, this.size] = [part.of, part.offset, part.size];
      return;
    }
    try {
      // Looked at before it is opened: opening a pipe would wait for its writer.
      if (!statSync(path).isFile()) throw notRegular(path);
      this.#descriptor = openSync(path, "r");
      this.size = fstatSync(this.#descriptor).size;
      if (this.size < LONGEST_POINTER) this.#refusePointer();
    } catch (error) {
      this.close();
      if (error instanceof HunchError) throw error;
      throw new HunchError("input", `cannot open the file: ${reason(error)}`, { file: path, hint: "check the path" });
    }
  }

  /**
   * Bytes `offset` to `offset + length`, in a buffer of their own (so that typed arrays over it are aligned), or at the
   * start of `into`, where they fit: reading again into the same memory is quicker than into new.
   */
  read(offset: number, length: number, field: string, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.check(offset, length, field);
    const out = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
    this.readInto(out, offset, field);
    return out;
  }

  /** Fills `out` from `offset` on. */
  readInto(out: Uint8Array, offset: number, field: string): void {
    if (this.#whole) {
      this.check(offset, out.length, field);
      return this.#whole.readInto(out, this.#start + offset, field);
    }
    if (this.#descriptor === undefined) throw new Error(`${this.path} is closed`);
    this.check(offset, out.length, field);
    let done = 0;
    while (done < out.length) {
      const step = Math.min(READ_STEP, out.length - done);
      const count = readSync(this.#descriptor, out, done, step, offset + done);
      if (count <= 0) throw this.broken("the file became shorter while it was read", offset + done, field);
      done += count;
    }
  }

  /** Throws unless the range lies inside the file. */
  check(offset: number, length: number, field: string): void {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      throw this.broken("a size or an offset is not a sensible number", undefined, field);
    }
    if (offset + length > this.size) {
      const message = `the file ends at byte ${this.size}, but ${length} bytes are needed here`;
      throw this.broken(message, offset, field);
    }
  }

  /** Bytes `offset` to `offset + size` as a file of its own, which is open as long as this one. */
  part(offset: number, size: number, name: string): BinaryFile {
    return new BinaryFile(`${this.path}/${name}`, { of: this, offset, size });
  }

  #refusePointer(): void {
    if (this.size < POINTER.length) return;
    if (new TextDecoder().decode(this.read(0, POINTER.length, "header")) !== POINTER) return;
    const hint = "run git lfs pull in its folder, or download the file itself";
    throw new HunchError("input", "this is a Git LFS pointer and not the file", { file: this.path, hint });
  }

  broken(message: string, offset: number | undefined, field?: string): HunchError {
    return new HunchError("input", message, {
      file: this.path,
      offset,
      field,
      hint: "the file is damaged or incomplete",
    });
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** All bytes of a small file. */
export function readWhole(path: string): Uint8Array<ArrayBuffer> {
  const file = new BinaryFile(path);
  try {
    return file.read(0, file.size, "content");
  } finally {
    file.close();
  }
}

function notRegular(path: string): HunchError {
  return new HunchError("input", "not a regular file", { file: path, hint: "give the path of a model file" });
}

function reason(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "ENOENT") return "it does not exist";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return typeof code === "string" ? code : String(error);
}

/** Bytes that a cursor reads ahead. */
const WINDOW = 1 << 18;

/** Reads little-endian values one after the other. */
export class Cursor {
  position: number;
  #window = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #start = 0;

  constructor(readonly file: BinaryFile, position = 0) {
    this.position = position;
  }

  get remaining(): number {
    return this.file.size - this.position;
  }

  u8(field: string): number {
    const at = this.#take(1, field);
    return this.#view.getUint8(at);
  }

  u32(field: string): number {
    const at = this.#take(4, field);
    return this.#view.getUint32(at, true);
  }

  i32(field: string): number {
    const at = this.#take(4, field);
    return this.#view.getInt32(at, true);
  }

  f32(field: string): number {
    const at = this.#take(4, field);
    return this.#view.getFloat32(at, true);
  }

  f64(field: string): number {
    const at = this.#take(8, field);
    return this.#view.getFloat64(at, true);
  }

  u64(field: string): bigint {
    const at = this.#take(8, field);
    return this.#view.getBigUint64(at, true);
  }

  i64(field: string): bigint {
    const at = this.#take(8, field);
    return this.#view.getBigInt64(at, true);
  }

  /** A count of things that take at least `each` bytes of the file: refused where the file cannot hold so many. */
  count(value: number | bigint, each: number, field: string): number {
    const most = Math.floor(this.remaining / each);
    if (value < 0 || value > most) {
      const message = `${value} entries are announced, but the rest of the file holds at most ${most}`;
      throw this.file.broken(message, this.position, field);
    }
    return Number(value);
  }

  /** The next `length` bytes; valid until the next call. */
  bytes(length: number, field: string): Uint8Array {
    if (length > WINDOW) {
      const out = this.file.read(this.position, length, field);
      this.position += length;
      return out;
    }
    const at = this.#take(length, field);
    return this.#window.subarray(at, at + length);
  }

  /** Makes the next `length` bytes present in the window and steps over them; their index in it. */
  #take(length: number, field: string): number {
    const position = this.position;
    let at = position - this.#start;
    if (at < 0 || at + length > this.#window.length) {
      this.file.check(position, length, field);
      this.#window = this.file.read(position, Math.min(WINDOW, this.file.size - position), field);
      this.#view = new DataView(this.#window.buffer);
      this.#start = position;
      at = 0;
    }
    this.position = position + length;
    return at;
  }
}
