// Typed access to parsed JSON that complains by field name.
import { HunchError, type Place } from "../../errors.ts";

/** One value of a JSON file and how it is reached, e.g. `model.vocab`. */
export class Json {
  constructor(readonly value: unknown, readonly place: Place, readonly path = "") {}

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  fail(message: string, hint = ""): HunchError {
    return new HunchError("input", message, { ...this.place, field: this.path || undefined, hint });
  }

  /** A member; absent where this value is absent. */
  get(name: string): Json {
    const path = this.path === "" ? name : `${this.path}.${name}`;
    if (this.isAbsent) return new Json(undefined, this.place, path);
    if (typeof this.value !== "object" || Array.isArray(this.value)) throw this.fail("this is no JSON object");
    const own = Object.hasOwn(this.value as object, name);
    return new Json(own ? (this.value as Record<string, unknown>)[name] : undefined, this.place, path);
  }

  /** The members of an object; none where it is absent. */
  entries(): [string, unknown][] {
    if (this.isAbsent) return [];
    if (typeof this.value !== "object" || Array.isArray(this.value)) throw this.fail("this is no JSON object");
    return Object.entries(this.value as object);
  }

  /** The elements of a list; none where it is absent. */
  list(): unknown[] {
    if (this.isAbsent) return [];
    if (!Array.isArray(this.value)) throw this.fail("this is no list");
    return this.value;
  }

  items(): Json[] {
    return this.list().map((item, i) => new Json(item, this.place, `${this.path}[${i}]`));
  }

  text(): string | undefined {
    if (this.isAbsent || typeof this.value === "string") return this.value as string | undefined ?? undefined;
    throw this.fail("this is no text");
  }

  flag(): boolean | undefined {
    if (this.isAbsent || typeof this.value === "boolean") return this.value as boolean | undefined ?? undefined;
    throw this.fail("this is neither true nor false");
  }

  /** A whole number from 0 to `most`. */
  index(most: number): number | undefined {
    if (this.isAbsent) return undefined;
    const { value } = this;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw this.fail(`${String(value).slice(0, 40)} is no whole number from 0 to ${most}`);
  }
}
