// `value.name`, `value[key]` and `value[a:b]`, as Jinja's sandbox looks things up: for a dot the attribute first, for
// brackets the element first. What Python has and a template may not touch is undefined.
import { bind, clamp, needInt } from "./bind.ts";
import { equal, iterate, length } from "./compare.ts";
import { formatMethods } from "./format.ts";
import { methodOfMarkup } from "./markup.ts";
import { type Meter, TemplateError } from "./meter.ts";
import { type Method, STRING_METHODS } from "./strings.ts";
import { cut, glue, isStr, plain, starts, type Str } from "./text.ts";
import {
  ADDRESS,
  type Arguments,
  Callable,
  Dict,
  intOf,
  List,
  Markup,
  Namespace,
  orElse,
  Range,
  textOf,
  Thing,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

/** `value.name`. */
export function attribute(meter: Meter, value: Value, name: string): Value {
  meter.spend(1);
  if (value instanceof Undefined) throw new TemplateError(value.message);
  return orElse(
    orElse(ownAttribute(meter, value, name), () => element(meter, value, name)),
    () => missing(value, name),
  );
}

/** `value[key]`. */
export function item(meter: Meter, value: Value, key: Value): Value {
  meter.spend(1);
  if (value instanceof Undefined) throw new TemplateError(value.message);
  const found = element(meter, value, key);
  if (found !== undefined) return found;
  const text = textOf(key);
  return orElse(text === undefined ? undefined : ownAttribute(meter, value, plain(text)), () => missing(value, key));
}

function missing(value: Value, key: Value): Undefined {
  const type = value === null ? "None" : `${typeName(value)} object`;
  const text = textOf(key);
  const name = typeof key === "bigint"
    ? String(key)
    : text === undefined
    ? typeName(key)
    : `'${plain(text).slice(0, 80)}'`;
  return new Undefined(text === undefined ? `${type} has no element ${name}` : `'${type}' has no attribute ${name}`);
}

/** By position or key; undefined where there is none. */
function element(meter: Meter, value: Value, key: Value): Value | undefined {
  if (value instanceof Dict) return isKey(key) ? value.get(key) : undefined;
  const index = intOf(key);
  if (index === undefined) return undefined;
  if (value instanceof List || value instanceof Tuple) {
    return value.items[place(index, value.items.length)];
  }
  if (value instanceof Range) {
    const at = place(index, value.length);
    return at >= 0 && at < value.length ? value.at(at) : undefined;
  }
  const text = textOf(value);
  if (text === undefined) return undefined;
  const letter = letterAt(meter, text, index);
  return value instanceof Markup && letter !== undefined ? new Markup(letter) : letter;
}

function isKey(key: Value): boolean {
  return !(key instanceof List || key instanceof Dict || (key instanceof Tuple && !key.items.every(isKey)));
}

/** From the end where it is negative; outside where it is. */
function place(index: bigint, length: number): number {
  return clamp(index < 0n ? index + BigInt(length) : index);
}

function letterAt(meter: Meter, text: Str, index: bigint): Str | undefined {
  const at = starts(meter, plain(text));
  const count = at ? at.length - 1 : plain(text).length;
  const i = place(index, count);
  if (i < 0 || i >= count) return undefined;
  return at ? cut(text, at[i], at[i + 1]) : cut(text, i, i + 1);
}

/** What Jinja's compiler takes for undefined where it can compute an expression in advance. */
export class Unsliceable extends TemplateError {}

/** `value[start:stop:step]`, of what Python can slice. Throws Unsliceable for other values and bounds. */
export function slice(meter: Meter, value: Value, start: Value, stop: Value, step: Value): Value {
  if (value instanceof Undefined) throw new TemplateError(value.message);
  const text = textOf(value);
  if (!(value instanceof List || value instanceof Tuple || value instanceof Range) && text === undefined) {
    throw new Unsliceable(`'${typeName(value)}' object cannot be sliced`);
  }
  for (const bound of [start, stop, step]) {
    if (bound !== null && intOf(bound) === undefined) throw new Unsliceable("slice indices must be integers");
  }
  const count = length(meter, value)!;
  const by = step === null ? 1 : needInt("slice", step, 1);
  if (by === 0) throw new TemplateError("slice step cannot be zero");
  const bound = (value: Value, fallback: number): number => {
    if (value === null) return fallback;
    const index = needInt("slice", value, 0);
    const from = index < 0 ? index + count : index;
    return by > 0 ? Math.min(Math.max(from, 0), count) : Math.min(Math.max(from, -1), count - 1);
  };
  const from = bound(start, by > 0 ? 0 : count - 1);
  const to = bound(stop, by > 0 ? count : -1);
  const size = Math.max(0, Math.ceil((to - from) / by));
  if (value instanceof Range) {
    const wide = value.step * BigInt(by);
    return new Range(value.at(from), value.at(to), wide);
  }
  meter.items(size);
  if (text !== undefined) {
    const part = sliceText(meter, text, from, by, size);
    return value instanceof Markup ? new Markup(part) : part;
  }
  const { items } = value as List | Tuple;
  const part = by === 1 ? items.slice(from, from + size) : Array.from({ length: size }, (_, i) => items[from + i * by]);
  return value instanceof List ? new List(part) : new Tuple(part);
}

function sliceText(meter: Meter, text: Str, from: number, by: number, size: number): Str {
  const at = starts(meter, plain(text));
  const place = (index: number) => at ? at[index] : index;
  if (size === 0) return "";
  if (by === 1) return cut(text, place(from), place(from + size));
  return glue(
    Array.from({ length: size }, (_, i) => cut(text, place(from + i * by), place(from + i * by + 1))),
  );
}

/** What Python's `getattr` finds; undefined where there is nothing. */
export function ownAttribute(meter: Meter, value: Value, name: string): Value | undefined {
  if (value instanceof Namespace) return value.attributes.get(name);
  if (value instanceof Thing || value instanceof Callable) {
    return orElse(value.attribute(name), () => hidden(value, name));
  }
  const method = methodOf(meter, value, name);
  if (method !== undefined) return method;
  if (value instanceof Tuple && value.names.includes(name)) return value.items[value.names.indexOf(name)];
  if (value instanceof Range && (name === "start" || name === "stop" || name === "step")) return value[name];
  if (FORBIDDEN[typeName(value)]?.includes(name)) return unsafe(value, name);
  if (UNSUPPORTED[typeName(value)]?.includes(name)) {
    throw new TemplateError(`'${name}' of a ${typeName(value)} is not supported`);
  }
  return hidden(value, name);
}

function hidden(value: Value, name: string): Undefined | undefined {
  return /^__\w+__$/.test(name) ? unsafe(value, name) : undefined;
}

function unsafe(value: Value, name: string): Undefined {
  return new Undefined(`access to attribute '${name.slice(0, 80)}' of '${typeName(value)}' object is unsafe.`);
}

/** What would change a value. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  list: ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"],
  dict: ["clear", "pop", "popitem", "setdefault", "update"],
};

const OF_INT = ["as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "imag"]
  .concat(["numerator", "real", "to_bytes"]);

/** What Python has and nobody needs in a template: refused by name. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  str: ["encode", "maketrans", "translate"],
  Markup: ["encode", "maketrans", "translate", "striptags", "unescape", "escape"],
  int: OF_INT,
  bool: OF_INT,
  float: ["as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real"],
  dict: ["fromkeys"],
  dict_keys: ["isdisjoint", "mapping"],
  dict_values: ["mapping"],
  dict_items: ["isdisjoint", "mapping"],
  generator: ["send", "throw", "close", "gi_running", "gi_suspended", "gi_yieldfrom"],
};

/** All methods of a text. */
const TEXT_METHODS: Readonly<Record<string, Method>> = { ...STRING_METHODS, ...formatMethods({ attribute, item }) };

function methodOf(meter: Meter, value: Value, name: string): Callable | undefined {
  const named = (call: (args: Arguments) => Value) => Callable.method(typeName(value), name, call);
  if (isStr(value)) {
    if (!Object.hasOwn(TEXT_METHODS, name)) return undefined;
    if (name.startsWith("format")) {
      return new Callable(`<function str.${name} at ${ADDRESS}>`, (args) => TEXT_METHODS[name](meter, value, args));
    }
    return named((args) => TEXT_METHODS[name](meter, value, args));
  }
  if (value instanceof Markup) return methodOfMarkup(meter, value, name, TEXT_METHODS);
  if (value instanceof List || value instanceof Tuple || value instanceof Range) {
    if (name === "count") return named((args) => count(meter, value, args));
    if (name === "index") return named((args) => indexOf(meter, value, args));
    if (name === "copy" && value instanceof List) return named((args) => (bind("copy", args, []), value));
    return undefined;
  }
  if (!(value instanceof Dict)) return undefined;
  switch (name) {
    case "keys":
    case "values":
    case "items":
      return named((args) => (bind(name, args, []), new View(name, value)));
    case "get":
      return named((args) => {
        const [key, fallback] = bind("get", args, ["key", "default"], 1);
        return orElse(value.get(key!), () => fallback === undefined ? null : fallback);
      });
    case "copy":
      return named((args) => {
        bind("copy", args, []);
        meter.items(4 * value.size);
        return Dict.of(value.entries());
      });
  }
}

function count(meter: Meter, value: Value, args: Arguments): bigint {
  const [wanted] = bind("count", args, ["value"], 1);
  let found = 0n;
  for (const item of iterate(meter, value)) if (equal(meter, item, wanted!)) found++;
  return found;
}

function indexOf(meter: Meter, value: Value, args: Arguments): bigint {
  const [wanted, from, to] = bind("index", args, ["value", "start", "stop"], 1);
  const size = length(meter, value)!;
  const place = (value: Value | undefined, fallback: number) => {
    const index = needInt("index", value, fallback);
    return index < 0 ? Math.max(0, index + size) : index;
  };
  const start = place(from, 0), stop = place(to, size);
  let at = 0;
  for (const item of iterate(meter, value)) {
    if (at >= start && at < stop && equal(meter, item, wanted!)) return BigInt(at);
    at++;
  }
  throw new TemplateError(`the value is not in the ${typeName(value)}`);
}
