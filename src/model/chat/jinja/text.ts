// Text in a template, and which parts of it came from a message.
//
// What the template itself wrote is a plain string. What a message said is `Said`: the text with the spans that were
// said. Whatever moves text (slices, joins, replacements) goes through `cut` and `glue`, which keep the spans; whatever
// makes new letters of it (`upper`, `tojson`) marks all of its result. Looking at text (`in`, `==`, `length`) sees the
// text alone. So the prompt can be encoded with special tokens where the template wrote them, and only there.

import type { Meter } from "./meter.ts";

export class Said {
  /** `spans`: [from, to, from, to, …] in UTF-16 units, ascending, none empty, none touching. */
  constructor(readonly text: string, readonly spans: readonly number[]) {}
}

/** Python's `str`. */
export type Str = string | Said;

export function isStr(value: unknown): value is Str {
  return typeof value === "string" || value instanceof Said;
}

export function plain(text: Str): string {
  return typeof text === "string" ? text : text.text;
}

/** All of a message's text. */
export function said(text: string): Str {
  return text === "" ? "" : new Said(text, [0, text.length]);
}

/** `text` in place of `original`: said where any of that was. */
export function like(original: Str, text: string): Str {
  return typeof original === "string" ? text : said(text);
}

/** UTF-16 units `from` to `to` (exclusive). */
export function cut(text: Str, from: number, to: number): Str {
  if (typeof text === "string") return text.slice(from, to);
  // The first span that ends behind `from`, by halving.
  let low = 0, high = text.spans.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (text.spans[2 * middle + 1] > from) high = middle;
    else low = middle + 1;
  }
  const spans: number[] = [];
  for (let i = 2 * low; i < text.spans.length && text.spans[i] < to; i += 2) {
    spans.push(Math.max(from, text.spans[i]) - from, Math.min(to, text.spans[i + 1]) - from);
  }
  const part = text.text.slice(from, to);
  return spans.length > 0 ? new Said(part, spans) : part;
}

export function glue(parts: readonly Str[], between: Str = ""): Str {
  if (typeof between === "string" && parts.every((part) => typeof part === "string")) return parts.join(between);
  let at = 0;
  const texts: string[] = [];
  const spans: number[] = [];
  const add = (part: Str) => {
    if (typeof part === "string") texts.push(part);
    else {
      texts.push(part.text);
      for (let i = 0; i < part.spans.length; i += 2) {
        if (spans.length > 0 && spans[spans.length - 1] === at + part.spans[i]) spans.pop();
        else spans.push(at + part.spans[i]);
        spans.push(at + part.spans[i + 1]);
      }
    }
    at += plain(part).length;
  };
  parts.forEach((part, i) => {
    if (i > 0) add(between);
    add(part);
  });
  return spans.length > 0 ? new Said(texts.join(""), spans) : texts.join("");
}

const ASTRAL = /[\ud800-\udbff][\udc00-\udfff]/;

/** Python's length: code points. */
export function points(meter: Meter, text: string): number {
  meter.spend(text.length / 64);
  if (!ASTRAL.test(text)) return text.length;
  meter.letters(text.length);
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Where each code point begins, and the end: [points + 1]; undefined where that is the index itself. */
export function starts(meter: Meter, text: string): number[] | undefined {
  meter.spend(text.length / 64);
  if (!ASTRAL.test(text)) return undefined;
  meter.letters(text.length);
  const at: number[] = [];
  let offset = 0;
  for (const point of text) {
    at.push(offset);
    offset += point.length;
  }
  at.push(offset);
  return at;
}

/** One text for each code point. */
export function letters(meter: Meter, text: Str): Str[] {
  meter.letters(plain(text).length);
  if (typeof text === "string") return Array.from(text);
  const out: Str[] = [];
  let at = 0;
  for (const point of text.text) out.push(cut(text, at, at += point.length));
  return out;
}
