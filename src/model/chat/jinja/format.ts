// Python's str.format and its format specifications.
import { bind, clamp } from "./bind.ts";
import { type Meter, TemplateError } from "./meter.ts";
import { Pieces } from "./pieces.ts";
import { fixed, floatText, intText, scientific, toFloat } from "./numbers.ts";
import { ascii, represent, show } from "./show.ts";
import { cut, glue, plain, points, starts, type Str } from "./text.ts";
import { type Method, padded } from "./strings.ts";
import { type Arguments, Dict, intOf, Markup, numberOf, textOf, typeName, type Value } from "./values.ts";

/** How a format looks into what it is given: `{0.name[key]}`. */
export interface Lookup {
  attribute(meter: Meter, value: Value, name: string): Value;
  item(meter: Meter, value: Value, key: Value): Value;
}

/** `str.format` and `str.format_map`. They throw TemplateError where the format is broken or does not fit. */
export function formatMethods(lookup: Lookup): Readonly<Record<"format" | "format_map", Method>> {
  const format: Method = (meter, self, args) => fill(meter, self, args, { next: 0, lookup }, 2);
  return {
    format,
    format_map: (meter, self, args) => {
      const [mapping] = bind("format_map", args, ["mapping"], 1);
      if (!(mapping instanceof Dict)) throw new TemplateError("format_map() takes a mapping");
      const named = new Map<string, Value>();
      for (const [key, value] of mapping.entries()) {
        const name = textOf(key);
        if (name !== undefined) named.set(plain(name), value);
      }
      return format(meter, self, { positional: [], named });
    },
  };
}

interface State {
  /** The next argument without a number; undefined where arguments were numbered by hand. */
  next: number | undefined;
  readonly lookup: Lookup;
}

function fill(meter: Meter, self: Str, args: Arguments, state: State, depth: number): Str {
  if (depth === 0) throw new TemplateError("max string recursion exceeded");
  const text = plain(self);
  const pieces = new Pieces(meter);
  for (let at = 0; at < text.length;) {
    BRACE.lastIndex = at;
    const open = BRACE.exec(text)?.index;
    if (open === undefined) {
      pieces.add(cut(self, at, text.length));
      break;
    }
    meter.spend(4);
    if (text[open + 1] === text[open]) {
      pieces.add(cut(self, at, open + 1));
      at = open + 2;
      continue;
    }
    if (text[open] === "}") throw new TemplateError("single '}' encountered in format string");
    pieces.add(cut(self, at, open));
    const end = closing(meter, text, open);
    pieces.add(field(meter, text.slice(open + 1, end), args, state, depth));
    at = end + 1;
  }
  return pieces.whole();
}

const BRACE = /[{}]/g;

function closing(meter: Meter, text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    meter.spend(1);
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
    else if (text[i] === "[" && depth === 1) {
      const end = text.indexOf("]", i);
      if (end > 0) i = end;
    }
  }
  throw new TemplateError("expected '}' before end of string");
}

/** `name.attribute[item]!conversion:specification`. */
function field(meter: Meter, whole: string, args: Arguments, state: State, depth: number): Str {
  const [, name, conversion, spec = ""] = whole.match(/^((?:[^!:[]|\[[^\]]*\])*)(?:!([^:]*))?(?::([^]*))?$/) ?? [];
  if (name === undefined) throw new TemplateError("a replacement field of the format is broken");
  let value = valueOf(meter, name, args, state);
  if (conversion === "r") value = represent(meter, value);
  else if (conversion === "s") value = show(meter, value);
  else if (conversion === "a") value = ascii(meter, value);
  else if (conversion !== undefined) throw new TemplateError(`unknown conversion specifier ${conversion}`);
  return formatValue(meter, value, plain(fill(meter, spec, args, state, depth - 1)));
}

