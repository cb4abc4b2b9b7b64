// safetensors: a JSON header with names, types, shapes and places, then the bytes. One file, or shards under an index.
import { HunchError } from "../../errors.ts";
import { BinaryFile, Cursor } from "./reader.ts";
import { decode } from "../tensors/weights.ts";

/** Element types of the format and their bytes. */
const SIZES: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/** One entry of the header: where `dtype` numbers of `shape` lie. */
export interface SafeTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly file: BinaryFile;
  readonly offset: number;
  readonly bytes: number;
}

/** Most bytes of a header; the format's own limit. */
const LONGEST_HEADER = 100_000_000;

/** Reads the header of one file; bytes are read when they are asked for. */
export function readSafetensors(path: string): { file: BinaryFile; tensors: Map<string, SafeTensor> } {
  const file = new BinaryFile(path);
  try {
    return { file, tensors: readHeader(file) };
  } catch (error) {
    file.close();
    throw error;
  }
}

function readHeader(file: BinaryFile): Map<string, SafeTensor> {
  const cursor = new Cursor(file);
  const length = cursor.u64("header length");
  if (length > LONGEST_HEADER) throw file.broken(`a header of ${length} bytes is too long`, 0, "header length");
  const size = cursor.count(length, 1, "header length");
  const header = parse(file, cursor.bytes(size, "header"));
  const data = 8 + size;
  const tensors = new Map<string, SafeTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, checkEntry(file, data, name, entry));
  }
  const inOrder = [...tensors.values()].toSorted((a, b) => a.offset - b.offset);
  for (let i = 1; i < inOrder.length; i++) {
    if (inOrder[i - 1].offset + inOrder[i - 1].bytes > inOrder[i].offset) {
      throw file.broken(`the tensor overlaps ${inOrder[i - 1].name}`, inOrder[i].offset, inOrder[i].name);
    }
  }
  return tensors;
}

function parse(file: BinaryFile, raw: Uint8Array): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
  } catch {
    throw file.broken("the header is not JSON", 8, "header");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw file.broken("the header is not a JSON object", 8, "header");
  }
  return header;
}

function checkEntry(file: BinaryFile, data: number, name: string, entry: unknown): SafeTensor {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(SIZES, dtype)) {
    const place = { file: file.path, offset: 8, field: name };
    throw new HunchError("input", `tensors of type ${String(dtype)} are not supported`, {
      ...place,
      hint: "use F32, F16 or BF16",
    });
  }
  if (!isSizes(shape) || shape.length > 8) throw file.broken("the shape is not a list of sizes", 8, name);
  if (!isSizes(offsets) || offsets.length !== 2) throw file.broken("data_offsets are not two offsets", 8, name);
  const [start, end] = offsets;
  const elements = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(elements) || end - start !== elements * SIZES[dtype]) {
    throw file.broken(`${end - start} bytes are not ${dtype} [${shape.join(", ")}]`, 8, name);
  }
  file.check(data + start, end - start, name);
  return { name, dtype, shape, file, offset: data + start, bytes: end - start };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** The numbers of a tensor as float32; integers beyond 2^24 and float64 are rounded. */
export function safeFloats(tensor: SafeTensor): Float32Array {
  const { buffer } = tensor.file.read(tensor.offset, tensor.bytes, tensor.name);
  switch (tensor.dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F16":
    case "BF16":
      return decode(tensor.dtype, new Uint8Array(buffer), tensor.bytes / 2);
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer), Number);
    case "I32":
      return Float32Array.from(new Int32Array(buffer));
    case "U8":
      return Float32Array.from(new Uint8Array(buffer));
    default:
      throw new Error(`safeFloats of ${tensor.dtype}`);
  }
}
