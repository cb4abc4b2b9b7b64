// Hyper-parameters of a model file, asked for by name and checked. A question lists the names that GGUF and Hugging
// Face have for one thing; the first that the file has answers.
import { HunchError } from "../../errors.ts";

/** No hyper-parameter that counts something is larger. */
const LARGEST = 2 ** 31;

export class Hyper {
  /**
   * `lookup` answers undefined where the file lacks a name, null where it says that there is none; `prefix` is where its names are in the file. `read`
   * gathers the names that answered a question, with their prefixes, and with a dot behind them those of opened objects.
   * `own` tells what the file calls names that are asked for, where it has another word.
   */
  constructor(
    readonly path: string,
    readonly lookup: (name: string) => unknown,
    private readonly prefix = "",
    readonly read = new Set<string>(),
    private readonly own: Readonly<Record<string, string>> = {},
  ) {}

  /**
   * The same hyper-parameters, of a file that has its own words for some names and leaves others to `defaults`. A null
   * in the file stays: it says that there is none.
   */
  renamed(own: Readonly<Record<string, string>> = {}, defaults: Readonly<Record<string, unknown>> = {}): Hyper {
    const lookup = (name: string) => {
      const value = this.lookup(name);
      return value === undefined && Object.hasOwn(defaults, name) ? defaults[name] : value;
    };
    return new Hyper(this.path, lookup, this.prefix, this.read, own);
  }

  /** The first of `names` that the file has. Others of them that say the same count as read. */
  find(names: readonly string[]): { name: string; value: unknown } | undefined {
    const found = names.flatMap((name) => Object.hasOwn(this.own, name) ? [this.own[name], name] : name)
      .map((name) => ({ name, value: this.lookup(name) }))
      .filter(({ value }) => value !== undefined && value !== null);
    for (const { name, value } of found) if (value === found[0].value) this.read.add(this.prefix + name);
    return found[0];
  }

  has(...names: string[]): boolean {
    return this.find(names) !== undefined;
  }

  wrong(name: string, message: string, hint = "the file is damaged, or of a kind that is not supported"): HunchError {
    return new HunchError("input", message, { file: this.path, field: this.prefix + name, hint });
  }

  /** A whole number from 1 up (from 0 where `fallback` is 0). Lists of one and the same number count as it. */
  integer(names: readonly string[], fallback?: number): number {
    const found = this.find(names);
    if (!found) return this.#absent(names, fallback);
    const value = single(found.value);
    if (typeof value === "object") throw this.wrong(found.name, "differs between layers, which is not supported");
    if (typeof value !== "number" || !Number.isInteger(value) || value < (fallback === 0 ? 0 : 1) || value > LARGEST) {
      throw this.wrong(found.name, `${show(value)} is not a sensible whole number`);
    }
    return value;
  }

  /** A finite number. */
  number(names: readonly string[], fallback?: number): number {
    const found = this.find(names);
    if (!found) return this.#absent(names, fallback);
    if (typeof found.value !== "number" || !Number.isFinite(found.value)) {
      throw this.wrong(found.name, `${show(found.value)} is not a number`);
    }
    return found.value;
  }

  /** A finite number above 0. */
  positive(names: readonly string[], fallback?: number): number {
    const value = this.number(names, fallback);
    if (value <= 0) throw this.wrong(this.find(names)?.name ?? names[0], `${value} is not above zero`);
    return value;
  }

  flag(names: readonly string[], fallback: boolean): boolean {
    const found = this.find(names);
    if (!found) return fallback;
    if (typeof found.value !== "boolean") throw this.wrong(found.name, `${show(found.value)} is not true or false`);
    return found.value;
  }

  text(names: readonly string[], fallback?: string): string {
    const found = this.find(names);
    if (!found) return this.#absent(names, fallback);
    if (typeof found.value !== "string") throw this.wrong(found.name, `${show(found.value)} is not a text`);
    return found.value;
  }

  /** A list of `length` finite numbers; undefined where the file has none. Booleans count as 0 and 1. */
  numbers(names: readonly string[], length: number): number[] | undefined {
    const found = this.find(names);
    if (!found) return undefined;
    const list = Array.isArray(found.value) || ArrayBuffer.isView(found.value) ? found.value : undefined;
    const out = list &&
      Array.from(list as ArrayLike<unknown>, (item) => typeof item === "boolean" ? Number(item) : item);
    if (out?.length !== length || !out.every((item) => typeof item === "number" && Number.isFinite(item))) {
      throw this.wrong(found.name, `is not a list of ${length} numbers`);
    }
    return out as number[];
  }

  /** A list of `length` texts; undefined where the file has none. */
  texts(names: readonly string[], length: number): string[] | undefined {
    const found = this.find(names);
    if (!found) return undefined;
    const list = found.value;
    if (!Array.isArray(list) || list.length !== length || !list.every((item) => typeof item === "string")) {
      throw this.wrong(found.name, `is not a list of ${length} texts`);
    }
    return list;
  }

  /** The hyper-parameters inside an object; undefined where the file has none. */
  inside(names: readonly string[]): Hyper | undefined {
    const found = this.find(names);
    if (!found) return undefined;
    const record = found.value;
    if (typeof record !== "object" || Array.isArray(record)) throw this.wrong(found.name, "is not an object");
    const prefix = `${this.prefix}${found.name}.`;
    this.read.add(prefix);
    return fromRecord(this.path, record as Record<string, unknown>, prefix, this.read);
  }

  #absent<T>(names: readonly string[], fallback: T | undefined): T {
    if (fallback === undefined) throw this.wrong(names.join(" or "), "the file does not tell this hyper-parameter");
    return fallback;
  }
}

/** Hyper-parameters of a JSON object. */
export function fromRecord(path: string, record: Record<string, unknown>, prefix = "", read?: Set<string>): Hyper {
  return new Hyper(path, (name) => Object.hasOwn(record, name) ? record[name] : undefined, prefix, read);
}

function single(value: unknown): unknown {
  const list = Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value as ArrayLike<unknown>) : undefined;
  if (!list) return value;
  return list.length > 0 && list.every((item) => item === list[0]) ? list[0] : value;
}

function show(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value) ?? String(value);
  return text.length > 40 ? text.slice(0, 40) + "…" : text;
}
