// `+ - * / // % **` on all of Python's values.
import { escaped } from "./markup.ts";
import { type Meter, TemplateError } from "./meter.ts";
import { arithmetic } from "./numbers.ts";
import type { Arithmetic, Comparison } from "./nodes.ts";
import { contains, equal, order } from "./compare.ts";
import { printf } from "./printf.ts";
import { glue, isStr, plain, type Str } from "./text.ts";
import { Dict, intOf, List, Markup, numberOf, textOf, Tuple, typeName, Undefined, type Value } from "./values.ts";

export function operate(meter: Meter, operator: Arithmetic, a: Value, b: Value): Value {
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined && y !== undefined) return arithmetic(meter, operator, x, y);
  if (operator === "%" && textOf(a) !== undefined) {
    if (isStr(a)) return printf(meter, a, b);
    return new Markup(printf(meter, (a as Markup).text, escapedValues(meter, b)));
  }
  for (const value of [a, b]) if (value instanceof Undefined) throw new TemplateError(value.message);
  if (operator === "+") {
    const sum = added(meter, a, b);
    if (sum !== undefined) return sum;
  } else if (operator === "*") {
    const [value, times] = intOf(b) === undefined ? [b, intOf(a)] : [a, intOf(b)];
    const product = times === undefined ? undefined : repeated(meter, value, times);
    if (product !== undefined) return product;
  }
  throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`);
}

function added(meter: Meter, a: Value, b: Value): Value | undefined {
  const text = textOf(a), other = textOf(b);
  if (text !== undefined && other !== undefined) {
    if (isStr(a) && isStr(b)) return joined(meter, a, b);
    return new Markup(joined(meter, escaped(meter, a).text, escaped(meter, b).text));
  }
  if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
    meter.items(a.items.length + b.items.length);
    const items = a.items.concat(b.items);
    return a instanceof List ? new List(items) : new Tuple(items);
  }
}

function joined(meter: Meter, a: Str, b: Str): Str {
  meter.text(plain(a).length + plain(b).length);
  return glue([a, b]);
}

function repeated(meter: Meter, value: Value, count: bigint): Value | undefined {
  const times = Number(count > 0n ? count : 0n);
  const text = textOf(value);
  if (text !== undefined) {
    if (plain(text) === "") return value;
    meter.text(plain(text).length * times);
    meter.items(isStr(text) && typeof text === "string" ? 0 : times);
    const product = typeof text === "string" ? text.repeat(times) : glue(Array<Str>(times).fill(text));
    return isStr(value) ? product : new Markup(product);
  }
  if (!(value instanceof List || value instanceof Tuple)) return undefined;
  if (value.items.length === 0) return value;
  meter.items(value.items.length * times);
  const items = Array.from({ length: value.items.length * times }, (_, i) => value.items[i % value.items.length]);
  return value instanceof List ? new List(items) : new Tuple(items);
}

function escapedValues(meter: Meter, values: Value): Value {
  const inside = (value: Value) => numberOf(value) === undefined ? escaped(meter, value).text : value;
  if (values instanceof Tuple) return new Tuple(values.items.map(inside));
  if (!(values instanceof Dict)) return inside(values);
  return Dict.of(Array.from(values.entries(), ([key, value]) => [key, inside(value)] as const));
}

export function negated(meter: Meter, operator: "minus" | "plus", value: Value): Value {
  if (value instanceof Undefined) throw new TemplateError(value.message);
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`bad operand type for unary sign: '${typeName(value)}'`);
  meter.spend(1);
  return operator === "minus" ? -number : number;
}

export function compare(meter: Meter, operator: Comparison, a: Value, b: Value): boolean {
  switch (operator) {
    case "==":
      return equal(meter, a, b);
    case "!=":
      return !equal(meter, a, b);
    case "in":
      return contains(meter, b, a);
    case "not in":
      return !contains(meter, b, a);
  }
  const sign = order(meter, a, b, operator);
  if (sign === undefined) return false;
  return operator === "<" ? sign < 0 : operator === "<=" ? sign <= 0 : operator === ">" ? sign > 0 : sign >= 0;
}
