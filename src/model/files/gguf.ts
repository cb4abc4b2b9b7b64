// GGUF, versions 2 and 3, little-endian: metadata and tensor table. Every count, length and offset is checked against
// the file before it is used; what is unknown is refused by name.
import { HunchError } from "../../errors.ts";
import { type GgufMetadata, type GgufValue, readString, readValue } from "./gguf-values.ts";
import { BinaryFile, Cursor } from "./reader.ts";
import type { Tensor, TensorType } from "../tensors/tensor.ts";
import { blockElements, bytesOf, FileTensor } from "../tensors/weights.ts";

export type { GgufMetadata, GgufValue } from "./gguf-values.ts";

export interface GgufFile {
  readonly file: BinaryFile;
  readonly version: number;
  readonly metadata: GgufMetadata;
  /** Where the metadata end in the file; they begin at byte 24. */
  readonly metadataEnd: number;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Tensor types by their number in the file. Those without a name here are not computed by this program. */
const TYPES: Record<number, TensorType> = {
  0: "F32",
  1: "F16",
  2: "Q4_0",
  3: "Q4_1",
  6: "Q5_0",
  7: "Q5_1",
  8: "Q8_0",
  10: "Q2_K",
  11: "Q3_K",
  12: "Q4_K",
  13: "Q5_K",
  14: "Q6_K",
  20: "IQ4_NL",
  23: "IQ4_XS",
  30: "BF16",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
};
/** Only for saying what a file has. */
const OTHER_TYPES: Record<number, string> = {
  9: "Q8_1",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  21: "IQ3_S",
  22: "IQ2_S",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  40: "NVFP4",
};

const LONGEST_KEY = 65535;
const LONGEST_TENSOR_NAME = 1024;
/** Reads header, metadata and tensor table of one file; tensors are read when they are asked for. */
export function readGguf(path: string): GgufFile {
  return readGgufFile(new BinaryFile(path));
}

/** The same for an open file, which is closed where it is refused. */
export function readGgufFile(file: BinaryFile): GgufFile {
  try {
    return readHeader(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

function readHeader(file: BinaryFile): GgufFile {
  const cursor = new Cursor(file);
  if (cursor.u32("magic") !== 0x46554747) throw file.broken("not a GGUF file: it does not start with GGUF", 0, "magic");
  const version = cursor.u32("version");
  if (version !== 2 && version !== 3) {
    const bigEndian = version >= 1 << 24 ? " (a big-endian file?)" : "";
    const hint = "convert it to GGUF version 3, little-endian";
    const message = `GGUF version ${version} is not supported${bigEndian}`;
    throw new HunchError("input", message, { file: file.path, offset: 4, field: "version", hint });
  }
  const tensorCount = cursor.u64("tensor_count");
  const entryCount = cursor.u64("metadata_kv_count");
  // The least an entry takes: key length and a value of one byte; a tensor: name length, dimensions, type and offset.
  const entries = cursor.count(entryCount, 8 + 4 + 1, "metadata_kv_count");
  cursor.count(tensorCount, 8 + 4 + 8 + 4 + 8, "tensor_count");

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entries; i++) {
    const at = cursor.position;
    const key = readString(cursor, LONGEST_KEY, `metadata key ${i}`);
    if (metadata.has(key)) throw file.broken("a metadata key appears twice", at, key);
    metadata.set(key, readValue(cursor, cursor.u32(key), key));
  }
  const metadataEnd = cursor.position;
  const tensors = readTensors(cursor, Number(tensorCount), alignment(file, metadata));
  return { file, version, metadata, metadataEnd, tensors };
}

function alignment(file: BinaryFile, metadata: GgufMetadata): number {
  const value = metadata.get("general.alignment") ?? 32;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 1 << 30 || value & (value - 1)) {
    throw file.broken("the alignment is not a power of two", undefined, "general.alignment");
  }
  return value;
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TensorType;
  readonly start: number;
  readonly bytes: number;
  /** Where the table tells the offset. */
  readonly at: number;
}

function readTensors(cursor: Cursor, count: number, align: number): Map<string, Tensor> {
  const file = cursor.file;
  const entries: Entry[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const entry = readEntry(cursor, i);
    if (names.has(entry.name)) throw file.broken("a tensor appears twice", entry.at, entry.name);
    names.add(entry.name);
    entries.push(entry);
  }
  const data = Math.ceil(cursor.position / align) * align;
  const tensors = new Map<string, Tensor>();
  for (const { name, shape, type, start, bytes, at } of entries) {
    if (start % align) throw file.broken(`the tensor's offset ${start} is not a multiple of ${align}`, at, name);
    if (data + start + bytes > file.size) {
      const message = `the tensor needs bytes ${data + start} to ${
        data + start + bytes
      }, the file ends at ${file.size}`;
      throw file.broken(message, at, name);
    }
    tensors.set(name, new FileTensor(name, shape, type, file, data + start));
  }
  const inOrder = entries.toSorted((a, b) => a.start - b.start);
  for (let i = 1; i < inOrder.length; i++) {
    const before = inOrder[i - 1], entry = inOrder[i];
    if (before.start + before.bytes > entry.start) {
      throw file.broken(`the tensor overlaps ${before.name}`, entry.at, entry.name);
    }
  }
  return tensors;
}

function readEntry(cursor: Cursor, index: number): Entry {
  const file = cursor.file;
  const name = readString(cursor, LONGEST_TENSOR_NAME, `tensor name ${index}`);
  const at = cursor.position;
  const dimensions = cursor.u32(name);
  if (dimensions < 1 || dimensions > 4) throw file.broken(`${dimensions} dimensions are not supported`, at, name);
  const shape: number[] = [];
  let elements = 1n;
  for (let d = 0; d < dimensions; d++) {
    const length = cursor.u64(name);
    elements *= length;
    if (length < 1n || elements > Number.MAX_SAFE_INTEGER) {
      throw file.broken(`a dimension of ${length} is not possible`, cursor.position - 8, name);
    }
    shape.unshift(Number(length));
  }
  const type = tensorType(file, cursor.u32(name), cursor.position - 4, name);
  const row = shape[shape.length - 1];
  if (row % blockElements(type)) {
    throw file.broken(`rows of ${row} do not consist of whole ${type} blocks`, cursor.position - 4, name);
  }
  const offset = cursor.u64(name);
  if (offset > file.size) {
    throw file.broken(`the tensor starts at ${offset}, beyond the end of the file`, cursor.position - 8, name);
  }
  return { name, shape, type, start: Number(offset), bytes: bytesOf(type, Number(elements)), at: cursor.position - 8 };
}

function tensorType(file: BinaryFile, number: number, at: number, name: string): TensorType {
  if (Object.hasOwn(TYPES, number)) return TYPES[number];
  const place = { file: file.path, offset: at, field: name };
  if (Object.hasOwn(OTHER_TYPES, number)) {
    const hint = `take a file in one of ${Object.values(TYPES).join(", ")}`;
    throw new HunchError("input", `tensors of type ${OTHER_TYPES[number]} are not supported`, { ...place, hint });
  }
  throw file.broken(`unknown tensor type ${number}`, at, name);
}
