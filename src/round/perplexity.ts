// How likely a text is: the log-probability and the rank of every token, given the tokens before it.
import type { Engine, Sequence } from "../backend.ts";
import { HunchError } from "../errors.ts";
import { largest, logSumExp } from "../math/logits.ts";
import { notFinite } from "../model/not-finite.ts";
import { longerContext } from "./prompt.ts";

export interface ScoreOptions {
  /** Also the so many likeliest tokens at every place. Default 0. */
  readonly top?: number;
  /** Cut the text into windows of so many tokens, each scored as a text of its own; ≥ 2. Default: one text. */
  readonly window?: number;
  /**
   * Sees the logits [vocab] that follow each token, in order of the text; a view that is valid during the call. The
   * ones of row i say what comes after token i.
   */
  readonly see?: (logits: Float32Array | Float64Array, row: number) => void;
  /** Told the fraction of tokens that are done. */
  readonly progress?: (fraction: number) => void;
  /** Aborting it makes `scoreTokens` throw the signal's reason after the pass at hand. */
  readonly signal?: AbortSignal;
}

/** One token of a text, given those before it. */
export interface TokenScore {
  readonly token: number;
  /** ln p; absent for a token that nothing stands before (the first of a text or window). */
  readonly logProbability?: number;
  /** 1: the likeliest; equal ones by ascending id. Absent as above. */
  readonly rank?: number;
  /** The likeliest tokens at this place, most likely first. Absent as above, or where none were asked for. */
  readonly top?: readonly { readonly token: number; readonly logProbability: number }[];
}

export interface TextScore {
  readonly tokens: readonly TokenScore[];
  /** Tokens that have a log-probability. */
  readonly scored: number;
  /** Sum of ln p over them. */
  readonly total: number;
  /** exp(−total / scored); NaN where nothing was scored. */
  readonly perplexity: number;
}

/**
 * Scores `tokens` in passes of `engine.maxRows` after each other. Probabilities are of the plain soft-max (temperature
 * 1), summed in float64 from the engine's logits. Throws HunchError("input") for an empty text, a token outside of the
 * vocabulary, and a text or window longer than the engine's context.
 */
export async function scoreTokens(
  engine: Engine,
  tokens: Int32Array,
  options: ScoreOptions = {},
): Promise<TextScore> {
  const { window = tokens.length } = options;
  check(engine, tokens, options);
  const scores: TokenScore[] = [];
  for (let from = 0; from < tokens.length; from += window) {
    const text = tokens.subarray(from, from + window);
    const sequence = engine.open();
    try {
      scores.push({ token: text[0] });
      const visit = (logits: Float32Array | Float64Array, row: number) => {
        options.see?.(logits, from + row);
        if (row + 1 < text.length) scores.push(scoreOf(engine, logits, text[row + 1], options.top ?? 0));
      };
      await eachRow(engine, sequence, text, visit, (done) => {
        options.progress?.((from + done) / tokens.length);
        options.signal?.throwIfAborted();
      });
    } finally {
      sequence.close();
    }
  }
  const known = scores.flatMap(({ logProbability }) => logProbability ?? []);
  const total = known.reduce((sum, value) => sum + value, 0);
  return { tokens: scores, scored: known.length, total, perplexity: Math.exp(-total / known.length) };
}

/**
 * How likely each of `tokens`, at least one, is after what `sequence` holds and then `root`. Commits `root` and all of
 * them but the last. Probabilities as in `scoreTokens`.
 */
export async function scoreContinuation(
  engine: Engine,
  sequence: Sequence,
  root: number,
  tokens: Int32Array,
  { top = 0 }: Pick<ScoreOptions, "top"> = {},
): Promise<TokenScore[]> {
  const scores: TokenScore[] = [];
  const before = Int32Array.of(root, ...tokens.subarray(0, -1));
  await eachRow(engine, sequence, before, (logits, row) => scores.push(scoreOf(engine, logits, tokens[row], top)));
  return scores;
}

/** Commits `tokens` as a chain, in passes as wide as can be; `visit` sees the logits that follow each of them. */
async function eachRow(
  engine: Engine,
  sequence: Sequence,
  tokens: Int32Array,
  visit: (logits: Float32Array | Float64Array, row: number) => void,
  after?: (done: number) => void,
): Promise<void> {
  for (let at = 0; at < tokens.length; at += engine.maxRows) {
    const rows = tokens.subarray(at, at + engine.maxRows);
    const pass = await sequence.forward({ tokens: rows });
    for (let row = 0; row < rows.length; row++) visit(pass.logits(row), at + row);
    sequence.keep(Int32Array.from(rows.keys()));
    after?.(at + rows.length);
  }
}

function check({ context, source }: Engine, tokens: Int32Array, { window }: ScoreOptions): void {
  if (tokens.length === 0) {
    throw new HunchError("input", "there is nothing to score: the text has no tokens", { hint: "give more text" });
  }
  if (window !== undefined && !(Number.isInteger(window) && window >= 2)) {
    throw new HunchError("usage", `windows of ${window} tokens are not possible`, { hint: "take at least 2" });
  }
  const unknown = tokens.findIndex((token) => token < 0 || token >= source.spec.vocab);
  if (unknown >= 0) {
    const message = `token ${tokens[unknown]} at place ${unknown} is not one of the vocabulary's ${source.spec.vocab}`;
    throw new HunchError("input", message, { hint: "give ids of this model's own tokenizer" });
  }
  const longest = Math.min(window ?? Infinity, tokens.length);
  if (longest > context) {
    const message = `${longest} tokens do not fit the context of ${context}`;
    throw new HunchError("input", message, {
      file: source.path,
      hint: [...longerContext(source.spec, longest), `score it in parts of at most ${context} tokens`].join(", or "),
    });
  }
}

function scoreOf(engine: Engine, logits: Float32Array | Float64Array, token: number, top: number): TokenScore {
  const logSum = logSumExp(logits);
  if (!Number.isFinite(logSum)) throw notFinite(engine.source);
  const own = logits[token];
  let rank = 1;
  for (let other = 0; other < logits.length; other++) {
    if (logits[other] > own || (logits[other] === own && other < token)) rank++;
  }
  const score = { token, logProbability: own - logSum, rank };
  if (top === 0) return score;
  const best = Array.from(
    largest(logits, Math.min(top, logits.length)),
    (token) => ({ token, logProbability: logits[token] - logSum }),
  );
  return { ...score, top: best };
}
