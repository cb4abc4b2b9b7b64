// GGUF, versions 2 and 3, little-endian: metadata and tensor table. Every count, length and offset is checked against
// the file before it is used; what is unknown is refused by name.
import { HunchError } from "../errors.ts";
import { BinaryFile, Cursor } from "./reader.ts";
import type { Tensor, TensorType } from "./source.ts";
import type { PackedStrings } from "./tokenizers/strings.ts";
import { blockElements, bytesOf, FileTensor } from "./weights.ts";

/** Arrays of numbers are typed arrays; integers beyond 2^53 are bigint. */
export type GgufValue =
  | number
  | bigint
  | boolean
  | string
  | PackedStrings
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

export interface GgufFile {
  readonly file: BinaryFile;
  readonly version: number;
  readonly metadata: GgufMetadata;
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
const STRING = 8, ARRAY = 9;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads header, metadata and tensor table of one file; tensors are read when they are asked for. */
export function readGguf(path: string): GgufFile {
  const file = new BinaryFile(path);
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
    throw new HunchError("input", message, { file: file.path, offset: 4, field: "version" }, hint);
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
  const tensors = readTensors(cursor, Number(tensorCount), alignment(file, metadata));
  return { file, version, metadata, tensors };
}

function alignment(file: BinaryFile, metadata: GgufMetadata): number {
  const value = metadata.get("general.alignment") ?? 32;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 1 << 30 || value & (value - 1)) {
    throw file.broken("the alignment is not a power of two", undefined, "general.alignment");
  }
  return value;
}

function readString(cursor: Cursor, longest: number, field: string): string {
  const at = cursor.position;
  const length = cursor.u64(field);
  if (length > longest) {
    throw cursor.file.broken(`a text of ${length} bytes is too long`, at, field);
  }
  const size = cursor.count(length, 1, field);
  try {
    return text.decode(cursor.bytes(size, field));
  } catch (error) {
    if (error instanceof HunchError) throw error;
    throw cursor.file.broken("a text is not UTF-8", at, field);
  }
}

function safe(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function readValue(cursor: Cursor, type: number, key: string): GgufValue {
  switch (type) {
    case 0:
      return cursor.u8(key);
    case 1:
      return cursor.u8(key) << 24 >> 24;
    case 2:
      return cursor.u8(key) | cursor.u8(key) << 8;
    case 3:
      return (cursor.u8(key) | cursor.u8(key) << 8) << 16 >> 16;
    case 4:
      return cursor.u32(key);
    case 5:
      return cursor.i32(key);
    case 6:
      return cursor.f32(key);
    case 7:
      return cursor.u8(key) !== 0;
    case STRING:
      return readString(cursor, cursor.file.size, key);
    case ARRAY:
      return readArray(cursor, key);
    case 10:
      return safe(cursor.u64(key));
    case 11:
      return safe(cursor.i64(key));
    case 12:
      return cursor.f64(key);
    default:
      throw cursor.file.broken(`unknown metadata value type ${type}`, cursor.position - 4, key);
  }
}

function readArray(cursor: Cursor, key: string): GgufValue {
  const at = cursor.position;
  const type = cursor.u32(key);
  const announced = cursor.u64(key);
  if (type === STRING) return readStrings(cursor, cursor.count(announced, 8, key), key);
  const raw = (size: number) => cursor.bytes(cursor.count(announced, size, key) * size, key).slice().buffer;
  switch (type) {
    case 0:
    case 7:
      return new Uint8Array(raw(1));
    case 1:
      return new Int8Array(raw(1));
    case 2:
      return new Uint16Array(raw(2));
    case 3:
      return new Int16Array(raw(2));
    case 4:
      return new Uint32Array(raw(4));
    case 5:
      return new Int32Array(raw(4));
    case 6:
      return new Float32Array(raw(4));
    case 10:
      return new BigUint64Array(raw(8));
    case 11:
      return new BigInt64Array(raw(8));
    case 12:
      return new Float64Array(raw(8));
    case ARRAY:
      throw cursor.file.broken("arrays of arrays are not supported", at, key);
    default:
      throw cursor.file.broken(`unknown array element type ${type}`, at, key);
  }
}

/** A list of strings stays one stretch of bytes: vocabularies are long, and most of their strings are never asked for. */
function readStrings(cursor: Cursor, count: number, key: string): PackedStrings {
  const begin = cursor.position;
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const at = cursor.position;
    const length = cursor.u32(key) + cursor.u32(key) * 2 ** 32;
    cursor.skip(cursor.count(length, 1, key));
    if (cursor.position - begin > 0xffffffff) throw cursor.file.broken("a list of texts is too long", at, key);
    starts[i] = at + 8 - begin;
    ends[i] = cursor.position - begin;
  }
  return { length: count, bytes: cursor.file.read(begin, cursor.position - begin, key), starts, ends };
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
    throw new HunchError("input", `tensors of type ${OTHER_TYPES[number]} are not supported`, place, hint);
  }
  throw file.broken(`unknown tensor type ${number}`, at, name);
}
