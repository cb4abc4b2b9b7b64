// Many short strings without a JavaScript string for each: a vocabulary of 49,152 tokens is ready in milliseconds.
import { HunchError, type Place } from "../../errors.ts";

/** UTF-8 strings inside one buffer: string `i` is `bytes[starts[i] … ends[i])`. */
export interface PackedStrings {
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array; // [length]
  readonly ends: Uint32Array; // [length]
}

const encoder = new TextEncoder();
// A token may be part of a character: broken UTF-8 becomes U+FFFD, and a byte order mark is text like any other.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** String `index` of `strings`, broken UTF-8 replaced by U+FFFD. */
export function unpack(strings: PackedStrings, index: number): string {
  return decoder.decode(strings.bytes.subarray(strings.starts[index], strings.ends[index]));
}

/** Bytes as text, broken UTF-8 replaced by U+FFFD. */
export function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Packs JavaScript strings (lone surrogates become U+FFFD). */
export function pack(strings: readonly string[]): PackedStrings {
  let bytes = new Uint8Array(Math.max(64, strings.length * 12));
  const starts = new Uint32Array(strings.length);
  const ends = new Uint32Array(strings.length);
  let at = 0;
  for (let i = 0; i < strings.length; i++) {
    const most = strings[i].length * 3;
    if (at + most > bytes.length) {
      const larger = new Uint8Array(Math.max(bytes.length * 2, at + most));
      larger.set(bytes.subarray(0, at));
      bytes = larger;
    }
    starts[i] = at;
    at += encoder.encodeInto(strings[i], bytes.subarray(at)).written;
    ends[i] = at;
  }
  return { length: strings.length, bytes: bytes.subarray(0, at), starts, ends };
}

/**
 * A metadata value as packed strings: either packed already, or an array of strings.
 * Throws HunchError("input") naming the field where it is neither.
 */
export function asPackedStrings(value: unknown, place: Place): PackedStrings {
  if (Array.isArray(value) && value.every((item): item is string => typeof item === "string")) return pack(value);
  if (isPacked(value)) return value;
  throw new HunchError("input", value === undefined ? "a list is missing" : "this is no list of strings", place);
}

function isPacked(value: unknown): value is PackedStrings {
  return typeof value === "object" && value !== null && "bytes" in value && value.bytes instanceof Uint8Array &&
    "starts" in value && value.starts instanceof Uint32Array && "ends" in value && value.ends instanceof Uint32Array &&
    "length" in value && value.length === value.starts.length && value.length === value.ends.length;
}
