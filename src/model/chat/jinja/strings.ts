// The methods of Python's str. They look at the plain text; what they return is cut from the text or glued, so that
// it keeps which parts were said.
import { bind, needInt, needPlain, needText } from "./bind.ts";
import { iterate } from "./compare.ts";
import { capitalize, caseFold, CLASSES, SPACE, swapCase, title } from "./letters.ts";
import { type Meter, TemplateError } from "./meter.ts";
import { Pieces } from "./pieces.ts";
import { cut, glue, like, plain, points, starts, type Str } from "./text.ts";
import { type Arguments, List, textOf, Tuple, typeName, type Value } from "./values.ts";

export type Method = (meter: Meter, self: Str, args: Arguments) => Value;

/** Text in place of all of `self`. */
function changed(meter: Meter, self: Str, change: (text: string) => string): Str {
  meter.text(plain(self).length * 3);
  meter.letters(plain(self).length);
  return like(self, change(plain(self)));
}

const simple = (name: string, change: (text: string) => string): Method => (meter, self, args) => {
  bind(name, args, []);
  return changed(meter, self, change);
};

/** UTF-16 offsets of a window that is given in code points, as slices are. */
function windowOf(
  meter: Meter,
  self: string,
  from: Value | undefined,
  to: Value | undefined,
  what: string,
): [number, number] {
  if ((from ?? null) === null && (to ?? null) === null) return [0, self.length];
  const at = starts(meter, self);
  const count = at ? at.length - 1 : self.length;
  const place = (value: Value | undefined, fallback: number) => {
    const index = value === null ? fallback : needInt(what, value, fallback);
    return index < 0 ? Math.max(0, index + count) : index;
  };
  const start = place(from, 0), end = Math.min(count, place(to, count));
  if (start > count) return [self.length + 1, self.length];
  return at ? [at[start], at[end]] : [start, end];
}

/** Where `needle` is in the window: the first or the last place; −1 where it is nowhere. */
const search = (name: string, last: boolean, refusal?: string): Method => (meter, self, args) => {
  const [sub, from, to] = bind(name, args, ["sub", "start", "end"], 1);
  const text = plain(self), needle = needPlain(name, sub);
  meter.search(text.length, needle.length);
  const [start, end] = windowOf(meter, text, from, to, name);
  const part = text.slice(start, end);
  const found = start > text.length || start > end ? -1 : last ? part.lastIndexOf(needle) : part.indexOf(needle);
  if (found < 0 && refusal !== undefined) throw new TemplateError(refusal);
  return BigInt(found < 0 ? -1 : points(meter, text.slice(0, start + found)));
};

const edge = (name: string, at: "start" | "end"): Method => (meter, self, args) => {
  const [prefix, from, to] = bind(name, args, ["prefix", "start", "end"], 1);
  const text = plain(self);
  const [start, end] = windowOf(meter, text, from, to, name);
  const options = prefix instanceof Tuple ? prefix.items : [prefix!];
  return options.some((option) => {
    const word = needPlain(name, option);
    meter.spend(1 + word.length / 32);
    if (start > text.length || start > end) return false;
    if (word.length > end - start) return false;
    return at === "start" ? text.startsWith(word, start) : text.endsWith(word, end);
  });
};

const strip = (name: string, left: boolean, right: boolean): Method => (meter, self, args) => {
  const [chars] = bind(name, args, ["chars"]);
  return stripped(meter, self, chars === undefined || chars === null ? undefined : needPlain(name, chars), left, right);
};

/** Without these characters (by default white space) at its ends. */
export function stripped(meter: Meter, self: Str, chars?: string, left = true, right = true): Str {
  const text = plain(self);
  meter.text(text.length);
  meter.letters(chars?.length ?? 0);
  const set = chars === undefined ? undefined : new Set(chars);
  const goes = (character: string) => set ? set.has(character) : SPACE.test(character);
  let from = 0, to = text.length;
  while (left && from < to) {
    const character = String.fromCodePoint(text.codePointAt(from)!);
    meter.letters(1);
    if (!goes(character)) break;
    from += character.length;
  }
  while (right && to > from) {
    meter.letters(1);
    const pair = to - from > 1 && /[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(to - 2, to));
    if (!goes(text.slice(pair ? to - 2 : to - 1, to))) break;
    to -= pair ? 2 : 1;
  }
  return cut(self, from, to);
}

export function replaced(meter: Meter, self: Str, old: string, fresh: Str, count: number): Str {
  const text = plain(self);
  meter.search(text.length, old.length);
  const pieces = new Pieces(meter);
  let at = 0;
  if (old === "") {
    const each = starts(meter, text);
    const places = each ? each.length : text.length + 1;
    for (let i = 0; i < places && (count < 0 || i < count); i++) {
      const place = each ? each[i] : i;
      pieces.add(cut(self, at, place));
      pieces.add(fresh);
      at = place;
    }
  } else {
    for (let left = count; left !== 0; left--) {
      const found = text.indexOf(old, at);
      if (found < 0) break;
      pieces.add(cut(self, at, found));
      pieces.add(fresh);
      at = found + old.length;
    }
  }
  pieces.add(cut(self, at, text.length));
  return pieces.whole();
}

