// hunch score --jsonl: one request per line of stdin, one result per line of stdout, in the same order. A line that is
// wrong, or whose scores fail in whatever way, gets an error in its place, and the rest is still done.
import type { Engine } from "../../src/backend.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import { scoreTokens } from "../../src/round/perplexity.ts";
import type { ScoreCommand } from "./options.ts";
import { failureOf } from "../output/failure.ts";
import { type Fields, ForeignFields, foreignFields, idOf, parseFields, wholeField, wrong } from "../input/fields.ts";
import { scoreJson } from "../output/token-scores.ts";
import { stderr, stdout } from "../output/streams.ts";
import { tokensOf } from "./tokens.ts";
import { type Line, stdinLines } from "../input/text.ts";

const FIELDS = ["id", "text", "ids", "top", "window"];

/** Returns the exit code: `partial` where some lines failed. */
export async function answerScores(engine: Engine, options: ScoreCommand): Promise<number> {
  let failed = 0;
  const foreign = new ForeignFields((text) => stderr.line(text));
  for await (const line of stdinLines()) {
    if (line.blank) continue;
    if (!await answerLine(line, engine, options, foreign)) failed++;
  }
  return failed > 0 ? EXIT.partial : EXIT.ok;
}

async function answerLine(
  line: Line,
  engine: Engine,
  options: ScoreCommand,
  foreign: ForeignFields,
): Promise<boolean> {
  const { number } = line;
  let id: Fields = {};
  let result: object;
  try {
    const fields = parseFields(line.text, "text", 'write "…", {"text": "…"} or {"ids": […]}');
    const own = idOf(fields);
    if (own !== undefined) id = { id: own };
    foreign.see(number, foreignFields(fields, FIELDS));
    const tokens = tokensOf(engine.source, givenBy(fields));
    const top = wholeField(fields, "top", 0, 1000) ?? options.top;
    const window = wholeField(fields, "window", 2, 2 ** 31) ?? options.window;
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

function givenBy(fields: Fields): string | Int32Array {
  const [text, ids] = [fields.text ?? undefined, fields.ids ?? undefined];
  if ((text === undefined) === (ids === undefined)) {
    throw new HunchError("input", "a request has either text or ids", { field: "text", hint: "give one of them" });
  }
  if (text !== undefined) {
    if (typeof text === "string") return text;
    throw wrong("text", "text");
  }
  const isId = (id: unknown) => typeof id === "number" && Number.isInteger(id) && id >= 0 && id < 2 ** 31;
  if (Array.isArray(ids) && ids.every(isId)) return Int32Array.from(ids as number[]);
  throw wrong("ids", "a list of token ids");
}
