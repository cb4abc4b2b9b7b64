// One prompt, one answer: the text on stdout as it is made, or one JSON object at the end.
import { EXIT } from "../../src/errors.ts";
import type { Completion, Piece } from "../../src/round/generate.ts";
import type { RoundView } from "../../src/view.ts";
import type { GenerateCommand } from "./options.ts";
import { interruptible } from "../input/interrupt.ts";
import { type Paint, paintFor } from "../output/colour.ts";
import { resultOf } from "./result.ts";
import { Status } from "../output/status.ts";
import { stderr, stdout } from "../output/streams.ts";
import { cutLine, summaryLines } from "../output/summary.ts";
import { treeLines } from "../output/tree.ts";
import { AnswerWriter } from "../output/writer.ts";
import { Prefix } from "../engine/prefix.ts";
import { promptOf, readPrompt } from "../input/prompt.ts";
import { longestPrompt } from "../engine/longest-prompt.ts";
import { asOption, refuseIdle, samplingOf, seedOf } from "../input/sampling.ts";
import { type Question, Session } from "../engine/session.ts";
import { templateOf } from "../input/template.ts";

/** Returns the exit code. */
export async function answer(options: GenerateCommand): Promise<number> {
  const sampling = samplingOf(options, asOption);
  refuseIdle(options, sampling.temperature, asOption);
  const template = templateOf(options);
  const prompt = await readPrompt(options.prompt, options.files, longestPrompt(options));
  const status = new Status(stderr.terminal && options.summary !== false);
  const session = await Session.open(options, status.progress, sampling);
  try {
    if (!options.raw && session.source.chat === undefined && stderr.terminal && options.summary !== false) {
      status.clear();
      stderr.line(paintFor(stderr).dim("this model has no chat template: it goes on with the prompt as it stands"));
    }
    const question: Question = {
      prompt: promptOf(session.source, prompt, { ...options, template }),
      sampling,
      seed: seedOf(options.seed),
      maxTokens: options.maxTokens,
      stop: options.stop,
      logprobs: options.logprobs,
      onRound: options.showTree ? showTrees(session, status, paintFor(stderr, options.color)) : undefined,
    };
    const completion = await interruptible((signal) => say(session, question, options, status, signal));
    const { droppedTokens } = completion.stats;
    if (options.summary ?? stderr.terminal) {
      if (stdout.terminal && stderr.terminal) stderr.line();
      for (const line of summaryLines(session.summary(question, completion), paintFor(stderr))) stderr.line(line);
    } else if (droppedTokens > 0 && options.summary !== false) stderr.line(`hunch: ${cutLine(droppedTokens)}`);
    return completion.finish === "aborted" ? EXIT.interrupted : EXIT.ok;
  } finally {
    status.clear();
    session.close();
  }
}

async function say(
  session: Session,
  question: Question,
  options: GenerateCommand,
  status: Status,
  signal: AbortSignal,
): Promise<Completion> {
  if (options.json) {
    const prefix = new Prefix(session);
    try {
      const answered = await prefix.answer(question, () => status.clear(), signal);
      stdout.line(JSON.stringify(resultOf(session, question, answered)));
      return answered.completion;
    } finally {
      prefix.close();
    }
  }
  const writer = new AnswerWriter(stdout, paintFor(stdout, options.color), options.newline);
  const apart = options.showTree && stdout.terminal && stderr.terminal; // the text comes after the trees, not in them
  const held: Piece[] = [];
  const completion = await session.answer(question, (piece) => {
    status.end();
    if (apart) held.push(piece);
    else writer.write(piece);
  }, signal);
  for (const piece of held) writer.write(piece);
  writer.end();
  return completion;
}

/** Draws the draft of each round on stderr. */
function showTrees(session: Session, status: Status, paint: Paint): (view: RoundView) => void {
  let rounds = 0;
  return (view) => {
    status.clear();
    for (const line of treeLines(view, ++rounds, session.source.tokenizer, stderr.columns, paint)) stderr.line(line);
  };
}
