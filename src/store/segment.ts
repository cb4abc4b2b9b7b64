// A file of a store: some texts and the order of their places (corpus.ts). It is written once and never changed.
//
//   bytes 0–7    "hunchtxt"
//   8–11         version, 1
//   12–15        bytes of the header that follows
//   16–19        CRC-32 of the header and the sums
//   20–          the header: JSON, padded with spaces to 4 bytes
//   then         sums: the CRC-32 of each block of 4096 bytes
//   then         from the next multiple of 4096 on, each from a block of its own and padded with zeros to whole blocks:
//                the tokens, −1 after each text; their places in order; and where there are more tokens than the
//                vocabulary has, how many places have a smaller token before them than 0, 1, … vocab
//
// All numbers are 32 bits wide, least significant byte first.
import { closeSync, fstatSync, openSync, readdirSync } from "node:fs";
import { crc32 } from "node:zlib";
import { OutputFile } from "../output-file.ts";
import { END, type Index, placesOf, startsOf } from "./corpus.ts";
import {
  BLOCK,
  type BlockCache,
  bytesOf,
  DamagedError,
  FileWords,
  readFully,
  sumsOf,
  unreadable,
  WORDS,
} from "./words.ts";

/** Most tokens of a segment, the ends of texts included. */
export const MOST_TOKENS = 2 ** 23;
/** Names of segments in the order of their age: milliseconds since 1970, and a number that nobody else has. */
export const SEGMENT = /^(\d{14})-[0-9a-f]{12}\.texts$/;

/** When a segment was made, in milliseconds since 1970. */
export const timeOf = (name: string) => Number(name.match(SEGMENT)![1]);

/** Names of the segments in a folder, oldest first; none where there is no folder. Throws HunchError. */
export function segmentNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => SEGMENT.test(name)).sort();
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw unreadable(folder, error);
    return []; // somebody removed the store
  }
}

const MAGIC = "hunchtxt";
const VERSION = 1;
const FIRST = 20;
/** Longer headers are none of ours. */
const LONGEST_HEADER = 2 ** 20;

/** Whose tokens a store holds. */
export interface Vocabulary {
  /** As `fingerprintOf` makes it. */
  readonly tokenizer: string;
  /** Tokens are 0 … vocab − 1. */
  readonly vocab: number;
  /** The model that it was made with, for people. */
  readonly model: string;
}

export interface SegmentHeader extends Vocabulary {
  /** Tokens of all texts, with one END behind each. */
  readonly tokens: number;
  readonly texts: number;
  /** Names of segments whose texts are in this one: where they are still there, they count no more. */
  readonly replaces: readonly string[];
}

/**
 * Writes texts, each with END behind it, for their owner alone; the file has its name when it is whole, and where it
 * replaces others no power failure takes it away any more. `places`: their places in order, where they are known.
 */
export function writeSegment(
  path: string,
  text: Int32Array,
  { tokenizer, vocab, model }: Vocabulary,
  replaces: readonly string[],
  places = placesOf(text, vocab),
): void {
  const texts = text.reduce((count, token) => token === END ? count + 1 : count, 0);
  const header: SegmentHeader = { tokenizer, vocab, model, tokens: text.length, texts, replaces };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const parts = hasStarts(header) ? [text, places, startsOf(text, vocab)] : [text, places];
  const sums = parts.flatMap((part) => [...sumsOf(part)]);
  const size = json.length + (4 - json.length % 4) % 4;
  const front = new Uint8Array(bodyAt(size, sums.length)).fill(0x20, FIRST, FIRST + size);
  front.set(new TextEncoder().encode(MAGIC));
  front.set(json, FIRST);
  front.set(bytesOf(Uint32Array.from(sums)), FIRST + size);
  new Uint32Array(front.buffer, 8, 3).set([
    VERSION,
    size,
    crc32(front.subarray(FIRST, FIRST + size + 4 * sums.length)),
  ]);
  const file = new OutputFile(path, { mode: 0o600 });
  try {
    file.write(front);
    for (const part of parts) {
      file.write(bytesOf(part));
      file.write(new Uint8Array(blocksOf(part.length) * BLOCK - part.byteLength));
    }
    file.finish({ durable: replaces.length > 0 });
  } finally {
    file.discard();
  }
}

/** Bytes of the file of so many tokens, but for its header and sums. */
export function segmentBytes(tokens: number, vocab: number): number {
  return BLOCK * blockCounts({ tokens, vocab }).reduce((sum, blocks) => sum + blocks);
}

/** In a smaller one a search over all places is as fast. */
const hasStarts = ({ tokens, vocab }: Pick<SegmentHeader, "tokens" | "vocab">) => tokens > vocab;
const blocksOf = (words: number) => Math.ceil(words / WORDS);
const bodyAt = (header: number, sums: number) => Math.ceil((FIRST + header + 4 * sums) / BLOCK) * BLOCK;

