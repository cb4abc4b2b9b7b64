// The round: plan, draft, one pass of the target, verify, keep, observe. As an async iterator of text.
import { setImmediate } from "node:timers";
import type { Engine, Sequence } from "./backend.ts";
import type { Chance } from "./chance.ts";
import type { Controller, Plan, Round } from "./controller.ts";
import type { Drafter } from "./drafter.ts";
import { HunchError } from "./errors.ts";
import { Meter } from "./meter.ts";
import { refuseImpossible } from "./pairing.ts";
import { fitPrompt, prefill } from "./prompt.ts";
import { NO_TOKENS, playDraft, type Tokens } from "./round.ts";
import type { VerificationRule } from "./rule.ts";
import { checkSampling, type Sampling } from "./sampling.ts";
import type { Stats } from "./stats.ts";
import { TextStream } from "./text.ts";
import { EMPTY_TREE } from "./tree.ts";
import type { RoundView } from "./view.ts";

export interface GenerateOptions {
  readonly engine: Engine;
  /** Prompt ids, at least one. */
  readonly prompt: Int32Array;
  readonly drafter: Drafter;
  readonly rule: VerificationRule;
  readonly controller: Controller;
  readonly sampling: Sampling;
  readonly chance: Chance;
  /** Most tokens to generate. */
  readonly maxTokens: number;
  /** The completion ends before the first of these. */
  readonly stop?: readonly string[];
  /**
   * What happens when prompt and `maxTokens` outgrow the context: refuse up front (default), or drop the oldest prompt
   * tokens, keeping the begin token. `maxTokens` may be Infinity: then only the prompt must fit, and the completion
   * ends with `context` where nothing ends it before.
   */
  readonly overflow?: "refuse" | "truncate";
  /**
   * Default true: where scores beside branches are not exact to the last bit, greedy decoding and independent rules
   * say only what rows of a chain say, and branches that were found right come one round later (see round.ts).
   * False: faster, and other words at near-ties.
   */
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
  /**
   * A sequence of `engine` to go on with, for conversations, and the tokens in its cache (absent: the first of the
   * prompt). What the prompt shares with them, but its last token, is not computed again. It is left open; afterwards
   * its cache holds `Completion.cached`: the first `sequence.length` tokens of prompt (less what was dropped) and pieces.
   * Absent: one is opened for the call and closed.
   */
  readonly sequence?: Sequence;
  readonly committed?: Int32Array;
  /** Told of every round with a draft, before its text comes. */
  readonly onRound?: (view: RoundView) => void;
}

/**
 * What one round added, or a part of it: a round that settles what was found before gives one piece for that and one for
 * what it drafted itself. `text` never ends inside a character; a held-back part comes with a later piece.
 */
export interface Piece {
  readonly text: string;
  readonly tokens: Int32Array;
  /** How many of `tokens`, from the front, were drafted and accepted; the rest is the target's own. */
  readonly accepted: number;
  /** How much of `text`, from the front, in UTF-16 units, came with those; text held back counts with what freed it. */
  readonly acceptedText: number;
}

export type FinishReason = "end" | "length" | "stop" | "context" | "aborted";

export interface Completion {
  /** All pieces' text: without the end token's and from a stop string on nothing. */
  readonly text: string;
  /** All pieces' tokens. The last may be an end token, or the one that completed a stop string. */
  readonly tokens: Int32Array;
  readonly finish: FinishReason;
  /** Tokens in the cache of the sequence: prompt and completion but the last. For `committed` of the next call. */
  readonly cached: Int32Array;
  readonly stats: Stats;
}

/**
 * The completion of a prompt, round by round.
 *
 * Randomness: the rule draws from `chance`, the drafter from a fork of it, nothing else draws. With an independent rule
 * the text for a seed is therefore the same with any drafter.
 *
 * Throws HunchError, before any work, where options contradict each other or the prompt does not fit; and where a
 * plugin breaks its contract. Where it throws, or is left before its end, a given `sequence` is whole but at a place
 * that is not told: rewind it to 0.
 */
