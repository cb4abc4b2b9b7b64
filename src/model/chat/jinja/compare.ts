// Python's ==, <, `in`, iteration and order.
import { type Meter, TemplateError } from "./meter.ts";
import { isStr, letters, plain, points } from "./text.ts";
import {
  Dict,
  intOf,
  Iter,
  List,
  numberOf,
  Range,
  textOf,
  Thing,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

export function equal(meter: Meter, a: Value, b: Value): boolean {
  meter.spend(1);
  const text = textOf(a), other = textOf(b);
  if (text !== undefined || other !== undefined) {
    if (text === undefined || other === undefined) return false;
    meter.spend(Math.min(plain(text).length, plain(other).length) / 64);
    return plain(text) === plain(other);
  }
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined && y !== undefined) return x == y;
  if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
    return a.items.length === b.items.length &&
      meter.within(() => a.items.every((item, i) => same(meter, item, b.items[i])));
  }
  if (a instanceof Dict && b instanceof Dict) return equalDicts(meter, a, b);
  if (a instanceof Range && b instanceof Range) {
    const length = a.length;
    return length === b.length && (length === 0 || a.start === b.start && (length === 1 || a.step === b.step));
  }
  if (a instanceof View && b instanceof View && a.what !== "values" && a.what === b.what) {
    return equalDicts(meter, a.dict, b.dict, a.what === "keys");
  }
  if (a instanceof Undefined && b instanceof Undefined) return true;
  return a === b;
}

/** What containers compare: the same value is equal to itself, a NaN, too. */
function same(meter: Meter, a: Value, b: Value): boolean {
  return Object.is(a, b) || equal(meter, a, b);
}

function equalDicts(meter: Meter, a: Dict, b: Dict, keysOnly = false): boolean {
  if (a.size !== b.size) return false;
  return meter.within(() => {
    for (const [key, value] of a.entries()) {
      meter.spend(1);
      const other = b.get(key);
      if (other === undefined || !(keysOnly || same(meter, value, other))) return false;
    }
    return true;
  });
}

/** −1, 0 or 1; undefined where a NaN is one of them. Throws TemplateError where Python has no order. */
export function order(meter: Meter, a: Value, b: Value, operator: string): number | undefined {
  meter.spend(1);
  if (a instanceof Undefined) throw new TemplateError(a.message);
  if (b instanceof Undefined) throw new TemplateError(b.message);
  const text = textOf(a), other = textOf(b);
  if (text !== undefined && other !== undefined) return orderTexts(meter, plain(text), plain(other));
  const x = numberOf(a), y = numberOf(b);
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x == y ? 0 : undefined;
  if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
    return meter.within(() => {
      const count = Math.min(a.items.length, b.items.length);
      for (let i = 0; i < count; i++) {
        if (!same(meter, a.items[i], b.items[i])) return order(meter, a.items[i], b.items[i], operator);
      }
      return Math.sign(a.items.length - b.items.length);
    });
  }
  throw new TemplateError(
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

/** By code points; UTF-16 units would put U+FFFF behind U+10000. */
function orderTexts(meter: Meter, a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  meter.spend(length / 16);
  let i = 0;
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === length) return Math.sign(a.length - b.length);
  const rank = (unit: number) => unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;
  return Math.sign(rank(a.charCodeAt(i)) - rank(b.charCodeAt(i)));
}

/** `item in container`. */
export function contains(meter: Meter, container: Value, item: Value): boolean {
  const text = textOf(container);
  if (text !== undefined) {
    const needle = textOf(item);
    if (needle === undefined) {
      throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    }
    meter.search(plain(text).length, plain(needle).length);
    return plain(text).includes(plain(needle));
  }
  if (container instanceof Dict || (container instanceof View && container.what === "keys")) {
    meter.spend(1);
    return (container instanceof Dict ? container : container.dict).get(item) !== undefined;
  }
  if (container instanceof Range && intOf(item) !== undefined) {
    const distance = intOf(item)! - container.start;
    return distance % container.step === 0n && distance / container.step >= 0n &&
      distance / container.step < BigInt(container.length);
  }
  for (const other of iterate(meter, container, `argument of type '${typeName(container)}' is not iterable`)) {
    if (same(meter, other, item)) return true;
  }
  return false;
}

/** The elements, one after the other, each paid for. */
export function iterate(meter: Meter, value: Value, refusal?: string): IterableIterator<Value> {
  const iterable = elements(meter, value);
  if (iterable !== undefined) return paid(meter, iterable);
  throw new TemplateError(refusal ?? `'${typeName(value)}' object is not iterable`);
}

function* paid(meter: Meter, iterable: Iterable<Value>): IterableIterator<Value> {
  for (const value of iterable) {
    meter.spend(1);
    yield value;
  }
}

/** Undefined where there is nothing to iterate. */
export function elements(meter: Meter, value: Value): Iterable<Value> | undefined {
  if (isStr(value)) {
    return letters(meter, value);
  }
  if (value instanceof List || value instanceof Tuple) return value.items;
  if (value instanceof Dict) return keys(value);
  if (value instanceof View) return view(value);
  if (value instanceof Range) return numbers(value);
  if (value instanceof Iter) return { [Symbol.iterator]: () => ({ next: () => value.iterator.next() }) };
  if (value instanceof Undefined) return [];
  const text = textOf(value);
  if (text !== undefined) return elements(meter, text);
  return value instanceof Thing ? value.elements() : undefined;
}

function* keys(dict: Dict): Iterable<Value> {
  for (const [key] of dict.entries()) yield key;
}

function* view({ what, dict }: View): Iterable<Value> {
  for (const [key, value] of dict.entries()) {
    yield what === "keys" ? key : what === "values" ? value : new Tuple([key, value]);
  }
}

function* numbers(range: Range): Iterable<Value> {
  const length = range.length;
  for (let i = 0; i < length; i++) yield range.at(i);
}

/** All elements, in an array. */
export function listed(meter: Meter, value: Value): Value[] {
  const out: Value[] = [];
  for (const item of iterate(meter, value)) out.push(item);
  meter.items(out.length);
  return out;
}

/** As sorted(): stable, by these keys. */
export function sorted(
  meter: Meter,
  values: readonly Value[],
  key: (value: Value) => Value,
  reverse: boolean,
): Value[] {
  meter.items(values.length);
  const entries = values.map((value) => ({ value, key: key(value) }));
  const sign = reverse ? -1 : 1;
  entries.sort((a, b) => sign * (order(meter, a.key, b.key, "<") ?? 0));
  return entries.map(({ value }) => value);
}

/** Elements of what has a length; undefined of what has none. */
export function length(meter: Meter, value: Value): number | undefined {
  const text = textOf(value);
  if (text !== undefined) {
    meter.spend(plain(text).length / 64);
    return points(meter, plain(text));
  }
  if (value instanceof List || value instanceof Tuple) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof View) return value.dict.size;
  if (value instanceof Range) return value.length;
  if (value instanceof Thing) return value.size();
  return value instanceof Undefined ? 0 : undefined;
}
