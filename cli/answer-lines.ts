// --jsonl: one request per line of stdin, one result per line of stdout, in the same order. A line that is wrong gets
// an error in its place, and the rest is still done.
import { EXIT, HunchError } from "../src/errors.ts";
import type { GenerateCommand } from "./commands/generate.ts";
import { describe } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { resultOf } from "./output/result.ts";
import { Status } from "./output/status.ts";
import { ClosedPipe, stderr, stdout } from "./output/streams.ts";
import { shortSummary } from "./output/summary.ts";
import { idOfLine, parseRequest } from "./requests.ts";
import { samplingOf } from "./sampling.ts";
import { Session } from "./session.ts";
import { templateOf } from "./template.ts";
import { type Line, stdinLines, utf8 } from "./text.ts";

/** Returns the exit code: `partial` where some lines failed. */
export async function answerLines(options: GenerateCommand): Promise<number> {
  samplingOf(options); // what is wrong for every line is told once
  const status = new Status(stderr.terminal && options.summary !== false);
  const session = await Session.open(options, status.progress);
  const told = options.summary ?? stderr.terminal;
  let done = 0;
  let failed = 0;
  let busy = false;
  try {
    return await interruptible(async (signal) => {
      signal.addEventListener("abort", () => {
        if (!busy) process.exit(EXIT.interrupted); // waiting for a line, with nothing to finish
      });
      for await (const line of stdinLines()) {
        if (line.bytes.every((byte) => byte === 32 || byte === 9)) continue;
        busy = true;
        status.clear();
        if (await answerLine(line, session, options, signal, told)) done++;
        else failed++;
        if (signal.aborted) break;
        busy = false;
      }
      if (told && done + failed > 1) stderr.line(`${done} answered, ${failed} failed`);
      return signal.aborted ? EXIT.interrupted : failed > 0 ? EXIT.partial : EXIT.ok;
    });
  } finally {
    status.clear();
    session.close();
  }
}

async function answerLine(
  { number, bytes }: Line,
  session: Session,
  options: GenerateCommand,
  signal: AbortSignal,
  told: boolean,
): Promise<boolean> {
  let text = "";
  try {
    text = utf8(bytes, "stdin");
    const request = parseRequest(text, { ...options, template: templateOf(options) });
    const question = request.question(session.source);
    const completion = await session.answer(question, () => {}, signal);
    const id = request.id === undefined ? {} : { id: request.id };
    stdout.line(JSON.stringify({ line: number, ...id, ...resultOf(session, question, completion) }));
    if (told) stderr.line(`${number}: ${shortSummary(session.summary(question, completion))}`);
    return true;
  } catch (error) {
    // Only what is wrong with this request is its own: a machine that lacks something lacks it for the next one too.
    if (error instanceof ClosedPipe || !(error instanceof HunchError) || error.kind === "unavailable") throw error;
    const message = describe(error);
    const id = idOfLine(text);
    stdout.line(
      JSON.stringify({ line: number, ...id === undefined ? {} : { id }, error: { kind: error.kind, message } }),
    );
    stderr.line(`hunch: line ${number}: ${message}`);
    return false;
  }
}