export async function* generate(options: GenerateOptions): AsyncGenerator<Piece, Completion> {
  const { engine, drafter, rule, controller, sampling, maxTokens, stop = [], signal } = options;
  const meter = new Meter();
  checkSampling(sampling);
  if (stop.includes("")) throw new HunchError("usage", "a stop string is empty", {}, "leave it out");
  const { prompt, dropped, room } = fitPrompt(options);
  const { tokenizer } = engine.source;
  const ends = new Set(tokenizer.ends);
  const draftChance = options.chance.fork?.("draft") ?? options.chance;
  const stream = new TextStream(tokenizer, stop);
  const text = new Int32Array(prompt.length + room);
  text.set(prompt);
  let length = prompt.length;
  let words = "";
  let finish: FinishReason | undefined;
  let ahead = NO_TOKENS;
  const started = performance.now();
  await drafter.begin(prompt, sampling);
  refuseImpossible(options);
  const drafts = drafter.laws.length > 0;

  const sequence = options.sequence ?? engine.open();
  try {
    const committed = options.committed ?? options.prompt.subarray(0, sequence.length);
    const reused = await prefill(sequence, prompt, committed, breathe, signal);
    meter.prefillMs = performance.now() - started;

    while (finish === undefined) {
      const roundStart = performance.now();
      await breathe();
      if (signal?.aborted) {
        finish = "aborted";
        break;
      }
      const remaining = text.length - length;
      if (remaining === 0) {
        finish = length - prompt.length === maxTokens ? "length" : "context";
        break;
      }
      const from = length + ahead.tokens.length; // where the draft goes on
      const left = text.length - from;
      const cost = (width: number) => engine.cost(width);
      const wanted = drafts
        ? controller.plan({ length: from, remaining: left, unsettled: ahead.tokens.length, cost })
        : NO_PLAN;
      const blocked = ahead.tokens.length > 0 && drafter.looksAhead === undefined;
      const plan = blocked ? NO_PLAN : clip(wanted, left, from, ahead.tokens.length, engine);
      const draftStart = performance.now();
      const tree = plan.nodes > 0 ? await drafter.draft(plan, draftChance, ahead.tokens) : EMPTY_TREE;
      const verifyStart = performance.now();
      const play = await playDraft(tree, ahead, plan, text.subarray(0, length), sequence, options);
      const verifyEnd = performance.now();
      const unsettled = ahead.tokens;
      const root = unsettled.length > 0 ? unsettled[unsettled.length - 1] : text[length - 1];

      // Nothing stands after an end token or a stop string.
      const { tokens: certain, depths } = play.certain;
      const pieces: Piece[] = [];
      let count = 0;
      while (count < certain.length && finish === undefined) {
        let said = "";
        let acceptedText = 0;
        const start = count;
        let accepted = 0;
        do {
          const token = certain[count];
          if (ends.has(token)) finish = "end";
          else {
            said += stream.push(token);
            if (stream.stopped) finish = "stop";
          }
          if (depths[count++] > 0) {
            accepted++;
            acceptedText = said.length;
          }
        } while (depths[count - 1] > 0 && count < certain.length && finish === undefined);
        words += said;
        pieces.push({ text: said, tokens: certain.slice(start, count), accepted, acceptedText });
      }
      const tokens = certain.slice(0, count);
      text.set(tokens, length);
      length += count;
      sequence.keep(play.rowsOfCertain.slice(0, count)); // the root and all new tokens but the last
      ahead = front(play.ahead, text.length - length - 1, ends);
      const round: Round = {
        plan,
        tree,
        verdict: play.verdict,
        committed: tokens,
        rows: play.rows,
        draftMs: verifyStart - draftStart,
        verifyMs: verifyEnd - verifyStart,
      };
      const observeStart = performance.now();
      await drafter.observe(round);
      controller.observe(round);
      const roundEnd = performance.now();
      if (play.target !== undefined && tree.tokens.length > 0) {
        options.onRound?.({ round, root, ahead: unsettled, target: play.target });
      }
      const ms = {
        round: roundEnd - roundStart,
        drafter: round.draftMs + roundEnd - observeStart,
        expected: engine.cost(play.rows),
      };
      meter.round(round, depths.subarray(0, count), ms, drafts && wanted.nodes === 0);
      yield* pieces;

      const goesOn = finish === undefined && length < text.length;
      if (drafts && goesOn && Number.isNaN(engine.cost(1))) {
        const calibrateStart = performance.now();
        await engine.calibrate();
        meter.calibrateMs += performance.now() - calibrateStart;
      }
    }
    const rest = stream.end();
    words += rest;
    if (rest.length > 0) yield { text: rest, tokens: new Int32Array(0), accepted: 0, acceptedText: 0 };
    return {
      text: words,
      tokens: text.slice(prompt.length, length),
      finish,
      cached: text.slice(0, sequence.length),
      stats: meter.stats(
        {
          promptTokens: options.prompt.length,
          droppedTokens: dropped,
          reusedTokens: reused,
          method: {
            drafter: drafter.name,
            rule: rule.name,
            controller: controller.name,
            engine: engine.name,
            format: engine.format,
            lossless: rule.lossless,
          },
        },
        engine.cost(1),
        drafts,
      ),
    };
  } finally {
    if (options.sequence === undefined) sequence.close();
  }
}

/** Runs `generate` to its end. */
export async function complete(options: GenerateOptions, see?: (piece: Piece) => void): Promise<Completion> {
  const pieces = generate(options);
  while (true) {
    const { value, done } = await pieces.next();
    if (done) return value;
    see?.(value);
  }
}

const NO_PLAN: Plan = { nodes: 0, depth: 0 };

/** A draft may use what budget, context and engine leave: below `ahead` tokens, and with one of the target's to follow. */
function clip(plan: Plan, remaining: number, length: number, ahead: number, engine: Engine): Plan {
  const nodes = Math.min(plan.nodes, engine.maxRows - 1 - ahead, engine.context - length);
  const depth = Math.min(plan.depth, remaining - 1, nodes);
  return depth > 0 ? { ...plan, nodes, depth } : NO_PLAN;
}

/** At most so many tokens, and none from an end token on: nothing is drafted below one. */
function front({ tokens, depths }: Tokens, most: number, ends: ReadonlySet<number>): Tokens {
  const end = tokens.findIndex((token, i) => i >= most || ends.has(token));
  return end < 0 ? { tokens, depths } : { tokens: tokens.slice(0, end), depths: depths.slice(0, end) };
}

/** Lets timers and signals run: a pass blocks the thread, and awaiting one lets only other promises run. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
