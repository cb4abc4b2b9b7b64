// Filters and tests called by name. Some filters take the name of another, so the table of all is handed round.
import { type Meter, TemplateError } from "./meter.ts";
import { TESTS } from "./tests.ts";
import { plain } from "./text.ts";
import { type Arguments, hash, textOf, type Value } from "./values.ts";

export type Filter = (meter: Meter, value: Value, args: Arguments) => Value;
export type Filters = Readonly<Record<string, Filter>>;

export function callFilter(filters: Filters, meter: Meter, name: string, value: Value, args: Arguments): Value {
  if (!Object.hasOwn(filters, name)) throw new TemplateError(`No filter named '${name.slice(0, 80)}'.`);
  meter.spend(2);
  return filters[name](meter, value, args);
}

export function callTest(filters: Filters, meter: Meter, name: string, value: Value, args: Arguments): boolean {
  if (name === "filter" || name === "test") {
    const text = textOf(value);
    if (text === undefined) return hash(value) === ""; // throws where Python does, and is never true
    return Object.hasOwn(name === "filter" ? filters : { ...TESTS, filter: 0, test: 0 }, plain(text));
  }
  if (!Object.hasOwn(TESTS, name)) throw new TemplateError(`No test named '${name.slice(0, 80)}'.`);
  meter.spend(2);
  return TESTS[name](meter, value, args);
}
