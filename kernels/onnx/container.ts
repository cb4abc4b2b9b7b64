// A converted model on disk: weights laid out for ONNX Runtime to map into memory, then the graph, then a footer.
//
//     "HUNCHMDL" · weights, each aligned to 64 bytes · graph (ONNX) · footer: graph offset, graph length (u64), "HUNCHEND"
//
// A file of the final name is always whole: see output-file.ts.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { OutputFile } from "../../src/output-file.ts";
import type { GraphBuilder, Weight } from "./graph.ts";
import { encodeModel } from "./proto.ts";

const HEAD = new TextEncoder().encode("HUNCHMDL");
const TAIL = new TextEncoder().encode("HUNCHEND");
const FOOTER = 24;
const ALIGN = 64;
/** Smaller constants stand in the graph itself. */
export const INLINE = 256;

/** Where the cache cannot be written. */
export const CACHE_HINT = "set HUNCH_CACHE to a folder with room";

export interface Container {
  readonly path: string;
  readonly graph: Uint8Array;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Writes what `builder` describes; `progress` is told the fraction of the weights that are done. */
export function writeContainer(path: string, builder: GraphBuilder, progress?: (fraction: number) => void): Container {
  const file = new OutputFile(path, { folders: true, hint: CACHE_HINT });
  let at = 0;
  const write = (bytes: Uint8Array) => {
    file.write(bytes);
    at += bytes.length;
  };
  try {
    write(HEAD);
    let made = 0;
    const place = (weight: Weight) => {
      const bytes = bytesOf(weight.data());
      progress?.(++made / builder.weights.length);
      if (bytes.length <= INLINE) return bytes;
      write(new Uint8Array((ALIGN - at % ALIGN) % ALIGN));
      const offset = at;
      write(bytes);
      return { file: basename(path), offset, length: bytes.length };
    };
    const graph = encodeModel(builder.finish("hunch", place));
    const graphAt = at;
    write(graph);
    const footer = new Uint8Array(FOOTER);
    new DataView(footer.buffer).setBigUint64(0, BigInt(graphAt), true);
    new DataView(footer.buffer).setBigUint64(8, BigInt(graph.length), true);
    footer.set(TAIL, 16);
    write(footer);
    file.finish();
    return { path, graph };
  } finally {
    file.discard();
  }
}

/** The graph of a converted model; undefined where the file is missing or not whole. */
export function readContainer(path: string): Container | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    const read = (length: number, position: number): Uint8Array | undefined => {
      const bytes = new Uint8Array(length);
      return readSync(file, bytes, 0, length, position) === length ? bytes : undefined;
    };
    const same = (a: Uint8Array | undefined, b: Uint8Array) => a?.every((byte, i) => byte === b[i]) ?? false;
    if (size < HEAD.length + FOOTER || !same(read(HEAD.length, 0), HEAD)) return undefined;
    const footer = read(FOOTER, size - FOOTER);
    if (!footer || !same(footer.subarray(16), TAIL)) return undefined;
    const view = new DataView(footer.buffer);
    const [offset, length] = [Number(view.getBigUint64(0, true)), Number(view.getBigUint64(8, true))];
    if (offset + length + FOOTER !== size) return undefined;
    const graph = read(length, offset);
    return graph && { path, graph };
  } finally {
    closeSync(file);
  }
}
