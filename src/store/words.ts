// 32-bit words of a file, read in blocks when they are asked for, and every block checked against its sum. Bun could map
// the file into memory, Deno could not; reading costs next to nothing, bounds the memory and sees every damage.
import { readSync } from "node:fs";
import { crc32 } from "node:zlib";
import { HunchError } from "../errors.ts";

/** Words of a block. */
export const WORDS = 1024;
/** Bytes of a block. */
export const BLOCK = 4 * WORDS;
/** Blocks that are kept in memory: 16 MB. */
const KEPT = 4096;
/** Blocks that are allocated at once. */
const SLAB = 64;

/** A part of a store that is not as it was written. */
export class DamagedError extends HunchError {
  override readonly name = "DamagedError";
  constructor(why: string, file?: string, offset?: number) {
    super("input", `this part of the store is damaged: ${why}`, { file, offset });
  }
}

/** What the system does not give now; nothing says that it is damaged. */
export class UnreadableError extends HunchError {
  override readonly name = "UnreadableError";
  constructor(code: string, file: string) {
    super("unavailable", `this store cannot be read: ${code}`, { file });
  }
}

/** An error of the system as UnreadableError; any other as it is. */
export function unreadable(file: string, error: unknown): unknown {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && !(error instanceof HunchError) ? new UnreadableError(code, file) : error;
}

/** True of what costs the part of a store that it tells of, and no more. */
export function costsOnePart(error: unknown): error is DamagedError | UnreadableError {
  return error instanceof DamagedError || error instanceof UnreadableError;
}

/** Numbers from −2³¹ to 2³¹ − 1 by place. */
export interface Words {
  readonly length: number;
  /**
   * Throws DamagedError where the place is none, or what is there is not what was written; UnreadableError where the
   * system does not give it.
   */
  at(index: number): number;
}

/** The blocks that were read last, of all files of a store: at least half as many as there is room for. */
export class BlockCache {
  #young = new Map<number, Int32Array>();
  #old = new Map<number, Int32Array>();
  /** Blocks that hold nothing. */
  #free: Int32Array[] = [];
  #files = 0;

  constructor(private readonly most = KEPT) {}

  /** The first key of a new file; others are above it, by fewer than 2²⁰. */
  newFile(): number {
    return this.#files++ * 2 ** 20;
  }

  get(key: number): Int32Array | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#keep(key, old);
    return old;
  }

  /** A block to be filled for `key`. What is read next may take its place: it is no good after the next call. */
  take(key: number): Int32Array {
    if (this.#free.length === 0) {
      const slab = new Int32Array(SLAB * WORDS);
      for (let i = 0; i < SLAB; i++) this.#free.push(slab.subarray(i * WORDS, (i + 1) * WORDS));
    }
    const block = this.#free.pop()!;
    this.#keep(key, block);
    return block;
  }

  /** The block that was just taken holds nothing. */
  giveBack(key: number, block: Int32Array): void {
    this.#young.delete(key);
    this.#free.push(block);
  }

  #keep(key: number, block: Int32Array): void {
    if (this.#young.size >= this.most / 2) {
      for (const gone of this.#old.values()) this.#free.push(gone);
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, block);
  }
}

export class FileWords implements Words {
  readonly #key: number;

  /** `length` words of the open file from byte `offset` on; `sums`: the CRC-32 of each block, padding included. */
  constructor(
    private readonly file: { readonly path: string; readonly descriptor: number },
    private readonly offset: number,
    readonly length: number,
    private readonly sums: Uint32Array,
    private readonly cache: BlockCache,
  ) {
    this.#key = cache.newFile();
  }

  at(index: number): number {
    if (!(index >= 0 && index < this.length)) throw new DamagedError(`it has no place ${index}`, this.file.path);
    return this.#block(Math.floor(index / WORDS))[index % WORDS];
  }

  /** [length] All of them; of blocks that are not as they were written, `damaged` is told, and they are `instead`. */
  all(damaged: (error: DamagedError) => void, instead = 0): Int32Array {
    const all = new Int32Array(this.length).fill(instead);
    for (let from = 0; from < this.length; from += WORDS) {
      try {
        all.set(this.#block(from / WORDS).subarray(0, this.length - from), from);
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        damaged(error);
      }
    }
    return all;
  }

  #block(block: number): Int32Array {
    const key = this.#key + block;
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const words = this.cache.take(key);
    const bytes = bytesOf(words);
    const from = this.offset + block * BLOCK;
    let error: unknown = new DamagedError("what is read is not what was written", this.file.path, from);
    try {
      if (readFully(this.file.descriptor, bytes, from) === BLOCK && crc32(bytes) === this.sums[block]) return words;
    } catch (refused) {
      error = unreadable(this.file.path, refused);
    }
    this.cache.giveBack(key, words);
    throw error;
  }
}

/** Fills `bytes` from byte `position` of the file on, and returns how many there were. */
export function readFully(descriptor: number, bytes: Uint8Array, position: number): number {
  let done = 0;
  while (done < bytes.length) {
    const read = readSync(descriptor, bytes, done, bytes.length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** The CRC-32 of each block of some words, the last one padded with zeros. */
export function sumsOf(words: Int32Array): Uint32Array {
  return Uint32Array.from({ length: Math.ceil(words.length / WORDS) }, (_, block) => {
    const part = words.subarray(block * WORDS, (block + 1) * WORDS);
    if (part.length === WORDS) return crc32(bytesOf(part));
    const padded = new Int32Array(WORDS);
    padded.set(part);
    return crc32(bytesOf(padded));
  });
}

export function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
