// --jsonl: one request per line of stdin, one result per line of stdout, in the same order. A line that is wrong, or whose
// answer fails in whatever way, gets an error in its place, and the rest is still done.
import { EXIT } from "../../src/errors.ts";
import type { GenerateCommand } from "./options.ts";
import { failureOf } from "../output/failure.ts";
import { ForeignFields } from "../input/fields.ts";
import { interruptible } from "../input/interrupt.ts";
import { resultOf } from "./result.ts";
import { Status } from "../output/status.ts";
import { stderr, stdout } from "../output/streams.ts";
import { cutLine, shortSummary } from "../output/summary.ts";
import { Prefix } from "../engine/prefix.ts";
import { idOfLine, parseRequest } from "./requests.ts";
import { asOption, samplingOf } from "../input/sampling.ts";
import { Session } from "../engine/session.ts";
import { refuseUntold, templateOf, type TemplateSettings } from "../input/template.ts";
import { type Line, stdinLines } from "../input/text.ts";

/** Returns the exit code: `partial` where some lines failed. */
export async function answerLines(options: GenerateCommand): Promise<number> {
  samplingOf(options, asOption); // what is wrong for every line is told once
  const template = templateOf(options);
  const status = new Status(stderr.terminal && options.summary !== false);
  const session = await Session.open(options, status.progress);
  const told = options.summary ?? stderr.terminal;
  const prefix = new Prefix(session);
  const foreign = new ForeignFields((text) => stderr.line(text));
  const answering: Answering = { session, prefix, foreign, options, template, told };
  let done = 0;
  let failed = 0;
  let busy = false;
  try {
    refuseUntold(session.source.chat, template);
    return await interruptible(async (signal) => {
      signal.addEventListener("abort", () => {
        if (!busy) process.exit(EXIT.interrupted); // waiting for a line, with nothing to finish
      });
      for await (const line of stdinLines()) {
        if (line.blank) continue;
        busy = true;
        status.clear();
        if (await answerLine(line, answering, signal)) done++;
        else failed++;
        if (signal.aborted) break;
        busy = false;
      }
      if (told && done + failed > 1) stderr.line(`${done} answered, ${failed} failed`);
      return signal.aborted ? EXIT.interrupted : failed > 0 ? EXIT.partial : EXIT.ok;
    });
  } finally {
    status.clear();
    prefix.close();
    session.close();
  }
}

interface Answering {
  readonly session: Session;
  readonly prefix: Prefix;
  readonly foreign: ForeignFields;
  readonly options: GenerateCommand;
  readonly template: TemplateSettings;
  /** Summaries are wanted. */
  readonly told: boolean;
}

async function answerLine(line: Line, answering: Answering, signal: AbortSignal): Promise<boolean> {
  const { session, prefix, foreign, options, template, told } = answering;
  const { number } = line;
  let text = "";
  let result: object;
  let summary: string;
  let cut: number;
  try {
    text = line.text;
    const request = parseRequest(text, { ...options, template });
    foreign.see(number, request.foreign);
    const question = request.question(session.source);
    const answered = await prefix.answer(question, () => {}, signal);
    const id = request.id === undefined ? {} : { id: request.id };
    result = { line: number, ...id, ...resultOf(session, question, answered) };
    summary = shortSummary(session.summary(question, answered.completion));
    cut = answered.completion.stats.droppedTokens;
  } catch (error) {
    const id = idOfLine(text);
    const failure = failureOf(error);
    stdout.line(JSON.stringify({ line: number, ...id === undefined ? {} : { id }, error: failure }));
    stderr.line(`hunch: line ${number}: ${failure.message}`);
    return false;
  }
  stdout.line(JSON.stringify(result));
  if (cut > 0 && options.summary !== false) stderr.line(`hunch: line ${number}: ${cutLine(cut)}`);
  if (told) stderr.line(`${number}: ${summary}`);
  return true;
}