/** Blocks of the tokens, the places and the starts. */
function blockCounts(header: Pick<SegmentHeader, "tokens" | "vocab">): [number, number, number] {
  const { tokens, vocab } = header;
  return [blocksOf(tokens), blocksOf(tokens), hasStarts(header) ? blocksOf(vocab + 1) : 0];
}

export class Segment implements Index {
  private constructor(
    readonly name: string,
    readonly path: string,
    /** Of the file. */
    readonly bytes: number,
    readonly header: SegmentHeader,
    readonly text: FileWords,
    readonly places: FileWords,
    readonly starts: FileWords | undefined,
    private readonly descriptor: number,
  ) {}

  /**
   * Opens a segment: reads its header and sums alone. Throws DamagedError where it is not whole; the system's error
   * where it cannot be read.
   */
  static open(path: string, name: string, cache: BlockCache): Segment {
    const descriptor = openSync(path, "r");
    try {
      const { size } = fstatSync(descriptor);
      const { header, sums, body } = readFront(descriptor, path, name, size);
      let block = 0;
      const part = (length: number, blocks: number) => {
        const from = block;
        block += blocks;
        return new FileWords({ path, descriptor }, body + from * BLOCK, length, sums.subarray(from, block), cache);
      };
      const [text, places, starts] = blockCounts(header);
      return new Segment(
        name,
        path,
        size,
        header,
        part(header.tokens, text),
        part(header.tokens, places),
        hasStarts(header) ? part(header.vocab + 1, starts) : undefined,
        descriptor,
      );
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** [≤ tokens] What is as it was written and a token, 0 … vocab − 1, END behind each text; at most how many are not. */
  wholeTexts(vocab: number): { readonly text: Int32Array; readonly lost: number } {
    let lost = 0;
    const text = this.text.all(() => lost += WORDS, END);
    for (let at = 0; at < text.length; at++) {
      if (text[at] >= END && text[at] < vocab) continue;
      text[at] = END;
      lost++;
    }
    if (lost === 0) return { text, lost };
    const ended = new Int32Array(text.length + 1).fill(END);
    ended.set(text);
    return { text: ended.filter((token, at) => token !== END || at > 0 && ended[at - 1] !== END), lost };
  }

  /** [tokens] The places in order; undefined where they are not as they were written. */
  wholePlaces(): Int32Array | undefined {
    let whole = true;
    const places = this.places.all(() => whole = false);
    return whole ? places : undefined;
  }

  /** Reads every block. Throws DamagedError where one is not as it was written. */
  verify(): void {
    for (const words of [this.text, this.places, this.starts]) {
      words?.all((error) => {
        throw error;
      });
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** Header and sums, each checked before it is believed. */
function readFront(descriptor: number, path: string, name: string, size: number) {
  const refuse = (why: string, offset?: number) => new DamagedError(why, path, offset);
  const first = new Uint8Array(FIRST);
  if (readFully(descriptor, first, 0) < FIRST) throw refuse("it ends before its header", size);
  if (new TextDecoder().decode(first.subarray(0, 8)) !== MAGIC) {
    throw refuse("it does not begin as a store's file does");
  }
  const [version, length, sum] = new Uint32Array(first.slice(8).buffer);
  if (version !== VERSION) throw refuse(`its version is ${version}, and this hunch reads ${VERSION}`, 8);
  if (length > LONGEST_HEADER || length % 4 !== 0) throw refuse(`its header has ${length} bytes`, 12);
  const head = new Uint8Array(length);
  if (readFully(descriptor, head, FIRST) < length) throw refuse("it ends in its header", size);
  const header = parseHeader(head, name) ?? fail(refuse("its header cannot be read", FIRST));
  const count = blockCounts(header).reduce((sum, blocks) => sum + blocks);
  const body = bodyAt(length, count);
  if (size !== body + count * BLOCK) {
    throw refuse(`it has ${size} bytes where its header makes ${body + count * BLOCK}`);
  }
  const sums = new Uint8Array(4 * count);
  readFully(descriptor, sums, FIRST + length);
  if (crc32(sums, crc32(head)) !== sum) throw refuse("its header is not what was written", FIRST);
  return { header, sums: new Uint32Array(sums.buffer), body };
}

function fail(error: Error): never {
  throw error;
}

function parseHeader(bytes: Uint8Array, name: string): SegmentHeader | undefined {
  try {
    const header = JSON.parse(new TextDecoder().decode(bytes)) as SegmentHeader;
    const counts = [header.tokens, header.texts, header.vocab].every((n) =>
      Number.isInteger(n) && n >= 0 && n < 2 ** 24
    );
    const texts = typeof header.tokenizer === "string" && typeof header.model === "string";
    const others = Array.isArray(header.replaces) &&
      header.replaces.every((other) => typeof other === "string" && SEGMENT.test(other) && other !== name);
    const fits = counts && texts && others && header.texts <= header.tokens && header.tokens <= MOST_TOKENS;
    return fits ? header : undefined;
  } catch {
    return undefined;
  }
}
