// What a benchmark suite is, and how it is told things.
import process from "node:process";
import { HunchError } from "../src/errors.ts";

/** A suite returns Markdown, and may name the versions that it measured. */
export interface Suite {
  readonly summary: string;
  run(): Promise<{ report: string; versions?: Record<string, string> }>;
}

/** What stands after `--name=` on the command line, the first time. */
export function option(name: string): string | undefined {
  return process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
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
