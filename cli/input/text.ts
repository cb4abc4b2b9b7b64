// Text from files and stdin: UTF-8, checked, no more of it than can be used, and line by line where there may be many.
import { closeSync, openSync, readSync } from "node:fs";
import { HunchError } from "../../src/errors.ts";
import { stderr, stdin } from "../output/streams.ts";
import { utf8 } from "./utf8.ts";

/** Longest line of --jsonl, in bytes: more is not a request. */
const LONGEST_LINE = 64 * 2 ** 20;
/** Longest text, in bytes, whatever it is for. */
const LONGEST_TEXT = 256 * 2 ** 20;
/** From so many bytes on it is worth finding out how many a prompt may have. */
const LONG_TEXT = 2 ** 20;
const PIECE = 2 ** 16;

/** After this many milliseconds of silence a terminal is told, once, that stdin is being waited for. */
const SILENCE = 2000;

/** What is done with a text that is longer than anybody can use. */
export interface TextLimit {
  /** Most bytes that can be of use; asked once, of long texts only. */
  most(): Promise<number>;
  /** True: the beginning goes. False: the text is refused. */
  readonly keepEnd: boolean;
}

/** A whole file as text, without the line break at its end. Throws as readWholeText does. */
export async function readTextFile(path: string, limit?: TextLimit): Promise<string> {
  return withoutLastBreak(await readWholeText(path, limit));
}

/** A whole file as text. Throws HunchError where it cannot be read, and where it is longer than `limit` allows. */
export async function readWholeText(path: string, limit?: TextLimit): Promise<string> {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    return utf8(await gather(pieces(file, path), path, limit), path);
  } finally {
    closeSync(file);
  }
}

function* pieces(file: number, path: string): Generator<Uint8Array> {
  while (true) {
    const piece = new Uint8Array(PIECE);
    try {
      const length = readSync(file, piece);
      if (length === 0) return;
      yield piece.subarray(0, length);
    } catch (error) {
      throw unreadable(path, error);
    }
  }
}

function unreadable(path: string, error: unknown): HunchError {
  const { code } = error as { code?: string };
  const why = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "this is a folder" : `cannot be read: ${code}`;
  return new HunchError("input", why, { file: path, hint: "name a text file" });
}

/** All of stdin as text, without the line break at its end. Throws HunchError where it is longer than `limit` allows. */
async function readStdin(limit?: TextLimit): Promise<string> {
  return withoutLastBreak(utf8(await gather(stdinChunks(), "stdin", limit), "stdin"));
}

/** A file, or stdin where it is called `-`. */
export async function readText(path: string, limit?: TextLimit): Promise<string> {
  return path === "-" ? await readStdin(limit) : await readTextFile(path, limit);
}

/** Puts pieces together, but never more than is of use: a pipe may have no end. */
async function gather(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  file: string,
  limit?: TextLimit,
): Promise<Uint8Array> {
  let kept: Uint8Array[] = [];
  let size = 0;
  let read = 0;
  let most: number | undefined;
  for await (const piece of pieces) {
    kept.push(piece);
    size += piece.length;
    read += piece.length;
    if (size > LONG_TEXT) most ??= Math.min(await limit?.most() ?? Infinity, LONGEST_TEXT);
    if (most === undefined || size <= most) continue;
    if (!limit?.keepEnd || read > LONGEST_TEXT) {
      const why = most === LONGEST_TEXT || limit?.keepEnd
        ? `this text has more than ${LONGEST_TEXT} bytes`
        : `this text has more than ${most} bytes, and the context cannot hold so many`;
      throw new HunchError("input", why, { file, hint: "give less of it" });
    }
    if (size > 2 * most) {
      kept = [endOf(Buffer.concat(kept), most)];
      size = kept[0].length;
    }
  }
  const all = Buffer.concat(kept);
  return most === undefined ? all : endOf(all, most);
}

/** The last bytes, at most so many, from the beginning of a character on. */
function endOf(bytes: Uint8Array, most: number): Uint8Array {
  let from = Math.max(0, bytes.length - most);
  while (from > 0 && from < bytes.length && (bytes[from] & 0xc0) === 0x80) from++;
  return bytes.slice(from);
}

export class Line {
  /** `number` from 1; no `bytes` where there are too many. */
  constructor(readonly number: number, private readonly bytes: Uint8Array | undefined) {}

  /** True where there is nothing but blanks. */
  get blank(): boolean {
    return this.bytes?.every((byte) => byte === 32 || byte === 9) ?? false;
  }

  /** Throws HunchError where the line is too long, or no text. */
  get text(): string {
    if (this.bytes !== undefined) return utf8(this.bytes, "stdin");
    throw new HunchError("input", `the line is longer than ${LONGEST_LINE} bytes`, {
      file: "stdin",
      hint: "make it shorter",
    });
  }
}

/** Lines of stdin as they come, without their ends. The last one needs none. */
export async function* stdinLines(): AsyncGenerator<Line> {
  let rest: Uint8Array[] = [];
  let size = 0;
  let number = 1;
  let skipping = false;
  for await (let chunk of stdinChunks()) {
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10)) {
      rest.push(chunk.subarray(0, end));
      if (!skipping) yield new Line(number, withoutReturn(Buffer.concat(rest)));
      number++;
      rest = [];
      size = 0;
      skipping = false;
      chunk = chunk.subarray(end + 1);
    }
    if (skipping) continue;
    rest.push(chunk);
    size += chunk.length;
    if (size > LONGEST_LINE) {
      yield new Line(number, undefined);
      rest = [];
      size = 0;
      skipping = true;
    }
  }
  if (size > 0) yield new Line(number, withoutReturn(Buffer.concat(rest)));
}

async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  let told = !stderr.terminal;
  const listen = () =>
    setTimeout(() => {
      if (!told) stderr.line("hunch: waiting for text on stdin (end it with Ctrl-D, or run with < /dev/null)");
      told = true;
    }, SILENCE);
  let silence = listen();
  try {
    for await (const chunk of stdin.chunks()) {
      clearTimeout(silence);
      yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
      silence = listen();
    }
  } finally {
    clearTimeout(silence);
  }
}

function withoutReturn(bytes: Uint8Array): Uint8Array {
  return bytes[bytes.length - 1] === 13 ? bytes.subarray(0, -1) : bytes;
}

function withoutLastBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}
