// Python's values, as templates see them. None is null, bool a boolean, int a bigint, float a number, str a `Str`.
import { TemplateError } from "./meter.ts";
import { isStr, plain, Said, type Str } from "./text.ts";

export type Value =
  | null
  | boolean
  | bigint
  | number
  | Str
  | Markup
  | List
  | Tuple
  | Dict
  | Range
  | View
  | Iter
  | Undefined
  | Namespace
  | Callable
  | Thing;

/** Text that is marked safe for HTML: what is added to it is escaped. */
export class Markup {
  constructor(readonly text: Str) {}
}

export class List {
  constructor(readonly items: readonly Value[]) {}
}

export class Tuple {
  /** `names`: of the elements, where they are attributes as well. */
  constructor(readonly items: readonly Value[], readonly names: readonly string[] = []) {}
}

/** In the order of insertion; equal keys (1, 1.0 and True) are one. */
export class Dict {
  readonly #entries = new Map<string, [Value, Value]>();

  static of(entries: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict();
    for (const [key, value] of entries) dict.set(key, value);
    return dict;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hash(key))?.[1];
  }

  set(key: Value, value: Value): void {
    const name = hash(key);
    const known = this.#entries.get(name);
    if (known) known[1] = value;
    else this.#entries.set(name, [key, value]);
  }

  entries(): IterableIterator<readonly [Value, Value]> {
    return this.#entries.values();
  }
}

export class Range {
  constructor(readonly start: bigint, readonly stop: bigint, readonly step: bigint) {}

  get length(): number {
    const span = this.step > 0n ? this.stop - this.start : this.start - this.stop;
    const step = this.step > 0n ? this.step : -this.step;
    return span <= 0n ? 0 : Number((span + step - 1n) / step);
  }

  at(index: number): bigint {
    return this.start + BigInt(index) * this.step;
  }
}

/** `keys()`, `values()` and `items()` of a dict. */
export class View {
  constructor(readonly what: "keys" | "values" | "items", readonly dict: Dict) {}
}

/** Where Python says a value is. There it is another one each time; prompts are always the same. */
export const ADDRESS = "0x7f0000000000";

/** A generator or iterator: it can be gone through once. `what` it is for Python. */
export class Iter {
  constructor(readonly iterator: Iterator<Value>, readonly what: string) {}
}

/** A variable, element or attribute that is not there. Most uses of it throw `message`. */
export class Undefined {
  constructor(readonly message: string) {}
}

export class Namespace {
  constructor(readonly attributes: Dict) {}
}

export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** A function, method, macro or class. */
export class Callable {
  constructor(
    /** As repr() shows it. */
    readonly shown: string,
    readonly call: (args: Arguments) => Value,
    /** Attributes, of macros. */
    readonly attribute: (name: string) => Value | undefined = () => undefined,
  ) {}

  /** A method of Python's, bound to a value. */
  static method(of: string, name: string, call: (args: Arguments) => Value): Callable {
    return new Callable(`<built-in method ${name} of ${of} object at ${ADDRESS}>`, call);
  }
}

/** `loop`, a cycler and the like: something with attributes. */
export abstract class Thing {
  abstract attribute(name: string): Value | undefined;
  /** As repr() shows it. */
  abstract readonly shown: string;
  readonly callable: boolean = false;
  /** What can be gone through. */
  elements(): Iterable<Value> | undefined {
    return undefined;
  }
  size(): number | undefined {
    return undefined;
  }
  call(_args: Arguments): Value {
    throw new TemplateError(`a ${typeName(this)} is not callable`);
  }
}

let lastIdentity = 0;
const identities = new WeakMap<object, string>();

/** A name for each value, the same for equal ones. Throws TemplateError for what cannot be a key. */
export function hash(value: Value): string {
  if (isStr(value)) return `s${plain(value)}`;
  if (value instanceof Markup) return `s${plain(value.text)}`;
  if (typeof value === "boolean") return value ? "n1" : "n0";
  if (typeof value === "bigint") return `n${value}`;
  if (typeof value === "number") return Number.isInteger(value) ? `n${BigInt(value)}` : `f${value}`;
  if (value === null) return "none";
  if (value instanceof Undefined) return "undefined";
  if (value instanceof Tuple) {
    return `t${value.items.map(hash).map((part) => `${part.length}:${part}`).join("")}`;
  }
  if (value instanceof Range) return `r${value.length}:${value.start}:${value.step}`;
  if (value instanceof List || value instanceof Dict || (value instanceof View && value.what !== "values")) {
    throw new TemplateError(`unhashable type: '${typeName(value)}'`);
  }
  const known = identities.get(value) ?? `i${++lastIdentity}`;
  identities.set(value, known);
  return known;
}

/** `??` of values: None is one. */
export function orElse<T extends Value | undefined>(value: Value | undefined, otherwise: () => T): Value | T {
  return value === undefined ? otherwise() : value;
}

/** What text there is in a str or in Markup. */
export function textOf(value: Value): Str | undefined {
  return isStr(value) ? value : value instanceof Markup ? value.text : undefined;
}

/** An int, or a bool as one. */
export function intOf(value: Value): bigint | undefined {
  return typeof value === "bigint" ? value : typeof value === "boolean" ? (value ? 1n : 0n) : undefined;
}

/** Of a number that may be a float. */
export function numberOf(value: Value): bigint | number | undefined {
  return typeof value === "number" ? value : intOf(value);
}

/** As Python's `bool()`. */
export function truth(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === "boolean") return value;
  if (typeof value === "bigint") return value !== 0n;
  if (typeof value === "number") return value !== 0;
  const text = textOf(value);
  if (text !== undefined) return plain(text) !== "";
  if (value instanceof List || value instanceof Tuple) return value.items.length > 0;
  if (value instanceof Dict) return value.size > 0;
  if (value instanceof View) return value.dict.size > 0;
  if (value instanceof Range) return value.length > 0;
  return true;
}

export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "float";
    case "string":
      return "str";
  }
  if (value instanceof Said) return "str";
  if (value instanceof View) return `dict_${value.what}`;
  if (value instanceof Callable) return "function";
  if (value instanceof Iter) return "generator";
  return value instanceof Undefined || value instanceof Namespace || value instanceof Markup || value instanceof Thing
    ? value.constructor.name
    : value.constructor.name.toLowerCase();
}
