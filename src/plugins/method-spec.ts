// How a method is written on one line: name:argument?option=value&option=value.
//
// Parentheses protect what is inside, so that methods made of others can take specs, as arguments and as options:
// `model:(draft.bin?tokenizer=other.bin)?shape=(target-init?widths=4,2&threshold=0.2)`. A pair that holds all of an
// argument or of a value is taken off. A switch may be written without its value: `?fast` is `?fast=true`.
import { match } from "ts-pattern";
import { HunchError } from "../errors.ts";
import { suggestion } from "../suggestion.ts";
import type { OptionSpec, OptionValues } from "./plugin.ts";

export interface MethodSpec {
  readonly name: string;
  /** "" where none was given. */
  readonly argument: string;
  /** As written but for parentheses, unchecked. */
  readonly options: ReadonlyMap<string, string>;
}

export function parseSpec(text: string): MethodSpec {
  const [head, ...rest] = splitOutside(text, "?");
  const colon = head.indexOf(":");
  const name = colon < 0 ? head : head.slice(0, colon);
  if (name === "") {
    throw new HunchError("usage", `${JSON.stringify(text)} names no method`, {
      hint: "write name:argument?option=value",
    });
  }
  if (/[()]/.test(name)) {
    throw new HunchError("usage", `the parentheses of ${text} do not match`, {
      hint: "write option=(method?option=value)",
    });
  }
  const options = new Map<string, string>();
  const written = rest.join("?");
  for (const pair of written === "" ? [] : splitOutside(written, "&")) {
    const equals = pair.indexOf("=");
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (options.has(key)) throw new HunchError("usage", `${text} sets ${key} twice`, { hint: "leave one out" });
    options.set(key, equals < 0 ? "true" : unwrap(pair.slice(equals + 1)));
  }
  return { name, argument: colon < 0 ? "" : unwrap(head.slice(colon + 1)), options };
}

/** Without the parentheses where one pair holds all. */
export function unwrap(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0) return text;
  }
  return text.slice(1, -1);
}

/** Splits at a character wherever it stands outside parentheses. */
export function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    else if (text[i] === separator && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)];
}

/** Every declared option, from what was written or by default. Throws HunchError("usage") that names the method. */
export function checkOptions(
  method: string,
  declared: Readonly<Record<string, OptionSpec>>,
  written: ReadonlyMap<string, string>,
): OptionValues {
  const names = Object.keys(declared);
  for (const name of written.keys()) {
    if (names.includes(name)) continue;
    throw new HunchError("usage", `${method} has no option ${JSON.stringify(name)}`, {
      hint: suggestion(name, names, { otherwise: `it has ${names.join(", ") || "none"}` }),
    });
  }
  return Object.fromEntries(names.map((name) => {
    const text = written.get(name);
    return [name, text === undefined ? declared[name].default : valueOf(`${method}?${name}`, declared[name], text)];
  }));
}

function valueOf(what: string, spec: OptionSpec, text: string): number | boolean | string {
  const refuse = (wanted: string): never => {
    throw new HunchError("usage", `${what} is ${JSON.stringify(text)}`, { hint: `give ${wanted}` });
  };
  if (spec.choices !== undefined && !spec.choices.includes(text)) {
    const near = suggestion(text, spec.choices, { otherwise: "" });
    refuse([`one of ${spec.choices.join(", ")}`, near].filter(Boolean).join("; "));
  }
  return match(spec)
    .with({ type: "string" }, () => text)
    .with({ type: "boolean" }, () => text === "true" || (text === "false" ? false : refuse("true or false")))
    .with({ type: "integer" }, { type: "number" }, (wanted) => {
      const value = text.trim() === "" ? NaN : Number(text);
      const { type, min = -Infinity, max = Infinity } = wanted;
      const fits = value >= min && value <= max && (type === "number" || Number.isInteger(value));
      return fits ? value : refuse((type === "integer" ? "a whole number" : "a number") + range(wanted));
    })
    .exhaustive();
}

function range({ min, max }: OptionSpec): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return `, ${min} or more`;
  return max === undefined ? "" : `, ${max} or less`;
}
