// The round: plan, draft, pass, verify, commit, observe. As an async iterator of text.
import { setImmediate } from "node:timers";
import type { Candidates, Scores, Tap } from "../backend.ts";
import { isStream } from "../chance.ts";
import type { Round, States } from "../controller.ts";
import { HunchError } from "../errors.ts";
import type { Completion, FinishReason, GenerateOptions, Piece } from "../generation.ts";
import { Meter } from "./meter.ts";
import { refuseImpossible } from "../plugins/pairing.ts";
import { fitPrompt, prefill, type PromptRows } from "./prompt.ts";
import { commitRound } from "./commit.ts";
import { draftRound } from "./draft.ts";
import { observeRound } from "./observe.ts";
import { targetPass } from "./pass.ts";
import { planRound } from "./plan.ts";
import { verifyRound } from "./verify.ts";
import { checkSampling } from "../sampling.ts";
import { TextStream } from "./text.ts";
import { traceRound } from "./trace.ts";
import { TokenBuffer } from "../draft/tokens.ts";
import { likelihoods } from "../view.ts";

export type { Completion, FinishReason, GenerateOptions, Piece } from "../generation.ts";

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
  const { engine, drafter, rule, controller, sampling, chance, maxTokens, stop = [], signal } = options;
  const meter = new Meter();
  checkSampling(sampling);
  if (stop.includes("")) throw new HunchError("usage", "a stop string is empty", { hint: "leave it out" });
  const { prompt, dropped, room } = fitPrompt(options);
  const { tokenizer } = engine.source;
  const ends = new Set(tokenizer.ends);
  const draftChance = isStream(chance) ? chance.fork("draft") : chance;
  const stream = new TextStream(tokenizer, stop);
  const text = new TokenBuffer(prompt.length + room);
  text.append(prompt);
  const full = prompt.length + room;
  let words = "";
  let finish: FinishReason | undefined;
  const lap = laps();
  await drafter.begin(prompt, sampling);
  meter.beginMs = lap();
  refuseImpossible(options);

  const sequence = options.sequence ?? engine.open();
  try {
    drafter.attach?.(sequence);
    const committed = options.committed ?? options.prompt.subarray(0, sequence.length);
    const reused = await prefill(sequence, prompt, committed, breathe, { signal, rows: promptRows(options) });
    meter.prefillMs = lap();

    while (finish === undefined) {
      await breathe();
      if (signal?.aborted) {
        finish = "aborted";
        break;
      }
      if (text.length === full) {
        finish = room === maxTokens ? "length" : "context";
        break;
      }
      const root = text.last;

      const { plan, chosePlain } = planRound(options, text.length, full - text.length);
      const otherMs = lap();
      const { tree, left } = await draftRound(options, plan, draftChance, sequence);
      const draftMs = lap();
      const scores = await targetPass(options, sequence, text.view, tree);
      const verdict = verifyRound(options, tree, scores);
      const target = options.onRound && likelihoods(tree, scores, sampling); // scores end where rows are kept
      const candidates = likeliest(scores.rows, (row, k) => scores.candidates(row, k), drafter.candidates);
      const states = statesOf(scores, drafter.taps);
      const verifyMs = lap();
      const { piece, rows, ended } = commitRound(tree, verdict, ends, stream);
      sequence.keep(rows);
      text.append(piece.tokens);
      words += piece.text;
      finish = ended;
      const round: Round = {
        plan,
        tree,
        verdict,
        committed: piece.tokens,
        candidates,
        states,
        rows: tree.tokens.length + 1,
        draftMs,
        verifyMs,
      };
      const commitMs = lap();
      await observeRound(options, round);
      const observeMs = lap();
      traceRound(tokenizer, root, round);

      if (target !== undefined && tree.tokens.length > 0) options.onRound?.({ round, root, target });
      meter.round(round, { accepted: piece.accepted, left, chosePlain }, {
        round: otherMs + draftMs + verifyMs + commitMs + observeMs,
        drafter: draftMs + observeMs,
        expected: engine.cost(round.rows),
      });
      yield piece;
      if (finish === undefined && text.length < full) meter.calibrateMs += await calibrated(options);
      lap();
    }
    const rest = stream.end();
    words += rest;
    if (rest.length > 0) yield { text: rest, tokens: new Int32Array(0), accepted: 0, acceptedText: 0 };
    const method = {
      drafter: drafter.name,
      rule: rule.name,
      controller: controller.name,
      engine: engine.name,
      format: engine.format,
      lossless: rule.lossless,
    };
    return {
      text: words,
      tokens: text.view.slice(prompt.length),
      finish,
      cached: text.view.slice(0, sequence.length),
      stats: meter.stats(
        { promptTokens: options.prompt.length, droppedTokens: dropped, reusedTokens: reused, method },
        engine.cost(1),
        drafter.laws.length > 0,
      ),
    };
  } finally {
    if (options.sequence === undefined) sequence.close();
  }
}

/** Runs `generate` to its end. What `see` throws ends it. */
export async function complete(options: GenerateOptions, see?: (piece: Piece) => void): Promise<Completion> {
  const pieces = generate(options);
  try {
    while (true) {
      const { value, done } = await pieces.next();
      if (done) return value;
      see?.(value);
    }
  } finally {
    await pieces.return(undefined as never); // closes the sequence where `see` threw
  }
}

/** The `k` likeliest tokens of every row; undefined where nobody asked. */
function likeliest(rows: number, top: Scores["top"], k: number | undefined): Candidates[] | undefined {
  return k === undefined ? undefined : Array.from({ length: rows }, (_, row) => top(row, k));
}

/** Copies: views end with the pass. Undefined where nobody asked. */
function statesOf(scores: Scores, taps: readonly Tap[] | undefined): States | undefined {
  return taps && new Map(taps.map((tap) => [tap, Float32Array.from(scores.states!(tap))]));
}

/** Undefined where the drafter does not want to be told of the prompt's rows. */
function promptRows({ drafter, engine, sampling }: GenerateOptions): PromptRows | undefined {
  if (drafter.observePrompt === undefined) return undefined;
  return {
    scored: drafter.candidates !== undefined,
    taps: drafter.taps,
    temperature: sampling.temperature || 1,
    most: engine.maxRows,
    see(from, scores) {
      const candidates = likeliest(scores.rows, (row, k) => scores.top(row, k), drafter.candidates) ?? [];
      return drafter.observePrompt?.(from, candidates, statesOf(scores, drafter.taps) ?? new Map());
    },
  };
}

/** Measures what passes cost where there is a drafter and nobody has yet. Milliseconds that it took. */
async function calibrated({ engine, drafter }: GenerateOptions): Promise<number> {
  if (drafter.laws.length === 0 || !Number.isNaN(engine.cost(1))) return 0;
  const lap = laps();
  await engine.calibrate();
  return lap();
}

/** Each call: milliseconds since the one before. */
function laps(): () => number {
  let last = performance.now();
  return () => {
    const [before, now] = [last, performance.now()];
    last = now;
    return now - before;
  };
}

/** Lets timers and signals run: a pass blocks the thread, and awaiting one lets only other promises run. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
