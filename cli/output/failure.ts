// From whatever was thrown to one line on stderr and an exit code.
import { EXIT, type FailureKind, HunchError } from "../../src/errors.ts";
import { ClosedPipe, stderr } from "./streams.ts";

/** Prints one line, or with `debug` the whole stack, and returns the exit code. */
export function complain(error: unknown, debug: boolean): number {
  if (error instanceof ClosedPipe) return EXIT.ok; // whoever closed the pipe has what they wanted
  for (let thrown = debug ? error : undefined; thrown !== undefined; thrown = (thrown as Error | null)?.cause) {
    stderr.line(thrown instanceof Error ? thrown.stack ?? String(thrown) : String(thrown));
  }
  stderr.line(`hunch: ${describe(error)}`);
  return error instanceof HunchError ? error.exitCode : systemFailure(error) ? EXIT.unavailable : EXIT.failure;
}

/** What programs are told about anything thrown; `failure` is a bug of hunch. */
export function failureOf(error: unknown): { readonly kind: FailureKind | "failure"; readonly message: string } {
  const other = systemFailure(error) === undefined ? "failure" : "unavailable";
  return { kind: error instanceof HunchError ? error.kind : other, message: describe(error) };
}

/** One line about anything thrown. */
export function describe(error: unknown): string {
  if (error instanceof HunchError) return error.line;
  const text = String(error instanceof Error ? error.message || error.name : error).replaceAll(/\s+/g, " ").trim();
  return systemFailure(error) ?? `${text}; this is a bug of hunch, run again with --debug to see where`;
}

/** Failures of the machine that libraries report as plain errors. */
function systemFailure(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path } = error as { code?: unknown; path?: unknown };
  const where = typeof path === "string" ? ` (${path})` : "";
  switch (code) {
    case "ENOSPC":
      return `no space left on the device${where}; free some, or empty the cache with: hunch cache clear`;
    case "EDQUOT":
      return `the disk quota is used up${where}; free some, or empty the cache with: hunch cache clear`;
    case "EFBIG":
      return `the file grew past the largest size that is allowed${where}; see ulimit -f`;
    case "EIO":
      return `the device does not read or write${where}; look after the disk`;
    case "EACCES":
    case "EPERM":
      return `permission denied${where}`;
    case "EROFS":
      return `the file system is read-only${where}; set HUNCH_CACHE to a folder that can be written`;
    case "EMFILE":
    case "ENFILE":
      return `too many open files${where}`;
    case "ENOMEM":
      return "not enough memory";
  }
  if (
    error instanceof RangeError && /allocation failed|out of memory|invalid array buffer length/i.test(error.message)
  ) {
    return "not enough memory";
  }
  return undefined;
}
