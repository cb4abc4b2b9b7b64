// Text from files and stdin: UTF-8, checked, and line by line where there may be many.
import { readFileSync } from "node:fs";
import { HunchError } from "../src/errors.ts";
import { stderr } from "./output/streams.ts";

/** Longest line of --jsonl, in bytes: more is not a request. */
const LONGEST_LINE = 64 * 2 ** 20;

/** After this many milliseconds of silence a terminal is told that stdin is being waited for. */
const SILENCE = 2000;

/** Decodes UTF-8 (a byte order mark is dropped). Throws HunchError naming the first byte that is not. */
export function utf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HunchError(
      "input",
      "not UTF-8 text",
      { file, offset: firstBad(bytes) },
      "convert it, as with iconv -t utf-8",
    );
  }
}

/** Where decoding first fails: the longest prefix that decodes, found by halving. */
function firstBad(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return Math.max(0, bad - 1);
}

/** A whole file as text, without the line break at its end. Throws HunchError where it cannot be read. */
export function readTextFile(path: string): string {
  return withoutLastBreak(readWholeText(path));
}

/** A whole file as text. Throws HunchError where it cannot be read. */
export function readWholeText(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as { code?: string };
    const why = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "this is a folder" : `cannot be read: ${code}`;
    throw new HunchError("input", why, { file: path }, "name a text file");
  }
  return utf8(bytes, path);
}

/** All of stdin as text, without the line break at its end. */
export async function readStdin(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdinChunks()) chunks.push(chunk);
  return withoutLastBreak(utf8(Buffer.concat(chunks), "stdin"));
}

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Lines of stdin as they come, without their ends. The last one needs none. */
export async function* stdinLines(): AsyncGenerator<Line> {
  let rest: Uint8Array[] = [];
  let size = 0;
  let number = 0;
  for await (let chunk of stdinChunks()) {
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10)) {
      rest.push(chunk.subarray(0, end));
      yield { number: ++number, bytes: withoutReturn(Buffer.concat(rest)) };
      rest = [];
      size = 0;
      chunk = chunk.subarray(end + 1);
    }
    rest.push(chunk);
    size += chunk.length;
    if (size > LONGEST_LINE) {
      throw new HunchError("input", `line ${number + 1} is longer than ${LONGEST_LINE} bytes`, { file: "stdin" });
    }
  }
  if (size > 0) yield { number: ++number, bytes: withoutReturn(Buffer.concat(rest)) };
}

async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  const notice = setTimeout(() => {
    if (stderr.terminal) stderr.line("hunch: waiting for text on stdin (end it with Ctrl-D, or run with < /dev/null)");
  }, SILENCE);
  try {
    for await (const chunk of process.stdin) {
      clearTimeout(notice);
      yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk as Uint8Array;
    }
  } finally {
    clearTimeout(notice);
  }
}

function withoutReturn(bytes: Uint8Array): Uint8Array {
  return bytes[bytes.length - 1] === 13 ? bytes.subarray(0, -1) : bytes;
}

function withoutLastBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}
