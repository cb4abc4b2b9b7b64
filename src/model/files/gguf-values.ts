// Metadata values of GGUF: numbers, texts and lists of them. No length is believed before the file is seen to hold it.
import { HunchError } from "../../errors.ts";
import type { Cursor } from "./reader.ts";
import type { PackedStrings } from "../tokenizers/strings.ts";

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

const STRING = 8, ARRAY = 9;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A text of at most `longest` bytes. */
export function readString(cursor: Cursor, longest: number, field: string): string {
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

/** A value of the given type. */
export function readValue(cursor: Cursor, type: number, key: string): GgufValue {
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

/** Bytes that the walk over a list of strings reads at a time. */
const WALK = 1 << 20;

/** A list of strings stays one stretch of bytes: vocabularies are long, and most of their strings are never asked for. */
function readStrings(cursor: Cursor, count: number, key: string): PackedStrings {
  const { file, position: begin } = cursor;
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let view = new DataView(new ArrayBuffer(0));
  let base = begin, at = begin; // `view` shows the file from `base` on
  for (let i = 0; i < count; i++) {
    if (at + 8 > base + view.byteLength) {
      file.check(at, 8, key);
      base = at;
      view = new DataView(file.read(base, Math.min(WALK, file.size - base), key).buffer);
    }
    const length = view.getUint32(at - base, true) + view.getUint32(at - base + 4, true) * 2 ** 32;
    if (length > file.size - at - 8) {
      throw file.broken(`a text of ${length} bytes is longer than the rest of the file`, at, key);
    }
    starts[i] = at + 8 - begin;
    at += 8 + length;
    ends[i] = at - begin;
    if (at - begin > 0xffffffff) throw file.broken("a list of texts is too long", at, key);
  }
  cursor.position = at;
  return { length: count, bytes: file.read(begin, at - begin, key), starts, ends };
}