const split = (name: string, fromRight: boolean): Method => (meter, self, args) => {
  const [separator, most] = bind(name, args, ["sep", "maxsplit"]);
  const limit = needInt(name, most, -1);
  const text = plain(self);
  const cuts: [number, number][] = []; // what goes, from left to right
  if (separator === undefined || separator === null) return blanks(meter, self, limit, fromRight);
  const word = needPlain(name, separator);
  if (word === "") throw new TemplateError("empty separator");
  meter.search(text.length, word.length);
  let at = fromRight ? text.length : 0;
  while (limit < 0 || cuts.length < limit) {
    const found = fromRight ? at < word.length ? -1 : text.lastIndexOf(word, at - word.length) : text.indexOf(word, at);
    if (found < 0) break;
    cuts.push([found, found + word.length]);
    at = fromRight ? found : found + word.length;
  }
  if (fromRight) cuts.reverse();
  return parted(meter, self, cuts);
};

function parted(meter: Meter, self: Str, cuts: readonly (readonly [number, number])[]): List {
  meter.items(4 * cuts.length);
  const parts: Str[] = [];
  let at = 0;
  for (const [from, to] of cuts) {
    meter.spend(1);
    parts.push(cut(self, at, from));
    at = to;
  }
  parts.push(cut(self, at, plain(self).length));
  return new List(parts);
}

/** Words between white space; what is left after `limit` of them keeps its inner white space. */
function blanks(meter: Meter, self: Str, limit: number, fromRight: boolean): List {
  const text = plain(self);
  meter.text(text.length);
  meter.letters(text.length);
  const words: [number, number][] = [];
  for (let at = 0; at < text.length;) {
    while (at < text.length && SPACE.test(text[at])) at++;
    const from = at;
    while (at < text.length && !SPACE.test(text[at])) at++;
    if (at > from) words.push([from, at]);
  }
  meter.items(4 * words.length);
  if (limit >= 0 && words.length > limit) {
    // What was not split goes on to the end, but for white space there where it is the right one's to cut.
    if (fromRight) words.splice(0, words.length - limit, [0, words[words.length - limit - 1][1]]);
    else words.splice(limit, words.length, [words[limit][0], text.length]);
  }
  return new List(words.map(([from, to]) => cut(self, from, to)));
}

const LINE_BREAK = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g;

export function lines(meter: Meter, self: Str, keepEnds = false): Str[] {
  const text = plain(self);
  meter.text(text.length);
  const out: Str[] = [];
  let at = 0;
  for (const found of text.matchAll(LINE_BREAK)) {
    meter.letters(1);
    const end = found.index + found[0].length;
    out.push(cut(self, at, keepEnds ? end : found.index));
    at = end;
  }
  if (at < text.length) out.push(cut(self, at, text.length));
  meter.items(4 * out.length);
  return out;
}

/** Filled up to a width with one character on either side. */
export function padded(meter: Meter, self: Str, left: number, right: number, fill: string): Str {
  if (left <= 0 && right <= 0) return self;
  meter.text(plain(self).length + Math.max(0, left) + Math.max(0, right));
  return glue([fill.repeat(Math.max(0, left)), self, fill.repeat(Math.max(0, right))]);
}

const pad =
  (name: string, sides: (missing: number, width: number) => [number, number]): Method => (meter, self, args) => {
    const [width, fill] = bind(name, args, ["width", "fillchar"], 1);
    const character = fill === undefined ? " " : needPlain(name, fill);
    if (points(meter, character) !== 1) {
      throw new TemplateError("the fill character must be exactly one character long");
    }
    const wanted = needInt(name, width, 0);
    const missing = wanted - points(meter, plain(self));
    return missing <= 0 ? self : padded(meter, self, ...sides(missing, wanted), character);
  };

/** Where the odd blank goes depends on the width, in CPython. */
export function centred(missing: number, width: number): [number, number] {
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return [left, missing - left];
}

const partition = (name: string, last: boolean): Method => (meter, self, args) => {
  const [separator] = bind(name, args, ["sep"], 1);
  const text = plain(self), word = needPlain(name, separator);
  if (word === "") throw new TemplateError("empty separator");
  meter.search(text.length, word.length);
  const found = last ? text.lastIndexOf(word) : text.indexOf(word);
  if (found < 0) return new Tuple(last ? ["", "", self] : [self, "", ""]);
  const end = found + word.length;
  return new Tuple([cut(self, 0, found), cut(self, found, end), cut(self, end, text.length)]);
};

