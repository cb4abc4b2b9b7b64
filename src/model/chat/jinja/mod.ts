// Chat templates as Jinja 3.1 renders them in the environment of transformers: a sandbox where nothing can be changed
// but namespaces, with `trim_blocks`, `lstrip_blocks`, `break` and `continue`, `generation`, and its own `tojson`.
// Python's values and errors; whatever differs is refused by name. Time, memory, output and depth are counted (meter.ts).
import { analyse, type Analysis } from "./analysis.ts";
import { evaluate, isFolded } from "./evaluate.ts";
import { FUNCTIONS, functions } from "./functions.ts";
import { BudgetError, Meter, TemplateError } from "./meter.ts";
import type { Body } from "./nodes.ts";
import { parse } from "./parser.ts";
import { plain, Said } from "./text.ts";
import { Dict, List, type Value } from "./values.ts";

export { BudgetError, TemplateError };
export { said } from "./text.ts";
export { Dict, List, type Value } from "./values.ts";

/** Longest template read, UTF-16 units. The longest in use are about a tenth of it. */
export const LONGEST_TEMPLATE = 1 << 18;

export interface Template {
  readonly body: Body;
  readonly analysis: Analysis;
}

/** Throws TemplateError or BudgetError where this is no template. */
export function parseTemplate(text: string): Template {
  if (text.length > LONGEST_TEMPLATE) {
    throw new BudgetError(`has ${text.length} characters; at most ${LONGEST_TEMPLATE} are read`);
  }
  const body = parse(text);
  const meter = new Meter(0);
  return { body, analysis: analyse(body, (expression) => isFolded(expression, meter)) };
}

/** Variables that a template reads, without the functions that it is given. */
export function variablesOf({ analysis }: Template): string[] {
  return [...analysis.reads].filter((name) => !FUNCTIONS.includes(name));
}

export interface Rendered {
  readonly text: string;
  /** Where it was said by a message: [from, to, from, to, …] in UTF-16 units, ascending. */
  readonly said: readonly number[];
}

/** `inputSize`: UTF-16 units of all that is given; what may be spent grows with it. */
export function renderTemplate(
  { body, analysis }: Template,
  variables: Readonly<Record<string, Value>>,
  inputSize: number,
  now: () => Date,
): Rendered {
  const meter = new Meter(inputSize);
  const given = [...functions(meter, now), ...Object.entries(variables)];
  const text = evaluate(body, analysis, meter, given);
  return { text: plain(text), said: text instanceof Said ? text.spans : [] };
}

/** A value of JSON; whole numbers are ints. Throws TemplateError where it is nested too deeply. */
export function fromJson(value: unknown, depth = 0): Value {
  if (depth > 100) throw new BudgetError("is given a variable that is nested too deeply");
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean" || typeof value === "string" || typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
  if (Array.isArray(value)) return new List(value.map((item) => fromJson(item, depth + 1)));
  return Dict.of(Object.entries(value as object).map(([key, item]) => [key, fromJson(item, depth + 1)] as const));
}
