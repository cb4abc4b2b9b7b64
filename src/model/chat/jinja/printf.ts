// Python's `text % values`.
import { needInt } from "./bind.ts";
import { decimal } from "./format.ts";
import { type Meter, TemplateError } from "./meter.ts";
import { Pieces } from "./pieces.ts";
import { intText, toFloat } from "./numbers.ts";
import { ascii, represent, show } from "./show.ts";
import { padded } from "./strings.ts";
import { cut, glue, plain, points, starts, type Str } from "./text.ts";
import { Dict, intOf, numberOf, textOf, Tuple, typeName, type Value } from "./values.ts";

const FIELD = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?([^]?)/gu;

/** Throws TemplateError where format and values do not fit. */
export function printf(meter: Meter, format: Str, values: Value): Str {
  const text = plain(format);
  const list = values instanceof Tuple ? values.items : [values];
  const mapping = values instanceof Dict ? values : undefined;
  let used = 0;
  const next = (): Value => {
    if (used >= list.length) throw new TemplateError("not enough arguments for format string");
    return list[used++];
  };
  const pieces = new Pieces(meter);
  let at = 0;
  for (const found of text.matchAll(FIELD)) {
    const [whole, key, flags, width, precision, type] = found;
    pieces.add(cut(format, at, found.index));
    at = found.index + whole.length;
    const number = (digits: string | undefined): number | undefined =>
      digits === undefined ? undefined : digits === "*" ? needInt("* wants int", next(), 0) : Number(digits || "0");
    if (type === "%" && whole === "%%") {
      pieces.add("%");
      continue;
    }
    if (key !== undefined && mapping === undefined) throw new TemplateError("format requires a mapping");
    const named = key === undefined ? undefined : mapping!.get(key);
    if (key !== undefined && named === undefined) throw new TemplateError(`'${key}'`);
    const wanted = number(width) ?? 0, places = number(precision);
    if (type === "") throw new TemplateError("incomplete format");
    if (type === "%") {
      pieces.add("%");
      continue;
    }
    pieces.add(
      convert(meter, type, named === undefined ? next() : named, {
        flags,
        width: Math.abs(wanted),
        left: wanted < 0,
        places,
      }),
    );
  }
  pieces.add(cut(format, at, text.length));
  if (used < list.length && mapping === undefined && !(values instanceof Tuple && list.length === 0)) {
    throw new TemplateError("not all arguments converted during string formatting");
  }
  return pieces.whole();
}

interface Field {
  readonly flags: string;
  readonly width: number;
  readonly left: boolean;
  readonly places: number | undefined;
}

function convert(meter: Meter, type: string, value: Value, { flags, width, left, places }: Field): Str {
  const fit = (text: Str, zeros = 0): Str => {
    const missing = width - points(meter, plain(text));
    if (missing <= 0) return text;
    if (left || flags.includes("-")) return padded(meter, text, 0, missing, " ");
    if (zeros === 0) return padded(meter, text, missing, 0, " ");
    return glue([cut(text, 0, zeros - 1), padded(meter, cut(text, zeros - 1, plain(text).length), missing, 0, "0")]);
  };
  const signed = (negative: boolean, prefix: string, digits: string, zeros: boolean): Str => {
    const sign = negative ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
    const zeroed = zeros && flags.includes("0") && !flags.includes("-") && !left;
    return fit(sign + prefix + digits, zeroed ? sign.length + prefix.length + 1 : 0);
  };
  switch (type) {
    case "s":
    case "r":
    case "a": {
      const text = type === "s" ? show(meter, value) : type === "r" ? represent(meter, value) : ascii(meter, value);
      if (places === undefined || places >= points(meter, plain(text))) return fit(text);
      return fit(cut(text, 0, starts(meter, plain(text))?.[places] ?? places));
    }
    case "c": {
      const text = textOf(value), code = intOf(value);
      if (text !== undefined && points(meter, plain(text)) === 1) return fit(text);
      if (code !== undefined && code >= 0n && code < 0x110000n) return fit(String.fromCodePoint(Number(code)));
      throw new TemplateError("%c requires int or char");
    }
    case "d":
    case "i":
    case "u":
    case "x":
    case "X":
    case "o": {
      const int = intOf(value) ?? (typeof value === "number" && "diu".includes(type) ? truncated(value) : undefined);
      if (int === undefined) throw new TemplateError(`%${type} format: a number is required, not ${typeName(value)}`);
      const size = int < 0n ? -int : int;
      const base = type === "o" ? 8 : type === "x" || type === "X" ? 16 : 10;
      let digits = base === 10 ? intText(meter, size) : size.toString(base);
      if (places !== undefined) {
        meter.text(places);
        digits = digits.padStart(places, "0");
      }
      const prefix = !flags.includes("#") || base === 10 ? "" : `0${type}`;
      if (type === "X") digits = digits.toUpperCase();
      return signed(int < 0n, prefix, digits, true);
    }
    case "e":
    case "E":
    case "f":
    case "F":
    case "g":
    case "G": {
      const number = numberOf(value);
      if (number === undefined) throw new TemplateError(`must be real number, not ${typeName(value)}`);
      const float = toFloat(number);
      const digits = decimal(meter, Math.abs(float), type, places ?? 6, flags.includes("#"));
      return signed(float < 0 || Object.is(float, -0), "", digits, true);
    }
  }
  throw new TemplateError(`unsupported format character '${type}'`);
}

/** int(value). */
export function truncated(value: number): bigint {
  if (!Number.isFinite(value)) throw new TemplateError("cannot convert float infinity or NaN to integer");
  return BigInt(Math.trunc(value));
}
