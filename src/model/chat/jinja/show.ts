// str() and repr() of values, and JSON as `tojson` of transformers writes it.
import { type Meter, TemplateError } from "./meter.ts";
import { floatText, intText } from "./numbers.ts";
import { glue, isStr, like, plain, type Str } from "./text.ts";
import {
  ADDRESS,
  Dict,
  intOf,
  Iter,
  List,
  Markup,
  Namespace,
  Range,
  textOf,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

/** As str(). */
export function show(meter: Meter, value: Value): Str {
  if (isStr(value)) return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return "";
  return represent(meter, value);
}

/** As repr(). */
export function represent(meter: Meter, value: Value, around: readonly Value[] = []): Str {
  meter.spend(1);
  // Only a namespace can be inside itself.
  if (around.includes(value)) return value instanceof Dict ? "{...}" : value instanceof List ? "[...]" : "(...)";
  const inside = (item: Value) => meter.within(() => represent(meter, item, [...around, value]));
  const list = (open: string, items: readonly Value[], close: string): Str => {
    const parts: Str[] = [];
    let size = 0;
    for (const item of items) {
      const part = inside(item);
      meter.text(size += plain(part).length + 2);
      parts.push(part);
    }
    return glue([open, glue(parts, ", "), close]);
  };
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "bigint") return intText(meter, value);
  if (typeof value === "number") return floatText(value);
  if (isStr(value)) return quoted(meter, value);
  if (value instanceof Markup) return glue(["Markup(", quoted(meter, value.text), ")"]);
  if (value instanceof List) return list("[", value.items, "]");
  if (value instanceof Tuple) return list("(", value.items, value.items.length === 1 ? ",)" : ")");
  if (value instanceof Dict) {
    const parts: Str[] = [];
    let size = 0;
    for (const [key, item] of value.entries()) {
      const part = glue([inside(key), ": ", inside(item)]);
      meter.text(size += plain(part).length + 2);
      parts.push(part);
    }
    return glue(["{", glue(parts, ", "), "}"]);
  }
  if (value instanceof View) {
    const items: Value[] = [];
    for (const [key, item] of value.dict.entries()) {
      items.push(value.what === "keys" ? key : value.what === "values" ? item : new Tuple([key, item]));
    }
    return list(`dict_${value.what}([`, items, "])");
  }
  if (value instanceof Range) {
    return `range(${value.start}, ${value.stop}${value.step === 1n ? "" : `, ${value.step}`})`;
  }
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Namespace) {
    return glue(["<Namespace ", meter.within(() => represent(meter, value.attributes, around)), ">"]);
  }
  return value instanceof Iter ? `<${value.what} at ${ADDRESS}>` : value.shown;
}

/** Not str.isprintable(): shown as an escape. A space is printable. */
const HIDDEN = /[\p{C}\p{Z}\\'"]/u;
const HIDDEN_ALL = /[\p{C}\p{Z}\\'"]/gu;

function quoted(meter: Meter, value: Str): Str {
  const text = plain(value);
  meter.text(text.length);
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  if (!HIDDEN.test(text)) return glue([quote, value, quote]);
  meter.letters(2 * text.length);
  const shown = text.replaceAll(HIDDEN_ALL, (character) => {
    if (character === quote || character === "\\") return `\\${character}`;
    if (character === " " || character === "'" || character === '"') return character;
    return escapes(character);
  });
  meter.text(shown.length);
  return glue([quote, like(value, shown), quote]);
}

const SIMPLE: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapes(character: string): string {
  const point = character.codePointAt(0)!;
  const hex = point.toString(16);
  if (character in SIMPLE) return SIMPLE[character];
  if (point < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return point < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** As ascii(). */
export function ascii(meter: Meter, value: Value): Str {
  const text = represent(meter, value);
  meter.letters(2 * plain(text).length);
  return like(text, plain(text).replaceAll(/[^\x00-\x7f]/gu, escapes));
}

export interface JsonOptions {
  readonly asciiOnly: boolean;
  /** What one level is indented by; undefined: all on one line. */
  readonly indent: string | undefined;
  readonly between: string;
  readonly colon: string;
  readonly sortKeys: (entries: (readonly [Value, Value])[]) => (readonly [Value, Value])[];
}

export function toJson(meter: Meter, value: Value, options: JsonOptions): Str {
  let size = 0;
  const pay = (part: Str): Str => {
    meter.text(size += plain(part).length);
    return part;
  };
  const wrap = (open: string, parts: readonly Str[], close: string, level: number): Str => {
    if (parts.length === 0) return open + close;
    if (options.indent === undefined) return glue([open, glue(parts, options.between), close]);
    meter.text(size += parts.length * options.indent.length * (level + 1));
    const line = "\n" + options.indent.repeat(level + 1);
    return glue([open, line, glue(parts, options.between + line), "\n", options.indent.repeat(level), close]);
  };
  const write = (value: Value, level: number): Str => {
    meter.spend(1);
    const text = textOf(value);
    if (text !== undefined) return pay(jsonText(meter, text, options.asciiOnly));
    if (value === null) return pay("null");
    if (typeof value === "boolean") return pay(value ? "true" : "false");
    if (typeof value === "bigint") return pay(intText(meter, value));
    if (typeof value === "number") return pay(jsonFloat(value));
    if (value instanceof List || value instanceof Tuple) {
      return meter.within(() => wrap("[", value.items.map((item) => write(item, level + 1)), "]", level));
    }
    if (value instanceof Dict) {
      return meter.within(() => {
        const entries = options.sortKeys([...value.entries()]);
        const parts = entries.map(([key, item]) => glue([writeKey(key), options.colon, write(item, level + 1)]));
        return wrap("{", parts, "}", level);
      });
    }
    throw new TemplateError(`Object of type ${typeName(value)} is not JSON serializable`);
  };
  const writeKey = (key: Value): Str => {
    if (key === null || intOf(key) !== undefined || typeof key === "number") return glue(['"', write(key, 0), '"']);
    if (textOf(key) !== undefined) return write(key, 0);
    throw new TemplateError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
  };
  return write(value, 0);
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? floatText(value) : value < 0 ? "-Infinity" : "Infinity";
}

function jsonText(meter: Meter, value: Str, asciiOnly: boolean): Str {
  const text = plain(value);
  meter.text(text.length);
  const hidden = asciiOnly ? /[^ !#-[\]-~]/g : /["\\\x00-\x1f]/g;
  if (text.search(hidden) < 0) return glue(['"', value, '"']);
  meter.letters(2 * text.length);
  const shown = text.replaceAll(hidden, (unit) => {
    const simple = "\b\f\n\r\t".indexOf(unit);
    if (unit === '"' || unit === "\\") return `\\${unit}`;
    return simple >= 0 ? `\\${"bfnrt"[simple]}` : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return glue(['"', like(value, shown), '"']);
}
