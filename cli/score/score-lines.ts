// hunch score --jsonl: each line of stdin is a text to score.
import type { Engine } from "../../src/backend.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import { scoreTokens } from "../../src/round/perplexity.ts";
import type { ScoreCommand } from "./options.ts";
import { answerLine, type LineAnswer } from "../input/answer-line.ts";
import type { Fields } from "../../src/fields.ts";
import { ForeignFields, foreignFields, idOf, parseFields, wrong } from "../input/fields.ts";
import { scoreJson } from "../output/token-scores.ts";
import { stderr } from "../output/streams.ts";
import { tokensOf } from "./tokens.ts";
import { stdinLines } from "../input/text.ts";

const FIELDS = ["id", "text", "ids", "top", "window"];

/** Returns the exit code: `partial` where some lines failed. */
export async function answerScores(engine: Engine, options: ScoreCommand): Promise<number> {
  let failed = 0;
  const foreign = new ForeignFields((text) => stderr.line(text));
  for await (const line of stdinLines()) {
    if (line.blank) continue;
    if (!await answerLine(line, (text) => scoreRequest(text, line.number, engine, options, foreign))) failed++;
  }
  return failed > 0 ? EXIT.partial : EXIT.ok;
}

async function scoreRequest(
  text: string,
  number: number,
  engine: Engine,
  options: ScoreCommand,
  foreign: ForeignFields,
): Promise<LineAnswer> {
  const fields = parseFields(text, "text", 'write "…", {"text": "…"} or {"ids": […]}');
  const id = idOf(fields);
  foreign.see(number, foreignFields(fields, FIELDS));
  const tokens = tokensOf(engine.source, givenBy(fields));
  const top = fields.whole("top", 0, 1000) ?? options.top;
  const window = fields.whole("window", 2, 2 ** 31) ?? options.window;
  return { id, result: scoreJson(engine, await scoreTokens(engine, tokens, { top, window })) };
}

function givenBy(fields: Fields): string | Int32Array {
  if (fields.has("text") === fields.has("ids")) {
    throw new HunchError("input", "a request has either text or ids", { field: "text", hint: "give one of them" });
  }
  if (fields.has("text")) return fields.required("text", "string");
  const { ids } = fields.values;
  const isId = (id: unknown) => typeof id === "number" && Number.isInteger(id) && id >= 0 && id < 2 ** 31;
  if (Array.isArray(ids) && ids.every(isId)) return Int32Array.from(ids as number[]);
  throw wrong("ids", "a list of token ids");
}
