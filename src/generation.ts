// What a generation is given, and what comes of it.
import type { Engine, Sequence } from "./backend.ts";
import type { Chance } from "./chance.ts";
import type { Controller } from "./controller.ts";
import type { Drafter } from "./drafter.ts";
import type { VerificationRule } from "./rule.ts";
import type { Sampling } from "./sampling.ts";
import type { Stats } from "./stats.ts";
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
   * Default true: on an engine whose scores beside branches are not exact to the last bit, greedy decoding and
   * independent rules verify the eldest chain of a draft alone. False: whole trees, and other words at near-ties.
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

/** What one round added. `text` never ends inside a character; a held-back part comes with a later piece. */
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
