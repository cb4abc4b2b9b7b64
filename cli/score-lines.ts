// hunch score --jsonl: one request per line of stdin, one result per line of stdout, in the same order. A line that is
// wrong gets an error in its place, and the rest is still done.
import type { Engine } from "../src/backend.ts";
import { EXIT, HunchError } from "../src/errors.ts";
import { scoreTokens } from "../src/score.ts";
import type { ScoreCommand } from "./commands/score.ts";
import { describe } from "./failure.ts";
import { type Fields, ForeignFields, foreignFields, idOf, parseFields, wholeField, wrong } from "./fields.ts";
import { scoreJson } from "./output/score.ts";
import { ClosedPipe, stderr, stdout } from "./output/streams.ts";
import { tokensOf } from "./score.ts";
import { type Line, stdinLines, utf8 } from "./text.ts";

const FIELDS = ["id", "text", "ids", "top", "window"];

/** Returns the exit code: `partial` where some lines failed. */
export async function answerScores(engine: Engine, options: ScoreCommand): Promise<number> {
  let failed = 0;
  const foreign = new ForeignFields((text) => stderr.line(text));
  for await (const line of stdinLines()) {
    if (line.bytes.every((byte) => byte === 32 || byte === 9)) continue;
    if (!await answerLine(line, engine, options, foreign)) failed++;
  }
  return failed > 0 ? EXIT.partial : EXIT.ok;
}

async function answerLine(
  { number, bytes }: Line,
  engine: Engine,
  options: ScoreCommand,
  foreign: ForeignFields,
): Promise<boolean> {
  let id: Fields = {};
  try {
    const fields = parseFields(utf8(bytes, "stdin"), "text", 'write "…", {"text": "…"} or {"ids": […]}');
    const own = idOf(fields);
    if (own !== undefined) id = { id: own };
    foreign.see(number, foreignFields(fields, FIELDS));
    const tokens = tokensOf(engine.source, givenBy(fields));
    const top = wholeField(fields, "top", 0, 1000) ?? options.top;
    const window = wholeField(fields, "window", 2, 2 ** 31) ?? options.window;
    const found = await scoreTokens(engine, tokens, { top, window });
    stdout.line(JSON.stringify({ line: number, ...id, ...scoreJson(engine, found) }));
    return true;
  } catch (error) {
    // Only what is wrong with this request is its own: a machine that lacks something lacks it for the next one too.
    if (error instanceof ClosedPipe || !(error instanceof HunchError) || error.kind === "unavailable") throw error;
    const message = describe(error);
    stdout.line(JSON.stringify({ line: number, ...id, error: { kind: error.kind, message } }));
    stderr.line(`hunch: line ${number}: ${message}`);
    return false;
  }
}

function givenBy(fields: Fields): string | Int32Array {
  const [text, ids] = [fields.text ?? undefined, fields.ids ?? undefined];
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
