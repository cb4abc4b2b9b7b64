// Objects that somebody else wrote: a line of JSON, a file of the cache, a plugin's declaration. A field is read as what it
// must be, or refused in one line with its place.
import { HunchError } from "./errors.ts";

export type Values = Readonly<Record<string, unknown>>;

/** Makes the refusal. `field`: where, as in `points[2].ms`; "" where the whole is wrong. */
export type Refuse = (must: string, field: string) => HunchError;

interface Kinds {
  number: number;
  string: string;
  boolean: boolean;
}

const KINDS: Readonly<Record<keyof Kinds, string>> = { number: "a number", string: "text", boolean: "true or false" };

/** The refusal of a file of ours that is not as we write it: the cache makes such a file anew. */
export function damaged(file: string, must: string, field: string): HunchError {
  return new HunchError("input", `this file is damaged: it must be ${must}`, { file, field: field || undefined });
}

/** For example, of `{"points": [{"width": 2, "ms": "fast"}]}` the number `ms` is refused at `points[0].ms`. */
export class Fields {
  private constructor(readonly values: Values, private readonly refuse: Refuse, private readonly at: string) {}

  /** Throws what `refuse` makes where `value` is no object. */
  static of(value: unknown, refuse: Refuse, must = "an object", at = ""): Fields {
    if (isObject(value)) return new Fields(value, refuse, at === "" ? "" : `${at}.`);
    throw refuse(must, at);
  }

  /** `must`: what the field must be. */
  wrong(name: string, must: string): HunchError {
    return this.refuse(must, this.at + name);
  }

  need(holds: boolean, name: string, must: string): void {
    if (!holds) throw this.wrong(name, must);
  }

  /** False of a field that is left out or null. */
  has(name: string): boolean {
    return (this.values[name] ?? undefined) !== undefined;
  }

  /** Undefined where the field is left out or null. */
  optional<K extends keyof Kinds>(name: string, kind: K, must = KINDS[kind]): Kinds[K] | undefined {
    const value = this.values[name] ?? undefined;
    if (value === undefined || typeof value === kind) return value as Kinds[K] | undefined;
    throw this.wrong(name, must);
  }

  required<K extends keyof Kinds>(name: string, kind: K, must = KINDS[kind]): Kinds[K] {
    const value = this.optional(name, kind, must);
    if (value === undefined) throw this.wrong(name, must);
    return value;
  }

  /** A whole number from `least` to `most`; undefined where the field is left out or null. */
  whole(name: string, least: number, most = Infinity, must = wholeNumber(least, most)): number | undefined {
    const value = this.optional(name, "number", must);
    if (value === undefined || isWhole(value, least, most)) return value;
    throw this.wrong(name, must);
  }

  /** One of `choices`. */
  choice<T extends string>(name: string, choices: readonly T[], must = `one of ${choices.join(", ")}`): T {
    const found = choices.find((choice) => choice === this.values[name]);
    if (found === undefined) throw this.wrong(name, must);
    return found;
  }

  /** A list of 1 to `most` things. */
  list(name: string, must = "a list", most = Infinity): readonly unknown[] {
    const value = this.values[name];
    if (Array.isArray(value) && isWhole(value.length, 1, most)) return value;
    throw this.wrong(name, must);
  }

  /** What `read` makes of each object of a list. */
  each<T>(name: string, read: (fields: Fields, i: number) => T, must?: string, most?: number): T[] {
    return this.list(name, must, most).map((value, i) =>
      read(Fields.of(value, this.refuse, undefined, `${this.at}${name}[${i}]`), i)
    );
  }
}

export function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

function wholeNumber(least: number, most: number): string {
  return `a whole number${most === Infinity ? `, at least ${least}` : ` from ${least} to ${most}`}`;
}
