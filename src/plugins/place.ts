// Where in a file something went wrong, as far as Bun, Deno and the standalone binary each say it.
import { readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

export interface ErrorPlace {
  /** What is wrong, on one line and without the place. */
  readonly message: string;
  /** `mine.ts:12`, the path as it was given where it is the plugin's own; without a line where nobody knows it. */
  readonly file: string;
  /** The text of that line. */
  readonly text?: string;
}

/** Bun's errors of parsing. */
interface BuildMessage {
  readonly message: string;
  readonly position?: { readonly file: string; readonly line: number } | null;
}

/** `path`: the plugin's file as it was given. */
export function errorPlace(error: unknown, path: string): ErrorPlace {
  const { errors: [first] = [error] } = error as { errors?: unknown[] } ?? {};
  const said = stripVTControlCharacters(
    first instanceof Error || isBuildMessage(first) ? first.message : String(first),
  );
  const bare = said.replace(/^SyntaxError: /, "").replace(/\n\s*\|\n[^]*$|\s+at file:\S+\s*$/, ""); // no excerpt, no place
  const message = bare.replaceAll(/\s+/g, " ").trim() || "nothing was said";
  const found = isBuildMessage(first) && first.position ? first.position : inText(said) ?? inStack(first, path);
  if (found === undefined) return { message, file: path };
  const own = sameFile(found.file, path);
  return { message, file: `${own ? path : found.file}:${found.line}`, text: lineOf(found) };
}

function isBuildMessage(error: unknown): error is BuildMessage {
  return typeof (error as BuildMessage | null)?.position === "object";
}

/** Deno writes the place at the end of the message. */
function inText(text: string): { file: string; line: number } | undefined {
  const [, url, line] = text.match(/ at (file:\S+?):(\d+):\d+\s*$/) ?? [];
  return url === undefined ? undefined : { file: fileURLToPath(url), line: Number(line) };
}

/** The innermost call in the plugin's own file. */
function inStack(error: unknown, path: string): { file: string; line: number } | undefined {
  const stack = error instanceof Error ? stripVTControlCharacters(error.stack ?? "") : "";
  for (const [, where, line] of stack.matchAll(/(?:\(|at (?:async )?|@)((?:file:)?[^\s()][^()\n]*?):(\d+):\d+/g)) {
    const file = where.startsWith("file:") ? fileURLToPath(where) : where;
    if (sameFile(file, path)) return { file, line: Number(line) };
  }
  return undefined;
}

function sameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(resolve(b));
  } catch {
    return false;
  }
}

function lineOf({ file, line }: { readonly file: string; readonly line: number }): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n")[line - 1]?.trim() || undefined;
  } catch {
    return undefined;
  }
}
