// What a benchmark suite is, and how it is told things.
import process from "node:process";

/** A suite returns Markdown, and may name the versions that it measured. */
export interface Suite {
  readonly summary: string;
  run(): Promise<{ report: string; versions?: Record<string, string> }>;
}

/** What stands after `--name=` on the command line, the first time. */
export function option(name: string): string | undefined {
  return process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
}
