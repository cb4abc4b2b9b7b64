// One request per line of stdin, one result per line of stdout, in the same order: what every --jsonl does with a line. A
// line that is wrong, or whose answer fails in whatever way, gets an error in its place, and the rest is still done.
import { failureOf } from "../output/failure.ts";
import { stderr, stdout } from "../output/streams.ts";
import { idOfLine, type RequestId } from "./fields.ts";
import type { Line } from "./text.ts";

/** What becomes of a line that is right. */
export interface LineAnswer {
  /** Its own, where it has one. */
  readonly id: RequestId | undefined;
  readonly result: object;
  /** Told on stderr behind the result. */
  readonly told?: readonly string[];
}

/** Prints what `answer` makes of a line's text, as JSON with the line's number and id. False where it fails. */
export async function answerLine(
  line: Line,
  answer: (text: string) => LineAnswer | Promise<LineAnswer>,
): Promise<boolean> {
  const { number } = line;
  const named = (id: RequestId | undefined) => ({ line: number, ...id === undefined ? {} : { id } });
  let text = "";
  let answered: LineAnswer;
  try {
    text = line.text;
    answered = await answer(text);
  } catch (error) {
    const failure = failureOf(error);
    stdout.line(JSON.stringify({ ...named(idOfLine(text)), error: failure }));
    stderr.line(`hunch: line ${number}: ${failure.message}`);
    return false;
  }
  const { id, result, told = [] } = answered;
  stdout.line(JSON.stringify({ ...named(id), ...result }));
  for (const line of told) stderr.line(line);
  return true;
}