/** Texts with `self` between them; `convert` makes texts of the elements. */
export function joined(meter: Meter, self: Str, items: Iterable<Value>, convert: (item: Value) => Str): Str {
  const parts: Str[] = [];
  let size = 0;
  for (const item of items) {
    const part = convert(item);
    size += plain(part).length + (parts.length > 0 ? plain(self).length : 0);
    meter.fits(size);
    parts.push(part);
  }
  meter.text(size);
  return glue(parts, self);
}

function expandTabs(meter: Meter, self: Str, width: number): Str {
  const parts: Str[] = [];
  let column = 0, size = 0;
  const text = plain(self);
  meter.letters(text.length);
  meter.text(text.length);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\n" || text[i] === "\r") column = 0;
    else if (text[i] !== "\t") column += (text.charCodeAt(i) & 0xfc00) === 0xdc00 ? 0 : 1;
    else {
      const blanks = width > 0 ? width - column % width : 0;
      meter.text(size += i - at + blanks);
      parts.push(cut(self, at, i), " ".repeat(blanks));
      column += blanks;
      at = i + 1;
    }
  }
  parts.push(cut(self, at, text.length));
  return glue(parts);
}

/** All but `format` and `format_map`, which look into their arguments: see access.ts. */
export const STRING_METHODS: Readonly<Record<string, Method>> = {
  capitalize: simple("capitalize", capitalize),
  casefold: simple("casefold", caseFold),
  lower: simple("lower", (text) => text.toLowerCase()),
  swapcase: simple("swapcase", swapCase),
  title: simple("title", title),
  upper: simple("upper", (text) => text.toUpperCase()),
  center: pad("center", centred),
  ljust: pad("ljust", (missing) => [0, missing]),
  rjust: pad("rjust", (missing) => [missing, 0]),
  zfill: (meter, self, args) => {
    const [width] = bind("zfill", args, ["width"], 1);
    const missing = needInt("zfill", width, 0) - points(meter, plain(self));
    if (missing <= 0) return self;
    const sign = /^[+-]/.test(plain(self)) ? 1 : 0;
    meter.text(plain(self).length + missing);
    return glue([cut(self, 0, sign), "0".repeat(missing), cut(self, sign, plain(self).length)]);
  },
  count: (meter, self, args) => {
    const [sub, from, to] = bind("count", args, ["sub", "start", "end"], 1);
    const text = plain(self), word = needPlain("count", sub);
    meter.search(text.length, word.length);
    const [start, end] = windowOf(meter, text, from, to, "count");
    if (start > text.length || start > end) return 0n;
    const part = text.slice(start, end);
    return BigInt(word === "" ? points(meter, part) + 1 : part.split(word).length - 1);
  },
  endswith: edge("endswith", "end"),
  startswith: edge("startswith", "start"),
  find: search("find", false),
  rfind: search("rfind", true),
  index: search("index", false, "substring not found"),
  rindex: search("rindex", true, "substring not found"),
  expandtabs: (meter, self, args) => {
    const [width] = bind("expandtabs", args, ["tabsize"]);
    return expandTabs(meter, self, needInt("expandtabs", width, 8));
  },
  join: (meter, self, args) => {
    const [items] = bind("join", args, ["iterable"], 1);
    return joined(meter, self, iterate(meter, items!), (item) => {
      const text = textOf(item);
      if (text !== undefined) return text;
      throw new TemplateError(`join: expected str instance, ${typeName(item)} found`);
    });
  },
  lstrip: strip("lstrip", true, false),
  rstrip: strip("rstrip", false, true),
  strip: strip("strip", true, true),
  partition: partition("partition", false),
  rpartition: partition("rpartition", true),
  removeprefix: (_, self, args) => {
    const word = needPlain("removeprefix", bind("removeprefix", args, ["prefix"], 1)[0]);
    return word !== "" && plain(self).startsWith(word) ? cut(self, word.length, plain(self).length) : self;
  },
  removesuffix: (_, self, args) => {
    const word = needPlain("removesuffix", bind("removesuffix", args, ["suffix"], 1)[0]);
    return word !== "" && plain(self).endsWith(word) ? cut(self, 0, plain(self).length - word.length) : self;
  },
  replace: (meter, self, args) => {
    const [old, fresh, count] = bind("replace", args, ["old", "new", "count"], 2);
    return replaced(meter, self, needPlain("replace", old), needText("replace", fresh), needInt("replace", count, -1));
  },
  split: split("split", false),
  rsplit: split("rsplit", true),
  splitlines: (meter, self, args) => {
    const [keep] = bind("splitlines", args, ["keepends"]);
    return new List(lines(meter, self, needInt("splitlines", keep, 0) !== 0));
  },
  ...Object.fromEntries(
    Object.entries(CLASSES).map(([name, test]): [string, Method] => [name, (meter, self, args) => {
      bind(name, args, []);
      meter.letters(plain(self).length);
      return test(plain(self));
    }]),
  ),
};
