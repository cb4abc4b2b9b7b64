// hunch score --jsonl: one request per line of stdin, one result per line of stdout, in the same order. A line that is
// wrong, or whose scores fail in whatever way, gets an error in its place, and the rest is still done.
import type { Engine } from "../src/backend.ts";
import { closest } from "../src/closest.ts";
import { EXIT, HunchError } from "../src/errors.ts";
import { scoreTokens } from "../src/score.ts";
import type { ScoreCommand } from "./commands/score.ts";
import { failureOf } from "./failure.ts";
import { scoreJson } from "./output/score.ts";
import { stderr, stdout } from "./output/streams.ts";
import { tokensOf } from "./score.ts";
import { type Line, stdinLines } from "./text.ts";

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = ["id", "text", "ids", "top", "window"];

/** Returns the exit code: `partial` where some lines failed. */
export async function answerScores(engine: Engine, options: ScoreCommand): Promise<number> {
  let failed = 0;
  for await (const line of stdinLines()) {
    if (line.blank) continue;
    if (!await answerLine(line, engine, options)) failed++;
  }
  return failed > 0 ? EXIT.partial : EXIT.ok;
}

async function answerLine(line: Line, engine: Engine, options: ScoreCommand): Promise<boolean> {
  const { number } = line;
  let id: Fields = {};
  let result: object;
  try {
    const fields = parse(line.text);
    if (typeof fields.id === "string" || typeof fields.id === "number") id = { id: fields.id };
    refuseMistyped(fields);
    const tokens = tokensOf(engine.source, givenBy(fields));
    const top = whole(fields, "top", 0, 1000) ?? options.top;
    const window = whole(fields, "window", 2, 2 ** 31) ?? options.window;
    const found = await scoreTokens(engine, tokens, { top, window });
    result = { line: number, ...id, ...scoreJson(engine, found) };
  } catch (error) {
    const failure = failureOf(error);
    stdout.line(JSON.stringify({ line: number, ...id, error: failure }));
    stderr.line(`hunch: line ${number}: ${failure.message}`);
    return false;
  }
  stdout.line(JSON.stringify(result));
  return true;
}

function parse(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HunchError("input", `not JSON: ${(error as Error).message}`);
  }
  if (typeof value === "string") return { text: value };
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new HunchError("input", "a request is a string or an object", {}, 'write "…", {"text": "…"} or {"ids": […]}');
}

/** Other fields may stand there for other programs, but not what looks like one of ours. */
function refuseMistyped(fields: Fields): void {
  for (const name of Object.keys(fields)) {
    const near = FIELDS.includes(name) ? undefined : closest(name, FIELDS.filter((field) => field.length > 3));
    if (near !== undefined) {
      throw new HunchError("input", "there is no such field", { field: name }, `did you mean ${near}?`);
    }
  }
}

function givenBy({ text, ids }: Fields): string | Int32Array {
  if ((text === undefined) === (ids === undefined)) {
    throw new HunchError("input", "a request has either text or ids", { field: "text" }, "give one of them");
  }
  if (text !== undefined) {
    if (typeof text === "string") return text;
    throw wrong("text", "text");
  }
  const isId = (id: unknown) => typeof id === "number" && Number.isInteger(id) && id >= 0 && id < 2 ** 31;
  if (Array.isArray(ids) && ids.every(isId)) return Int32Array.from(ids as number[]);
  throw wrong("ids", "a list of token ids");
}

function whole(fields: Fields, name: string, least: number, most: number): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw wrong(name, `a whole number from ${least} to ${most}`);
}

function wrong(field: string, what: string): HunchError {
  return new HunchError("input", "the request is not as it must be", { field }, `it must be ${what}`);
}
