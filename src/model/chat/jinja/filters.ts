// What stands behind a bar, first part: texts, numbers, and the table of all. Lists are in list-filters.ts.
import { bind, needInt, needPlain } from "./bind.ts";
import type { Filter, Filters } from "./calls.ts";
import { elements, iterate, length, sorted } from "./compare.ts";
import { formatValue } from "./format.ts";
import { capitalize } from "./letters.ts";
import { listFilters } from "./list-filters.ts";
import { escaped } from "./markup.ts";
import { type Meter, TemplateError } from "./meter.ts";
import { negated, operate } from "./operate.ts";
import { round, roundInteger, toFloat } from "./numbers.ts";
import { truncated } from "./printf.ts";
import { show, toJson } from "./show.ts";
import { centred, lines, padded, replaced, stripped } from "./strings.ts";
import { cut, glue, isStr, like, plain, points, starts, type Str } from "./text.ts";
import {
  type Arguments,
  Dict,
  intOf,
  Markup,
  numberOf,
  textOf,
  truth,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

/** As soft_str(): Markup stays what it is. */
const onText = (
  name: string,
  change: (meter: Meter, text: Str, values: (Value | undefined)[]) => Str,
  parameters: readonly string[] = [],
): Filter =>
(meter, value, args) => {
  const values = bind(name, args, parameters);
  const text = change(meter, textOf(value) ?? show(meter, value), values);
  return value instanceof Markup ? new Markup(text) : text;
};

const changing = (name: string, change: (text: string) => string): Filter =>
  onText(name, (meter, text) => {
    meter.text(3 * plain(text).length);
    meter.letters(plain(text).length);
    return like(text, change(plain(text)));
  });

/** Words begin at white space, hyphens and opening brackets. */
function titled(text: string): string {
  return text.split(/([-\s\x1c-\x1f\x85({[<]+)/).map((word) => {
    const [first = ""] = word;
    return first.toUpperCase() + word.slice(first.length).toLowerCase();
  }).join("");
}

const FIRST_CLASS: Readonly<Record<string, Filter>> = {
  upper: changing("upper", (text) => text.toUpperCase()),
  lower: changing("lower", (text) => text.toLowerCase()),
  capitalize: changing("capitalize", capitalize),
  title: changing("title", titled),
  trim: onText(
    "trim",
    (meter, text, [chars]) =>
      stripped(meter, text, chars === undefined || chars === null ? undefined : needPlain("trim", chars)),
    ["chars"],
  ),
  center: onText("center", (meter, text, [width]) => {
    const wanted = needInt("center", width, 80);
    const missing = wanted - points(meter, plain(text));
    return missing <= 0 ? text : padded(meter, text, ...centred(missing, wanted), " ");
  }, ["width"]),
  string: onText("string", (_, text) => text),
  safe: (meter, value, args) => {
    bind("safe", args, []);
    return new Markup(show(meter, value));
  },
  escape,
  e: escape,
  forceescape: (meter, value) => escaped(meter, show(meter, value)),
  striptags: (meter, value) => {
    const text = show(meter, value);
    meter.letters(2 * plain(text).length);
    const bare = plain(text).replaceAll(/<!--[^]*?-->|<[^>]*>/g, "");
    const words = bare.split(/[\s\x1c-\x1f\x85]+/).filter((word) => word !== "").join(" ");
    return like(text, words.replaceAll(/&(amp|lt|gt|quot|#39|#34);/g, (_, name: string) => UNESCAPED[name]));
  },
  replace: (meter, value, args) => {
    const [old, fresh, count] = bind("replace", args, ["old", "new", "count"], 2);
    const times = count === undefined || count === null ? -1 : needInt("replace", count, -1);
    return replaced(meter, show(meter, value), plain(show(meter, old!)), show(meter, fresh!), times);
  },
  format: (meter, value, args) => {
    if (args.positional.length > 0 && args.named.size > 0) {
      throw new TemplateError("can't handle positional and keyword arguments at the same time");
    }
    const values = args.named.size > 0 ? Dict.of(args.named) : new Tuple(args.positional);
    const text = textOf(value) ?? show(meter, value);
    return operate(meter, "%", value instanceof Markup ? value : text, values);
  },
  indent,
  truncate,
  wordcount: (meter, value, args) => {
    bind("wordcount", args, []);
    const text = plain(show(meter, value));
    meter.letters(text.length);
    return BigInt(text.match(/[\p{L}\p{N}\p{M}_]+/gu)?.length ?? 0);
  },
  urlencode: (meter, value, args) => {
    bind("urlencode", args, []);
    const quote = (value: Value, query: boolean): Str => {
      const text = show(meter, value);
      meter.text(9 * plain(text).length);
      meter.letters(2 * plain(text).length);
      const shown = encodeURIComponent(plain(text)).replaceAll(
        /[!'()*]/g,
        (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`,
      );
      return like(text, query ? shown.replaceAll("%20", "+") : shown.replaceAll("%2F", "/"));
    };
    if (textOf(value) !== undefined || elements(meter, value) === undefined) return quote(value, false);
    const pairs: Str[] = [];
    for (const pair of iterate(meter, value instanceof Dict ? new View("items", value) : value)) {
      const [key, item, ...more] = iterate(meter, pair);
      if (item === undefined || more.length > 0) throw new TemplateError("urlencode needs pairs");
      pairs.push(glue([quote(key, true), "=", quote(item, true)]));
    }
    return glue(pairs, "&");
  },
  tojson: json,
  int: toInt,
  float: (meter, value, args) => {
    const [fallback = 0] = bind("float", args, ["default"]);
    return floatOf(meter, value) ?? fallback;
  },
  abs: (meter, value, args) => {
    bind("abs", args, []);
    const number = numberOf(value);
    if (number === undefined) throw new TemplateError(`bad operand type for abs(): '${typeName(value)}'`);
    return number < 0 || Object.is(number, -0) ? negated(meter, "minus", number) : number;
  },
  round: (meter, value, args) => {
    const [precision, method = "common"] = bind("round", args, ["precision", "method"]);
    const places = needInt("round", precision, 0);
    meter.letters(Math.min(400, Math.abs(places)) / 4);
    const how = needPlain("round", method);
    const number = numberOf(value);
    if (!["common", "ceil", "floor"].includes(how)) throw new TemplateError("method must be common, ceil or floor");
    if (number === undefined) throw new TemplateError(`type ${typeName(value)} doesn't define __round__ method`);
    if (how === "common") return typeof number === "bigint" ? roundInteger(number, places) : round(number, places);
    const factor = 10 ** places;
    const scaled = toFloat(number) * factor;
    if (!Number.isFinite(scaled)) throw new TemplateError("cannot convert float infinity or NaN to integer");
    return (how === "ceil" ? Math.ceil(scaled) : Math.floor(scaled)) / factor;
  },
  filesizeformat: (meter, value, args) => {
    const [binary = false] = bind("filesizeformat", args, ["binary"]);
    const bytes = floatOf(meter, value);
    if (bytes === undefined) throw new TemplateError("filesizeformat: this is no number");
    const base = truth(binary) ? 1024 : 1000;
    if (bytes === 1) return "1 Byte";
    if (bytes < base) return `${truncated(bytes)} Bytes`;
    let index = 0;
    while (index < 7 && bytes >= base ** (index + 2)) index++;
    const unit = "kMGTPEZY"[index];
    const shown = plain(formatValue(meter, base * bytes / base ** (index + 2), ".1f"));
    return `${shown} ${truth(binary) ? unit.toUpperCase() + "i" : unit}B`;
  },
  default: fallback,
  d: fallback,
  length: (meter, value, args) => size("length", meter, value, args),
  count: (meter, value, args) => size("count", meter, value, args),
};

const UNESCAPED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#34": '"' };

function escape(meter: Meter, value: Value, args: Arguments): Value {
  bind("escape", args, []);
  return escaped(meter, value);
}

function fallback(_: Meter, value: Value, args: Arguments): Value {
  const [other = "", also = false] = bind("default", args, ["default_value", "boolean"]);
  return value instanceof Undefined || (truth(also) && !truth(value)) ? other : value;
}

function size(name: string, meter: Meter, value: Value, args: Arguments): bigint {
  bind(name, args, []);
  const found = length(meter, value);
  if (found === undefined) throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
  return BigInt(found);
}

function indent(meter: Meter, value: Value, args: Arguments): Value {
  const [width = 4n, first = false, blank = false] = bind("indent", args, ["width", "first", "blank"]);
  if (value instanceof Undefined) throw new TemplateError(value.message);
  const text = textOf(value);
  if (text === undefined) throw new TemplateError(`indent: expected str, not ${typeName(value)}`);
  const given = textOf(width);
  const columns = given === undefined ? Math.max(0, needInt("indent", width, 4)) : 0;
  meter.fits(columns);
  const by = given ?? " ".repeat(columns);
  const parts = lines(meter, glue([text, "\n"]));
  meter.text(plain(text).length + parts.length * (plain(by).length + 1));
  const shown = parts.map((line, i) => {
    const shifted = i > 0 ? truth(blank) || plain(line) !== "" : truth(first);
    return shifted ? glue([by, line]) : line;
  });
  return value instanceof Markup ? new Markup(glue(shown, "\n")) : glue(shown, "\n");
}

function truncate(meter: Meter, value: Value, args: Arguments): Value {
  const [width, whole = false, end = "...", slack] = bind("truncate", args, ["length", "killwords", "end", "leeway"]);
  const most = needInt("truncate", width, 255);
  const leeway = slack === null ? 5 : needInt("truncate", slack, 5);
  const tail = show(meter, end);
  const room = most - points(meter, plain(tail));
  if (room < 0 || leeway < 0) throw new TemplateError(`truncate: ${most} characters are too few`);
  const count = length(meter, value);
  if (count === undefined) throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
  if (count <= most + leeway) return value;
  const text = textOf(value);
  if (text === undefined) throw new TemplateError(`truncate: expected str, not ${typeName(value)}`);
  const start = cut(text, 0, starts(meter, plain(text))?.[room] ?? room);
  const blank = truth(whole) ? -1 : plain(start).lastIndexOf(" ");
  const kept = glue([blank < 0 ? start : cut(start, 0, blank), tail]);
  return isStr(value) ? kept : new Markup(kept);
}

/** As json.dumps(). */
function json(meter: Meter, value: Value, args: Arguments): Value {
  const [asciiOnly = false, indent = null, separators = null, sortKeys = false] = bind("tojson", args, [
    "ensure_ascii",
    "indent",
    "separators",
    "sort_keys",
  ]);
  let by: string | undefined;
  if (indent !== null) {
    const text = textOf(indent);
    const columns = text === undefined ? Math.max(0, needInt("tojson", indent, 0)) : 0;
    meter.fits(columns);
    by = text === undefined ? " ".repeat(columns) : plain(text);
  }
  const pair = separators !== null && "items" in Object(separators) ? (separators as Tuple).items : undefined;
  if (separators !== null && pair?.length !== 2) throw new TemplateError("tojson: separators are two texts");
  return toJson(meter, value, {
    asciiOnly: truth(asciiOnly),
    indent: by,
    between: pair ? needPlain("separators", pair[0]) : by === undefined ? ", " : ",",
    colon: pair ? needPlain("separators", pair[1]) : ": ",
    sortKeys: (entries) => {
      if (!truth(sortKeys)) return entries;
      const pairs = entries.map(([key, item]) => new Tuple([key, item]));
      return sorted(meter, pairs, (pair) => (pair as Tuple).items[0], false).map((pair) =>
        (pair as Tuple).items as readonly [Value, Value] as readonly [Value, Value]
      );
    },
  });
}

/** As float(); undefined where that is no number. */
function floatOf(meter: Meter, value: Value): number | undefined {
  if (value instanceof Undefined) throw new TemplateError(value.message);
  const number = numberOf(value);
  if (number !== undefined) return toFloat(number);
  const text = textOf(value);
  if (text === undefined) return undefined;
  meter.letters(plain(text).length);
  const word = plain(stripped(meter, text)).toLowerCase();
  if (/^[+-]?(?:inf|infinity)$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
  if (/^[+-]?nan$/.test(word)) return NaN;
  if (!/^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/.test(word)) return undefined;
  return Number(word.replaceAll("_", ""));
}

function toInt(meter: Meter, value: Value, args: Arguments): Value {
  const [fallback = 0n, base] = bind("int", args, ["default", "base"]);
  if (value instanceof Undefined) throw new TemplateError(value.message);
  const text = textOf(value);
  if (text === undefined) {
    const int = intOf(value);
    if (int !== undefined) return int;
    if (typeof value !== "number") return fallback;
    if (value === Infinity || value === -Infinity) throw new TemplateError("cannot convert float infinity to integer");
    return Number.isNaN(value) ? fallback : truncated(value);
  }
  meter.letters(4 * plain(text).length);
  const int = parseInteger(plain(stripped(meter, text)), needInt("int", base, 10));
  if (int !== undefined) return int;
  const float = floatOf(meter, text);
  return float === undefined || !Number.isFinite(float) ? fallback : truncated(float);
}

/** As int(text, base); undefined where that is no integer. */
function parseInteger(text: string, base: number): bigint | undefined {
  const found = text.toLowerCase().match(/^([+-]?)(0[box])?(_?[0-9a-z]+(?:_[0-9a-z]+)*)$/);
  if (found === null || text.length > 4300) return undefined;
  const [, sign, given, rest] = found;
  const prefix = { 2: "0b", 8: "0o", 16: "0x" }[base];
  let digits = rest.replaceAll("_", "");
  let radix = base;
  if (given !== undefined && (base === 0 || given === prefix)) radix = { "0b": 2, "0o": 8, "0x": 16 }[given]!;
  else if (given !== undefined) digits = given + digits;
  if (given === undefined && rest.startsWith("_")) return undefined;
  if (base === 0 && given === undefined) {
    radix = 10;
    if (/^0+[1-9]/.test(digits)) return undefined;
  }
  let value = 0n;
  for (const digit of digits) {
    const number = parseInt(digit, 36);
    if (!(number < radix)) return undefined;
    value = value * BigInt(radix) + BigInt(number);
  }
  return sign === "-" ? -value : value;
}

/** Of Jinja, and not of this engine: what depends on chance, and what lays out pages. Refused by name. */
const WITHOUT = ["pprint", "random", "urlize", "wordwrap", "xmlattr"];

export const FILTERS: Filters = {
  ...FIRST_CLASS,
  ...listFilters(() => FILTERS),
  ...Object.fromEntries(WITHOUT.map((name): [string, Filter] => [name, () => {
    throw new TemplateError(`the filter '${name}' is not supported`);
  }])),
};
