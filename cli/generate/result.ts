// An answer as programs read it: what --json prints, and --jsonl on every line. docs/output.md describes it.
import type { FinishReason } from "../../src/round/generate.ts";
import type { Stats } from "../../src/stats.ts";
import type { Choice } from "../engine/choice.ts";
import type { FormatChoice } from "../engine/format.ts";
import type { Answered } from "../engine/prefix.ts";
import type { Question, Session } from "../engine/session.ts";
import { type Logprob, logprobJson } from "../output/token-scores.ts";

export interface Result {
  readonly text: string;
  /** Ids of the answer's tokens, the end token included where there was one. */
  readonly tokens: readonly number[];
  /** One for each token; only with --logprobs. */
  readonly logprobs?: readonly Logprob[];
  readonly finish: FinishReason;
  /** Only where tokens were drawn: the same seed gives the same answer. */
  readonly seed?: string;
  readonly model: { readonly title: string; readonly path: string };
  /** Names and weight formats of the engines that run draft models; only where there are any. */
  readonly draftEngines?: readonly string[];
  /** Where `hunch tune` chose the methods: when, ISO 8601. */
  readonly tuned?: string;
  /** What `--backend auto` came to; only where it was asked. */
  readonly auto?: Choice;
  /** What `--format auto` came to; only where several formats were measured. */
  readonly format?: FormatChoice;
  readonly stats: Stats;
}

export function resultOf(session: Session, question: Question, { completion, logprobs }: Answered): Result {
  const { text, tokens, finish, stats } = completion;
  const { sampling, seed } = question;
  const draftEngines = session.draftEngines(question);
  const { title, path } = session.source;
  return {
    text,
    tokens: [...tokens],
    ...logprobs ? { logprobs: logprobs.map((score) => logprobJson(session.source, score)) } : {},
    finish,
    ...sampling.temperature > 0 ? { seed } : {},
    model: { title, path },
    ...draftEngines.length > 0 ? { draftEngines } : {},
    ...session.tuned ? { tuned: session.tuned.made } : {},
    ...session.choice ? { auto: session.choice } : {},
    ...session.format ? { format: session.format } : {},
    stats: { ...stats },
  };
}
