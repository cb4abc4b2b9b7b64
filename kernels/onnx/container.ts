// A converted model on disk: weights laid out for ONNX Runtime to map into memory, then the graph, then a footer.
//
//     "HUNCHMDL" · weights, each aligned to 64 bytes · graphs (ONNX) · footer: offset and length of both graphs (u64), "HUNCHEND"
//
// There are two graphs of the same weights: the plain one, and one whose passes can be looked into (see decoder.ts).
// A file of the final name is always whole: see output-file.ts.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { OutputFile } from "../../src/output-file.ts";
import { bytesOf, type GraphBuilder, sizeOf, type Weight } from "./graph.ts";
import { encodeModel, type TensorProto } from "./proto.ts";

const HEAD = new TextEncoder().encode("HUNCHMDL");
const TAIL = new TextEncoder().encode("HUNCHEND");
const FOOTER = 40;
const NO_GRAPH = new Uint8Array(0);
const ALIGN = 64;
/** Smaller constants stand in the graph itself. */
export const INLINE = 256;

/** Where the cache cannot be written. */
export const CACHE_HINT = "set HUNCH_CACHE to a folder with room";

export interface Container {
  readonly path: string;
  readonly graph: Uint8Array;
}

/**
 * Writes what `plain` describes, and gives its graph. `inside`: the graph of the same model for passes that are looked
 * into. `progress` is told the fraction of the weights that are done.
 */
export function writeContainer(
  path: string,
  plain: GraphBuilder,
  { inside, progress }: { readonly inside?: GraphBuilder; readonly progress?: (fraction: number) => void } = {},
): Container {
  const file = new OutputFile(path, { folders: true, hint: CACHE_HINT });
  const total = plain.weights.reduce((sum, weight) => sum + sizeOf(weight), 0);
  let at = 0;
  const write = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => {
    file.write(new Uint8Array(buffer, byteOffset, byteLength));
    at += byteLength;
  };
  try {
    write(HEAD);
    const places = new Map<string, TensorProto["data"]>();
    const make = (weight: Weight): TensorProto["data"] => {
      const length = sizeOf(weight);
      if (length <= INLINE) return bytesOf(weight);
      write(new Uint8Array((ALIGN - at % ALIGN) % ALIGN));
      const offset = at;
      for (const part of weight.parts()) {
        write(part);
        progress?.(Math.min(1, at / total));
      }
      if (at !== offset + length) throw new Error(`${weight.name} has ${at - offset} bytes, not ${length}`);
      return { file: basename(path), offset, length };
    };
    const place = (weight: Weight) => {
      const placed = places.get(weight.name) ?? make(weight);
      places.set(weight.name, placed);
      return placed;
    };
    const graphs = [plain, inside].map((builder) => builder ? encodeModel(builder.finish("hunch", place)) : NO_GRAPH);
    const footer = new Uint8Array(FOOTER);
    const view = new DataView(footer.buffer);
    graphs.forEach((graph, i) => {
      view.setBigUint64(16 * i, BigInt(at), true);
      view.setBigUint64(16 * i + 8, BigInt(graph.length), true);
      write(graph);
    });
    footer.set(TAIL, FOOTER - TAIL.length);
    write(footer);
    file.finish();
    progress?.(1);
    return { path, graph: graphs[0] };
  } finally {
    file.discard();
  }
}

/** One of the graphs of a converted model; undefined where the file is missing or not whole. */
export function readContainer(path: string, inside = false): Container | undefined {
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
    if (!footer || !same(footer.subarray(FOOTER - TAIL.length), TAIL)) return undefined;
    const view = new DataView(footer.buffer);
    const [offset, length, insideAt, insideLength] = [0, 8, 16, 24].map((at) => Number(view.getBigUint64(at, true)));
    if (offset + length !== insideAt || insideAt + insideLength + FOOTER !== size) return undefined;
    const graph = inside ? read(insideLength, insideAt) : read(length, offset);
    return graph && { path, graph };
  } finally {
    closeSync(file);
  }
}