function valueOf(meter: Meter, name: string, { positional, named }: Arguments, state: State): Value {
  const [, first, rest] = name.match(/^([^.[]*)([^]*)$/)!;
  let value: Value | undefined;
  if (first === "" || /^\d+$/.test(first)) {
    if (first === "" ? state.next === undefined : (state.next ?? 0) > 0) {
      throw new TemplateError("cannot switch between automatic field numbering and manual field specification");
    }
    value = positional[first === "" ? state.next! : Number(first)];
    if (first === "") state.next = state.next! + 1;
    else state.next = undefined;
  } else value = named.get(first);
  if (value === undefined) throw new TemplateError(`the format asks for '${first}', which is not given`);
  for (const [step, dotted, index] of rest.matchAll(/\.([^.[]+)|\[([^\]]+)\]|[^]/g)) {
    if (dotted !== undefined) value = state.lookup.attribute(meter, value, dotted);
    else if (index !== undefined) value = state.lookup.item(meter, value, /^\d+$/.test(index) ? BigInt(index) : index);
    else throw new TemplateError(`a replacement field of the format is broken at ${step}`);
  }
  return value;
}

interface Spec {
  readonly fill: string;
  readonly align: string;
  readonly sign: string;
  readonly noNegativeZero: boolean;
  readonly alternate: boolean;
  readonly zero: boolean;
  readonly width: number;
  readonly grouping: string;
  readonly precision: number | undefined;
  readonly type: string;
}

/** As format(value, spec). */
export function formatValue(meter: Meter, value: Value, specification: string): Str {
  const text = textOf(value);
  if (specification === "") return show(meter, value);
  const found = specification.match(/^(?:([^])?([<>=^]))?([-+ ]?)(z?)(#?)(0?)(\d*)([,_]?)(?:\.(\d+))?([a-zA-Z%]?)$/u);
  const number = numberOf(value);
  if (found === null || (text === undefined && number === undefined)) {
    if (found !== null) throw new TemplateError(`unsupported format string passed to ${typeName(value)}.__format__`);
    throw new TemplateError(`invalid format specifier '${specification.slice(0, 40)}'`);
  }
  const [, fill, align, sign, z, alternate, zero, width, grouping, precision, type] = found;
  const spec: Spec = {
    fill: fill ?? (zero ? "0" : " "),
    align: align ?? "",
    sign,
    noNegativeZero: z !== "",
    alternate: alternate !== "",
    zero: zero !== "",
    width: width === "" ? 0 : clamp(BigInt(width)),
    grouping,
    precision: precision === undefined ? undefined : clamp(BigInt(precision)),
    type,
  };
  if (text !== undefined) return formatString(meter, value instanceof Markup ? value.text : text, spec);
  return formatNumber(meter, typeof value === "boolean" && type === "" ? intOf(value)! : number!, spec);
}

function formatString(meter: Meter, value: Str, spec: Spec): Str {
  if (spec.type !== "" && spec.type !== "s") throw unknownType(spec.type, "str");
  if (spec.sign !== "" || spec.align === "=" || spec.alternate || spec.grouping !== "" || spec.noNegativeZero) {
    throw new TemplateError("this format is not allowed for a string");
  }
  let text = value;
  if (spec.precision !== undefined && spec.precision < points(meter, plain(value))) {
    text = cut(value, 0, starts(meter, plain(value))?.[spec.precision] ?? spec.precision);
  }
  return aligned(meter, text, spec, "<");
}

function aligned(meter: Meter, text: Str, spec: Spec, usual: string): Str {
  const missing = spec.width - points(meter, plain(text));
  if (missing <= 0) return text;
  const align = spec.align || usual;
  const left = align === "<" ? 0 : align === "^" ? Math.floor(missing / 2) : missing;
  return padded(meter, text, left, missing - left, spec.fill);
}

function unknownType(type: string, of: string): TemplateError {
  return new TemplateError(`unknown format code '${type}' for object of type '${of}'`);
}

function formatNumber(meter: Meter, value: bigint | number, spec: Spec): Str {
  const isInt = typeof value === "bigint";
  if (isInt && spec.type !== "" && !"bcdoxXneEfFgG%".includes(spec.type)) throw unknownType(spec.type, "int");
  if (!isInt && spec.type !== "" && !"neEfFgG%".includes(spec.type)) throw unknownType(spec.type, "float");
  if (isInt && "bcdoxXn".includes(spec.type)) {
    if (spec.precision !== undefined) throw new TemplateError("precision not allowed in integer format specifier");
    if (spec.noNegativeZero) throw new TemplateError("negative zero coercion (z) not allowed in format specifier");
  }
  const { digits, prefix, tail } = isInt && "bcdoxXn".includes(spec.type)
    ? integerDigits(meter, value, spec)
    : floatDigits(meter, toFloat(value), spec);
  let negative = isInt ? value < 0n : value < 0 || Object.is(value, -0);
  if (spec.noNegativeZero && !/[1-9a-z]/i.test(digits)) negative = false;
  const sign = negative ? "-" : spec.sign === "-" ? "" : spec.sign;
  const group = spec.type === "" || !"bBoxX".includes(spec.type) ? 3 : 4;
  const zeros = spec.fill === "0" && (spec.align === "=" || (spec.align === "" && spec.zero));
  const room = zeros ? spec.width - sign.length - prefix.length - tail.length : 0;
  const body = prefix + grouped(meter, digits, spec.grouping, group, room) + tail;
  if (spec.align === "=" || zeros) {
    const missing = spec.width - sign.length - body.length;
    return glue([sign, prefix, padded(meter, body.slice(prefix.length), missing, 0, spec.fill)]);
  }
  return aligned(meter, sign + body, spec, ">");
}

/** With separators, and zeros in front up to `room` characters where there are separators. */
function grouped(meter: Meter, digits: string, separator: string, size: number, room: number): string {
  if (separator === "" || !/^[0-9a-fA-F]+$/.test(digits)) return digits;
  meter.text(2 * Math.max(room, digits.length));
  let text = digits;
  const withSeparators = () => {
    const parts: string[] = [];
    for (let end = text.length; end > 0; end -= size) parts.unshift(text.slice(Math.max(0, end - size), end));
    return parts.join(separator);
  };
  const needed = Math.ceil((room * size) / (size + 1));
  if (room > 0) text = text.padStart(needed, "0");
  const shown = withSeparators();
  return shown.length < room && room % (size + 1) !== 0 ? (text = "0" + text, withSeparators()) : shown;
}

function integerDigits(meter: Meter, value: bigint, spec: Spec) {
  const size = value < 0n ? -value : value;
  switch (spec.type) {
    case "b":
      return { digits: size.toString(2), prefix: spec.alternate ? "0b" : "", tail: "" };
    case "o":
      return { digits: size.toString(8), prefix: spec.alternate ? "0o" : "", tail: "" };
    case "x":
      return { digits: size.toString(16), prefix: spec.alternate ? "0x" : "", tail: "" };
    case "X":
      return { digits: size.toString(16).toUpperCase(), prefix: spec.alternate ? "0X" : "", tail: "" };
    case "c":
      if (spec.sign !== "" || value < 0n || value > 0x10ffffn) throw new TemplateError("this number is no character");
      return { digits: String.fromCodePoint(Number(value)), prefix: "", tail: "" };
  }
  return { digits: intText(meter, size), prefix: "", tail: "" };
}

function floatDigits(meter: Meter, value: number, spec: Spec) {
  const size = Math.abs(value);
  const percent = spec.type === "%" ? "%" : "";
  const type = spec.type === "%" ? "f" : spec.type === "n" ? "g" : spec.type;
  const text = spec.type === "" && spec.precision === undefined
    ? floatText(size)
    : decimal(meter, percent ? size * 100 : size, type === "" ? "r" : type, spec.precision ?? 6, spec.alternate);
  const [, digits, tail] = text.match(/^(\d+|[a-zA-Z]+)([^]*)$/)!;
  return { digits, prefix: "", tail: tail + percent };
}

/** |value| by %e, %f or %g; `r`: what a float without a type, but with a precision, is shown by. */
export function decimal(meter: Meter, value: number, type: string, precision: number, alternate: boolean): string {
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? "nan" : "inf";
    return /[EFG]/.test(type) ? name.toUpperCase() : name;
  }
  meter.text(precision + 320);
  meter.letters(8 * precision);
  const exponential = (digits: string, exponent: number, trim: boolean): string => {
    let rest = digits.slice(1);
    if (trim) rest = rest.replace(/0+$/, "");
    const point = rest !== "" || alternate ? "." : "";
    const e = /[EG]/.test(type) ? "E" : "e";
    return `${digits[0]}${point}${rest}${e}${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  };
  if (type === "f" || type === "F") return fixed(value, precision) + (alternate && precision === 0 ? "." : "");
  if (type === "e" || type === "E") {
    const { digits, exponent } = scientific(value, precision + 1);
    return exponential(digits, exponent, false);
  }
  const wanted = Math.max(1, precision);
  const { digits, exponent } = scientific(value, wanted);
  // Without a type there is always a digit behind the point, for which one more place is kept.
  if (exponent < -4 || exponent >= (type === "r" ? wanted - 1 : wanted)) {
    return exponential(digits, exponent, !alternate);
  }
  const text = fixed(value, wanted - 1 - exponent);
  const short = alternate || !text.includes(".") ? text : text.replace(/\.?0+$/, "");
  if (type === "r" && !short.includes(".")) return `${short}.0`;
  return alternate && !short.includes(".") ? `${short}.` : short;
}
