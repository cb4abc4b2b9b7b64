// What a benchmark suite is, and how it is told things.
import process from "node:process";
import { HunchError } from "../src/errors.ts";
import { suggestion } from "../src/suggestion.ts";

/** A suite returns Markdown, and may name the versions that it measured. */
export interface Suite {
  readonly summary: string;
  /** By name, what stands after `--name=`; "" of those that stand alone. */
  readonly options?: Readonly<Record<string, string>>;
  run(): Promise<{ report: string; versions?: Record<string, string> }>;
}

/** Throws HunchError("usage") where an option of the command line is none of `known`, or lacks what has to follow it. */
export function refuseUnknown(args: readonly string[], known: Readonly<Record<string, string>>): void {
  for (const word of args.filter((word) => word.startsWith("--"))) {
    const [, name, value] = word.match(/^--([^=]*)(=.*)?$/s)!;
    if (!Object.hasOwn(known, name)) {
      const hint = suggestion(`--${name}`, Object.keys(known).map((other) => `--${other}`));
      throw new HunchError("usage", `there is no option --${name}`, { hint });
    }
    const takes = known[name];
    if ((takes !== "") === (value !== undefined)) continue;
    const hint = `write --${name}${takes && `=${takes}`}`;
    throw new HunchError("usage", `--${name} ${takes === "" ? "stands alone" : "lacks a value"}`, { hint });
  }
}

/** What stands after `--name=` on the command line, each time. */
export function options(name: string): string[] {
  return process.argv.filter((word) => word.startsWith(`--${name}=`)).map((word) => word.slice(name.length + 3));
}

/** The same, the first time. */
export function option(name: string): string | undefined {
  return options(name)[0];
}

/** Whether `--name` stands on the command line. */
export function flag(name: string): boolean {
  return process.argv.includes(`--${name}`);
}

/** The whole number from 1 on after `--name=`, or `standard`. Throws HunchError("usage") where it is another. */
export function count(name: string, standard: number): number {
  const text = option(name);
  if (text === undefined) return standard;
  if (/^\d+$/.test(text) && Number(text) >= 1) return Number(text);
  throw new HunchError("usage", `--${name} cannot be ${JSON.stringify(text)}`, {
    hint: "give a whole number from 1 on",
  });
}
