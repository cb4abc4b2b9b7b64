// A template's text as tokens, by the rules of Jinja 3.1 with `trim_blocks` and `lstrip_blocks`: a line break after a
// block goes, blanks before a block at the beginning of a line go, `-` takes all white space, `+` keeps it.
import { TemplateError } from "./meter.ts";

export type TokenKind =
  | "data"
  | "begin"
  | "end"
  | "print"
  | "endprint"
  | "name"
  | "text"
  | "int"
  | "float"
  | "op"
  | "eof";

export interface Token {
  readonly kind: TokenKind;
  /** Of numbers their digits; of `text` what it says. */
  readonly value: string;
  readonly line: number;
}

/** Python's white space: `\s` and str.isspace(). */
export const BLANKS = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const sticky = (pattern: string) => new RegExp(pattern.replaceAll("\\s", `[${BLANKS}]`), "yu");
const OPEN = /\{[%{#]/g;
const RAW = sticky("\\{%([-+]?)\\s*raw\\s*(?:-%\\}\\s*|%\\})");
const END_RAW = new RegExp(`\\{%([-+]?)[${BLANKS}]*endraw[${BLANKS}]*(?:\\+%\\}|-%\\}[${BLANKS}]*|%\\}\\n?)`, "gu");
const END_COMMENT = new RegExp(`\\+#\\}|-#\\}[${BLANKS}]*|#\\}\\n?`, "gu");
const END_BLOCK = sticky("\\+%\\}|-%\\}\\s*|%\\}\\n?");
const END_PRINT = sticky("-\\}\\}\\s*|\\}\\}");
const SPACE = sticky("\\s+");
const FLOAT = sticky("(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)");
const INT = sticky("0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\\da-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");
const NAME = sticky("[\\p{L}\\p{N}\\p{M}_]+");
const TEXT = sticky("'[^'\\\\]*(?:\\\\[^][^'\\\\]*)*'|\"[^\"\\\\]*(?:\\\\[^][^\"\\\\]*)*\"");
const OPERATOR = sticky("//|\\*\\*|==|!=|>=|<=|[-+/*%~[\\](){}><=.:|,;]");
const CLOSES: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const ALL_BLANK = new RegExp(`^[${BLANKS}]+$`, "u");

/** Throws TemplateError where the text is no template. */
export function tokenize(given: string): Token[] {
  const source = given.replaceAll(/\r\n?/g, "\n").replace(/\n$/, "");
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  /** True where the last tag took a line break with it, and at the beginning. */
  let lineStarts = true;

  const push = (kind: TokenKind, value: string) => {
    tokens.push({ kind, value, line });
  };
  const advance = (to: number) => {
    for (let i = source.indexOf("\n", at); i >= 0 && i < to; i = source.indexOf("\n", i + 1)) line++;
    lineStarts = to > at && source[to - 1] === "\n";
    at = to;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const fail = (message: string): TemplateError => new TemplateError(`${message} (line ${line})`);
  /** Text before a tag, without the blanks that the tag takes. */
  const data = (text: string, sign: string, block: boolean) => {
    if (sign === "-") text = trimEnd(text);
    else if (sign !== "+" && block) {
      const start = text.lastIndexOf("\n") + 1;
      if ((start > 0 || lineStarts) && ALL_BLANK.test(text.slice(start))) text = text.slice(0, start);
    }
    if (text !== "") push("data", text);
  };
  const search = (pattern: RegExp, what: string): RegExpExecArray => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found === null) throw fail(`missing end of ${what}`);
    return found;
  };
  const inside = (end: RegExp, kind: "end" | "endprint") => {
    const open: string[] = [];
    while (true) {
      const closing = open.length === 0 ? match(end) : undefined;
      if (closing !== undefined) {
        push(kind, "");
        return advance(at + closing.length);
      }
      let word = match(SPACE);
      if (word === undefined) {
        if ((word = match(FLOAT)) !== undefined) push("float", word.replaceAll("_", ""));
        else if ((word = match(INT)) !== undefined) push("int", word.replaceAll("_", ""));
        else if ((word = match(NAME)) !== undefined) {
          if (!/^[\p{L}\p{Nl}_]/u.test(word)) throw fail("invalid character in identifier");
          push("name", word);
        } else if ((word = match(TEXT)) !== undefined) push("text", unescape(word.slice(1, -1), fail));
        else if ((word = match(OPERATOR)) !== undefined) {
          if (word in CLOSES) open.push(CLOSES[word]);
          else if (word === ")" || word === "]" || word === "}") {
            const expected = open.pop();
            if (expected === undefined) throw fail(`unexpected '${word}'`);
            if (expected !== word) throw fail(`unexpected '${word}', expected '${expected}'`);
          }
          push("op", word);
        } else if (at < source.length) throw fail(`unexpected char ${JSON.stringify(source[at])}`);
        else return;
      }
      advance(at + word.length);
    }
  };

  while (at < source.length) {
    OPEN.lastIndex = at;
    const start = OPEN.exec(source)?.index ?? -1;
    if (start < 0) {
      push("data", source.slice(at));
      break;
    }
    const text = source.slice(at, start);
    RAW.lastIndex = start;
    const raw = RAW.exec(source);
    if (raw) {
      data(text, raw[1], true);
      advance(start + raw[0].length);
      const end = search(END_RAW, "raw directive");
      data(source.slice(at, end.index), end[1], true);
      advance(end.index + end[0].length);
      continue;
    }
    const sign = /[-+]/.test(source[start + 2] ?? "") ? source[start + 2] : "";
    const kind = source[start + 1];
    data(text, sign, kind !== "{");
    advance(start + 2 + sign.length);
    if (kind === "#") {
      const end = search(END_COMMENT, "comment tag");
      advance(end.index + end[0].length);
    } else {
      push(kind === "%" ? "begin" : "print", "");
      inside(kind === "%" ? END_BLOCK : END_PRINT, kind === "%" ? "end" : "endprint");
    }
  }
  push("eof", "");
  return tokens;
}

/** A regular expression would look at every blank of a long run from every blank. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ALL_BLANK.test(text[end - 1])) end--;
  return text.slice(0, end);
}

const SIMPLE: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\n": "",
};

/** As Python decodes "unicode-escape"; a backslash before another character stays. */
function unescape(text: string, fail: (message: string) => TemplateError): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/gu, (
    whole,
    octal: string | undefined,
    ...rest: (string | undefined)[]
  ) => {
    const hex = rest[0] ?? rest[1] ?? rest[2];
    const character = rest[3];
    if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
    if (hex !== undefined) {
      const point = parseInt(hex, 16);
      if (point > 0x10ffff) throw fail("illegal Unicode character");
      return String.fromCodePoint(point);
    }
    if (character === undefined) return whole;
    if (character in SIMPLE) return SIMPLE[character];
    if ("xuU".includes(character)) throw fail(`truncated \\${character} escape`);
    if (character === "N") throw fail("characters by name, \\N{…}, are not supported");
    const point = character.codePointAt(0)!;
    if (point < 0x80) return whole;
    // Jinja writes such characters as escapes first, and the backslash before eats that of the escape.
    const digits = point.toString(16);
    return point < 0x100
      ? `\\x${digits}`
      : point < 0x10000
      ? `\\u${digits.padStart(4, "0")}`
      : `\\U${digits.padStart(8, "0")}`;
  });
}
