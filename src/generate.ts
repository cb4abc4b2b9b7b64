// The round: plan, draft, one pass of the target, verify, keep, observe. As an async iterator of text.
import type { Engine, Sequence } from "./backend.ts";
import type { Chance } from "./chance.ts";
import type { Controller } from "./controller.ts";
import type { Drafter } from "./drafter.ts";
import type { VerificationRule } from "./rule.ts";
import type { Sampling } from "./sampling.ts";
import type { Stats } from "./stats.ts";

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
  /** What happens when prompt and completion outgrow the context: refuse up front, or drop the oldest prompt tokens. */
  readonly overflow?: "refuse" | "truncate";
  readonly signal?: AbortSignal;
  /**
   * A sequence of `engine` to go on with, for conversations: its committed tokens must be the first of `prompt`, and
   * fewer than all. It is left open and holds the first `sequence.length` tokens of prompt and completion afterwards.
   * Absent: one is opened for the call and closed.
   */
  readonly sequence?: Sequence;
}

/** What one round added. `text` never ends inside a character; a held-back part comes with a later piece. */
export interface Piece {
  readonly text: string;
  readonly tokens: Int32Array;
  /** How many of `tokens`, from the front, were drafted and accepted; the rest is the target's own. */
  readonly accepted: number;
}

export type FinishReason = "end" | "length" | "stop" | "context" | "aborted";

export interface Completion {
  readonly text: string;
  readonly tokens: Int32Array;
  readonly finish: FinishReason;
  readonly stats: Stats;
}
