// A line of JSON as a request's fields: what they must be, which are mistyped, and which mean nothing here.
import { closest } from "../../src/suggestion.ts";
import { HunchError } from "../../src/errors.ts";
import { Fields } from "../../src/fields.ts";

/** A request's id. Numbers whose digits JavaScript would change are kept as they were written (`JSON.rawJSON`). */
export type RequestId = string | number | RawJson;
type RawJson = { readonly rawJSON: string };

/** A line's fields; a mere text is the field `shorthand`. Throws HunchError("input") where it is neither. */
export function parseFields(text: string, shorthand: string, hint: string): Fields {
  let value: unknown;
  try {
    value = (JSON.parse as WithSource)(text, keepDigits);
  } catch (error) {
    throw new HunchError("input", `not JSON: ${(error as Error).message}`);
  }
  const refuse = (must: string, field: string) =>
    field === "" ? new HunchError("input", "a request is a string or an object", { hint }) : wrong(field, must);
  return Fields.of(typeof value === "string" ? { [shorthand]: value } : value, refuse);
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
type WithSource = (text: string, reviver: Reviver) => unknown;

/** Integers beyond 2^53 are different numbers once they are parsed, and two requests would get one seed or id. */
function keepDigits(key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== "number" || source === undefined || String(value) === source) return value;
  if (key === "id") return (JSON as unknown as { rawJSON(text: string): RawJson }).rawJSON(source);
  return key === "seed" && /^-?\d+$/.test(source) ? source : value;
}

/** Undefined where the line has none. Throws HunchError("input") where it is no text and no number. */
export function idOf({ values: { id } }: Fields): RequestId | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === "string" || typeof id === "number") return id;
  if (typeof id === "object" && Object.isFrozen(id) && "rawJSON" in id) return id as RawJson;
  throw wrong("id", "a string or a number");
}

/** The id of a line that may be wrong otherwise. */
export function idOfLine(text: string): RequestId | undefined {
  try {
    return idOf(parseFields(text, "", ""));
  } catch {
    return undefined;
  }
}

/**
 * Names of fields that stand there for other programs. Throws HunchError("input") where one looks like a mistyped one of
 * `known`.
 */
export function foreignFields({ values }: Fields, known: readonly string[]): string[] {
  const foreign = Object.keys(values).filter((name) => !known.includes(name) && values[name] !== null);
  for (const name of foreign) {
    const near = closest(name, known.filter((field) => field.length > 3));
    if (near !== undefined) {
      throw new HunchError("input", "there is no such field", { field: name, hint: `did you mean ${near}?` });
    }
  }
  return foreign;
}

/** Tells of each foreign field once, by name. */
export class ForeignFields {
  readonly #told = new Set<string>();

  constructor(private readonly tell: (text: string) => void) {}

  see(line: number, names: readonly string[]): void {
    const fresh = names.filter((name) => !this.#told.has(name));
    for (const name of fresh) this.#told.add(name);
    if (fresh.length === 0) return;
    const shown = fresh.slice(0, 20).map((name) => JSON.stringify(name.slice(0, 40)));
    if (fresh.length > shown.length) shown.push(`${fresh.length - shown.length} more`);
    this.tell(`hunch: line ${line}: not obeyed, here or in later lines: ${shown.join(", ")}`);
  }
}

/** The complaint about a field that is not what it must be. */
export function wrong(field: string, what: string): HunchError {
  return new HunchError("input", "the request is not as it must be", { field, hint: `it must be ${what}` });
}
