// --jsonl: each line of stdin is a request, answered by one model that stays loaded.
import { EXIT } from "../../src/errors.ts";
import type { GenerateCommand } from "./options.ts";
import { answerLine, type LineAnswer } from "../input/answer-line.ts";
import { ForeignFields } from "../input/fields.ts";
import { interruptible } from "../input/interrupt.ts";
import { resultOf } from "./result.ts";
import { Status } from "../output/status.ts";
import { stderr } from "../output/streams.ts";
import { cutLine, shortSummary } from "../output/summary.ts";
import { Prefix } from "../engine/prefix.ts";
import { parseRequest } from "./requests.ts";
import { asOption, samplingOf } from "../input/sampling.ts";
import { Session } from "../engine/session.ts";
import { refuseUntold, templateOf, type TemplateSettings } from "../input/template.ts";
import { stdinLines } from "../input/text.ts";

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
        if (await answerLine(line, (text) => answerRequest(text, line.number, answering, signal))) done++;
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

async function answerRequest(
  text: string,
  number: number,
  { session, prefix, foreign, options, template, told }: Answering,
  signal: AbortSignal,
): Promise<LineAnswer> {
  const { id, foreign: names, question: ask } = parseRequest(text, { ...options, template });
  foreign.see(number, names);
  const question = ask(session.source);
  const answered = await prefix.answer(question, () => {}, signal);
  const cut = answered.completion.stats.droppedTokens;
  const lines: string[] = [];
  if (cut > 0 && options.summary !== false) lines.push(`hunch: line ${number}: ${cutLine(cut)}`);
  if (told) lines.push(`${number}: ${shortSummary(session.summary(question, answered.completion))}`);
  return { id, result: resultOf(session, question, answered), told: lines };
}
