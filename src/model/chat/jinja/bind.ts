// Arguments of a call, matched with the names of parameters as Python does.
import { TemplateError } from "./meter.ts";
import { plain, type Str } from "./text.ts";
import { type Arguments, intOf, textOf, typeName, type Value } from "./values.ts";

export const NOTHING: Arguments = { positional: [], named: new Map() };

export function positional(...values: Value[]): Arguments {
  return { positional: values, named: new Map() };
}

/** Values by parameter; undefined where one was not given. The first `required` must be. */
export function bind(
  what: string,
  { positional, named }: Arguments,
  parameters: readonly string[],
  required = 0,
): (Value | undefined)[] {
  if (positional.length > parameters.length) {
    throw new TemplateError(`${what}() takes ${parameters.length} arguments but ${positional.length} were given`);
  }
  const values: (Value | undefined)[] = parameters.map((_, i) => positional[i]);
  for (const [name, value] of named) {
    const at = parameters.indexOf(name);
    if (at < 0) throw new TemplateError(`${what}() got an unexpected keyword argument '${name}'`);
    if (values[at] !== undefined) throw new TemplateError(`${what}() got multiple values for argument '${name}'`);
    values[at] = value;
  }
  const missing = values.findIndex((value, i) => i < required && value === undefined);
  if (missing >= 0) throw new TemplateError(`${what}() is missing its argument '${parameters[missing]}'`);
  return values;
}

export function needText(what: string, value: Value | undefined): Str {
  const text = value === undefined ? undefined : textOf(value);
  if (text !== undefined) return text;
  throw new TemplateError(`${what}: expected str, not ${value === undefined ? "nothing" : typeName(value)}`);
}

export function needPlain(what: string, value: Value | undefined): string {
  return plain(needText(what, value));
}

/** An int as a number, cut off where that is not exact; `fallback` where it was not given. */
export function needInt(what: string, value: Value | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  const int = intOf(value);
  if (int === undefined) {
    throw new TemplateError(`${what}: '${typeName(value)}' object cannot be interpreted as an integer`);
  }
  return clamp(int);
}

export function clamp(value: bigint): number {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > most ? most : value < -most ? -most : value);
}
