// The tools that a prompt offers, and the calls of them that it tells of: JSON in the midst of text.
import { jsonPrefix } from "./json-prefix.ts";

/** What a schema says of a parameter. */
export interface Parameter {
  readonly name: string;
  /** `string`, `number`, `array`, …; "" where the schema does not say. */
  readonly type: string;
  /** The only values allowed, as JSON; empty where any is. */
  readonly values: readonly string[];
  readonly required: boolean;
}

export interface Tool {
  readonly name: string;
  /** In the schema's order. */
  readonly parameters: readonly Parameter[];
}

export interface Call {
  readonly tool: string;
  /** As JSON, as they were said. */
  readonly values: ReadonlyMap<string, string>;
}

/** Characters that are read in one text, again and again where JSON begins and breaks off: a long one has many braces. */
const MOST_READ = 1_000_000;

/** All tools and calls of a text, in its order. */
export function toolsIn(text: string): { readonly tools: readonly Tool[]; readonly calls: readonly Call[] } {
  const tools: Tool[] = [];
  const calls: Call[] = [];
  if (!text.includes('"name"')) return { tools, calls };
  const budget = { left: MOST_READ };
  /** Brackets that are open to the end of the text. */
  const open = new Set<number>();
  for (let at = text.search(/[{[]/); at >= 0 && budget.left > 0;) {
    const read = open.has(at) ? undefined : jsonPrefix(text.slice(at, at + LONGEST), budget);
    if (at + LONGEST >= text.length) { for (const { from } of read?.levels ?? []) open.add(at + from); }
    const value = read !== undefined && read.levels.length === 0 ? parsed(text.slice(at, at + read.length)) : undefined;
    if (value !== undefined) gather(value, tools, calls);
    const rest = at + (value === undefined ? 1 : read!.length);
    const next = text.slice(rest).search(/[{[]/);
    at = next < 0 ? -1 : rest + next;
  }
  return { tools, calls };
}

/** Longer JSON is no schema. */
const LONGEST = 2 ** 16;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lists and objects inside each other deeper than this are not looked into. */
const DEEPEST = 64;

function gather(value: unknown, tools: Tool[], calls: Call[], depth = 0): void {
  if (typeof value !== "object" || value === null || depth > DEEPEST) return;
  const { name, parameters, input_schema, arguments: args } = value as Record<string, unknown>;
  const schema = parameters ?? input_schema;
  if (typeof name === "string" && isObject(args)) {
    calls.push({ tool: name, values: new Map(Object.entries(args).map(([key, value]) => [key, spaced(value)])) });
  } else if (typeof name === "string" && isObject(schema)) tools.push({ name, parameters: parametersOf(schema) });
  else for (const part of Object.values(value)) gather(part, tools, calls, depth + 1);
}

function parametersOf(schema: Record<string, unknown>): Parameter[] {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(properties).map(([name, about]) => {
    const { type, enum: values } = isObject(about) ? about : {};
    return {
      name,
      type: typeof type === "string" ? type : "",
      values: Array.isArray(values) ? values.map(spaced) : type === "boolean" ? ["true", "false"] : [],
      required: required.includes(name),
    };
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON with a space behind colons and commas, as Python and chat templates write it. */
export function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  return `{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}: ${spaced(part)}`).join(", ")}}`;
}
