// Bytes to text, with the place of the first byte that is none.
import { HunchError } from "../../src/errors.ts";

/** Decodes UTF-8 (a byte order mark is dropped). Throws HunchError naming the first byte that is no text. */
export function utf8(bytes: Uint8Array, file: string): string {
  const hint = isWide(bytes)
    ? "this looks like UTF-16; convert it, as with iconv -f utf-16 -t utf-8"
    : "convert it, as with iconv -f latin1 -t utf-8";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HunchError("input", "not UTF-8 text", { file, offset: firstBad(bytes), hint });
  }
  const nul = bytes.indexOf(0);
  if (nul < 0) return text;
  const what = isWide(bytes) ? hint : "give a text file";
  throw new HunchError("input", "not text: there is a NUL byte", { file, offset: nul, hint: what });
}

/** UTF-16, by its mark, or by zeros at every other byte of text in a European language. */
function isWide(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const start = bytes.subarray(0, 64);
  const [even, odd] = [0, 1].map((side) => start.filter((byte, i) => i % 2 === side && byte === 0).length);
  return Math.max(even, odd) * 4 > start.length && Math.min(even, odd) * 8 < start.length;
}

/** Where the first bytes that make no character begin: the longest prefix that decodes, found by halving. */
function firstBad(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  // The prefix may end inside a character; that is where what is wrong begins.
  for (let start = good - 1; start >= Math.max(0, good - 3); start--) {
    const length = [[0xf0, 4], [0xe0, 3], [0xc0, 2]].find(([lead]) => bytes[start] >= lead)?.[1] ?? 1;
    if (length > good - start) return start;
    if (bytes[start] >= 0xc0 || bytes[start] < 0x80) break;
  }
  return good;
}
