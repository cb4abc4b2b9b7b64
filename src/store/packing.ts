// Texts as segments hold them: tokens that there are, END behind each text, as few arrays as hold them.
import { END } from "./corpus.ts";
import { MOST_TOKENS } from "./segment.ts";

/** A text, in parts where it has tokens that are none. */
export function known(text: Int32Array, vocab: number): Int32Array[] {
  const parts: Int32Array[] = [];
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && text[at] >= 0 && text[at] < vocab) continue;
    if (at > from) parts.push(text.subarray(from, at));
    from = at + 1;
  }
  return parts;
}

/** Texts in as few arrays as hold them, END behind each; one that is too long for an array is cut. */
export function* packed(texts: readonly Int32Array[]): Generator<Int32Array> {
  let pack = new Int32Array(0);
  let length = 0;
  const take = () => pack.slice(0, length);
  for (const text of texts) {
    for (let from = 0; from < text.length; from += MOST_TOKENS - 1) {
      const part = text.subarray(from, from + MOST_TOKENS - 1);
      if (length + part.length + 1 > MOST_TOKENS) {
        yield take();
        length = 0;
      }
      if (length + part.length + 1 > pack.length) {
        const larger = new Int32Array(Math.min(MOST_TOKENS, 2 * (length + part.length + 1)));
        larger.set(take());
        pack = larger;
      }
      pack.set(part, length);
      pack[length + part.length] = END;
      length += part.length + 1;
    }
  }
  if (length > 0) yield take();
}

/** One array of several, in their order. */
export function joined(parts: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
