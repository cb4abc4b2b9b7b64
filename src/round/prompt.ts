// The prompt before the first round: cut to the context, and brought into the cache.
import type { Engine, Scores, Sequence, Tap } from "../backend.ts";
import { HunchError } from "../errors.ts";
import type { ModelSpec } from "../model/spec/spec.ts";

/** Rows per call while the prompt is computed: between calls the program can be stopped. */
const CHUNK = 256;
/** The same where every row is scored: their scores take memory, a vocabulary's worth each. */
const SCORED_CHUNK = 32;

/** For who wants to be told of the prompt's rows. */
export interface PromptRows {
  /** Whether each row's candidates are wanted, at this temperature. */
  readonly scored: boolean;
  readonly temperature: number;
  /** Hidden states that are wanted. */
  readonly taps?: readonly Tap[];
  /** Most rows of a pass. */
  readonly most: number;
  /** Of the rows from the prompt's token `from` on; valid until it answers. */
  see(from: number, scores: Scores): void | Promise<void>;
}

export interface FittedPrompt {
  /** What is left of the prompt, at least one token. */
  readonly prompt: Int32Array;
  /** Oldest tokens that were dropped. */
  readonly dropped: number;
  /** Tokens that may follow: `maxTokens`, or what the context leaves. */
  readonly room: number;
}

/**
 * Cuts the prompt as `overflow` says; see GenerateOptions. Where it truncates, the completion is given room for
 * `maxTokens`, but never more than half of the context. Throws HunchError("usage" or "input").
 */
export function fitPrompt(
  { engine, prompt, maxTokens, overflow = "refuse" }: {
    readonly engine: Engine;
    readonly prompt: Int32Array;
    readonly maxTokens: number;
    readonly overflow?: "refuse" | "truncate";
  },
): FittedPrompt {
  const { context } = engine;
  if (prompt.length === 0) {
    throw new HunchError("usage", "the prompt has no tokens", { hint: "give some text to go on from" });
  }
  if (!(Number.isInteger(maxTokens) || maxTokens === Infinity) || maxTokens < 0) {
    throw new HunchError("usage", `${maxTokens} tokens cannot be generated`, {
      hint: "give a whole number, 0 or more",
    });
  }
  const vocab = engine.source.spec.vocab;
  const strange = prompt.find((token) => token < 0 || token >= vocab);
  if (strange !== undefined) {
    throw new HunchError("usage", `the prompt has token ${strange}; the vocabulary ends at ${vocab - 1}`);
  }
  const needed = prompt.length + (maxTokens === Infinity ? 1 : maxTokens);
  if (needed <= context) return { prompt, dropped: 0, room: Math.min(maxTokens, context - prompt.length) };
  if (overflow === "refuse") {
    const left = context - prompt.length;
    throw new HunchError(
      "input",
      `the prompt of ${prompt.length} tokens and ${maxTokens === Infinity ? "its completion" : `${maxTokens} more`} ` +
        `do not fit the context of ${context}`,
      {
        file: engine.source.path,
        hint: [
          ...longerContext(engine.source.spec, needed),
          left > 0 ? `ask for at most ${left} tokens` : "shorten it",
          left > 0 ? "or let the prompt be truncated" : "or let it be truncated",
        ].join(", "),
      },
    );
  }
  const keep = Math.max(1, context - Math.min(maxTokens, Math.floor(context / 2)));
  const left = lastTokens(prompt, keep, engine.source.tokenizer.begin);
  return { prompt: left, dropped: prompt.length - left.length, room: Math.min(maxTokens, context - left.length) };
}

/** How such a text can be had all the same: some rotations are resolved for a length, by default the original one. */
export function longerContext({ longest = 0 }: ModelSpec, needed: number): string[] {
  return needed <= longest ? [`give --context ${needed} (at most ${longest} with this model)`] : [];
}

/** At most `most` tokens, the last ones; `begin` stays in front, as the model has never seen text without it. */
export function lastTokens(prompt: Int32Array, most: number, begin: number | undefined): Int32Array {
  const left = prompt.slice(Math.max(0, prompt.length - most));
  if (left.length < prompt.length && left.length > 1 && prompt[0] === begin) left[0] = begin;
  return left;
}

/**
 * Commits all of the prompt but its last token. `committed` is what the sequence holds; what it shares with the prompt
 * stays. Returns how many tokens that were. An abort leaves the rest uncommitted. `rows`: for who wants to be told of them.
 */
export async function prefill(
  sequence: Sequence,
  prompt: Int32Array,
  committed: Int32Array,
  breathe: () => Promise<void>,
  { signal, rows }: { readonly signal?: AbortSignal; readonly rows?: PromptRows } = {},
): Promise<number> {
  const chunk = rows === undefined ? CHUNK : Math.min(rows.scored ? SCORED_CHUNK : CHUNK, rows.most);
  const end = prompt.length - 1;
  let shared = 0;
  while (shared < end && shared < committed.length && committed[shared] === prompt[shared]) shared++;
  if (sequence.length > shared) sequence.rewind(shared);
  for (let from = shared; from < end; from += chunk) {
    await breathe();
    if (signal?.aborted) break;
    const tokens = prompt.slice(from, Math.min(from + chunk, end));
    if (rows === undefined) await sequence.forward({ tokens, score: "last", need: "argmax" });
    else {
      const { taps, temperature } = rows;
      const wanted = rows.scored
        ? { need: "candidates", temperature } as const
        : { need: "argmax", score: "last" } as const;
      await rows.see(from, await sequence.forward({ tokens, ...wanted, taps }));
    }
    sequence.keep(Int32Array.from(tokens, (_, row) => row));
  }
  return shared;
}
