// Writes GGUF files byte by byte, damaged ones as well.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../support/folder.ts";

export type Written = { readonly type: number; readonly bytes: Uint8Array };

/** A growing little-endian buffer. */
export class Bytes {
  #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.raw(Uint8Array.of(value));
  }

  u32(value: number): this {
    return this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  u64(value: bigint | number): this {
    return this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  f32(value: number): this {
    return this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.u64(bytes.length).raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  done(): Uint8Array {
    const out = new Uint8Array(this.#parts.reduce((total, part) => total + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

export const value = {
  u32: (n: number): Written => ({ type: 4, bytes: new Bytes().u32(n).done() }),
  u16: (n: number): Written => ({ type: 2, bytes: Uint8Array.of(n & 255, n >> 8) }),
  f32: (n: number): Written => ({ type: 6, bytes: new Bytes().f32(n).done() }),
  flag: (b: boolean): Written => ({ type: 7, bytes: Uint8Array.of(b ? 1 : 0) }),
  text: (s: string): Written => ({ type: 8, bytes: new Bytes().text(s).done() }),
  u64: (n: bigint): Written => ({ type: 10, bytes: new Bytes().u64(n).done() }),
  texts: (list: readonly string[]): Written => {
    const bytes = new Bytes().u32(8).u64(list.length);
    for (const item of list) bytes.text(item);
    return { type: 9, bytes: bytes.done() };
  },
};

export interface WrittenTensor {
  readonly name: string;
  /** As the file has them: columns first. */
  readonly dimensions: readonly (number | bigint)[];
  readonly type: number;
  readonly offset: number | bigint;
}

export interface GgufParts {
  readonly version?: number;
  readonly tensorCount?: bigint;
  readonly entryCount?: bigint;
  readonly entries?: readonly (readonly [string, Written])[];
  readonly tensors?: readonly WrittenTensor[];
  readonly align?: number;
  readonly data?: Uint8Array;
}

export function gguf(parts: GgufParts): Uint8Array {
  const { entries = [], tensors = [], align = 32, data = new Uint8Array(0) } = parts;
  const out = new Bytes().raw(new TextEncoder().encode("GGUF")).u32(parts.version ?? 3);
  out.u64(parts.tensorCount ?? tensors.length).u64(parts.entryCount ?? entries.length);
  for (const [key, { type, bytes }] of entries) out.text(key).u32(type).raw(bytes);
  for (const { name, dimensions, type, offset } of tensors) {
    out.text(name).u32(dimensions.length);
    for (const length of dimensions) out.u64(length);
    out.u32(type).u64(offset);
  }
  const head = out.done();
  return new Bytes().raw(head).raw(new Uint8Array((align - head.length % align) % align)).raw(data).done();
}

let folder: string | undefined;
let count = 0;

/** Writes bytes under a new name and returns the path. */
export function written(bytes: Uint8Array, name = "model.gguf"): string {
  folder ??= temporaryFolder();
  const path = join(folder, `${count++}-${name}`);
  writeFileSync(path, bytes);
  return path;
}
