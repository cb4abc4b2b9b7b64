// The target's sampling distribution over the rows of a pass: what a verification rule is given as Scores.
import type { Candidates, Need, Rows, Scores, Sequence } from "../backend.ts";
import type { Judged, JudgeRequest } from "../device-rule.ts";
import { argmax, type Distribution, point, probability, top } from "../math/distribution.ts";
import { penalises, type Sampling } from "../sampling.ts";
import type { DraftTree } from "../tree.ts";
import { REACHED, truncate, truncateAfterTopP, truncates } from "../math/truncation.ts";

/** So many candidates of a row are cheap where a pass was run for probabilities. */
const CHEAP = 64;

/** Below this much of the original mass, float32 probabilities no longer say how much is left. */
const ENOUGH_LEFT = 1e-3;

/** What to ask a pass for, so that SampledScores finds what it needs. */
function passNeeds(sampling: Sampling): { temperature: number; need: Need } {
  const { temperature } = sampling;
  if (penalises(sampling)) return { temperature: temperature || 1, need: "logits" };
  if (temperature === 0) return { temperature: 1, need: "argmax" };
  return { temperature, need: shortens(sampling) ? "candidates" : "probabilities" };
}

/** Whether a few likeliest tokens may settle what is left of a distribution. */
function shortens({ topK, topP, minP, repetitionPenalty }: Sampling): boolean {
  if (topK === 0 && topP >= 1 && minP === 0) return false; // nothing is left out, or only the typical decides
  return topK <= CHEAP && repetitionPenalty >= 1;
}

/**
 * A pass over `rows`, as `sampling` sees it: `text`, `tree` and `first` as for SampledScores. All that the sampling asks
 * for is within reach, unless a verdict was asked for and given.
 */
export async function sampledPass(
  sequence: Sequence,
  rows: Pick<Rows, "tokens" | "parents" | "score">,
  sampling: Sampling,
  text: Int32Array,
  tree: Pick<DraftTree, "tokens" | "parents">,
  { first, judge, candidates }: {
    readonly first?: number;
    readonly judge?: JudgeRequest;
    /** True: `SampledScores.candidates` will be asked. */
    readonly candidates?: boolean;
  } = {},
): Promise<SampledScores> {
  const { temperature, need } = passNeeds(sampling);
  const asked = candidates && need === "argmax" ? "candidates" : need;
  const scores = await sequence.forward({ ...rows, temperature, need: asked, judge });
  const sampled = new SampledScores(scores, sampling, text, tree, first);
  if (scores.judged === undefined && scores.load !== undefined && !sampled.settled()) await scores.load();
  return sampled;
}

/** The likeliest tokens of a row, penalised: every token that is not listed is at most `bound`. */
interface Shortlist {
  /** Most likely first, equal ones by ascending id. */
  readonly tokens: Int32Array;
  /** Of the whole soft-max. */
  readonly probabilities: Float64Array;
  readonly bound: number;
}

/**
 * Row 0 follows the committed text, row i + 1 the text and the path to node i of the tree. Penalties look at exactly
 * that, so a drafted token is judged as it would be without a draft.
 *
 * The pass must have been run with `passNeeds(sampling)`. Valid as long as the pass's Scores; distributions stay valid.
 */
export class SampledScores implements Scores {
  readonly rows: number;
  readonly vocab: number;
  readonly #scores: Scores;
  readonly #sampling: Sampling;
  readonly #text: Int32Array;
  readonly #tree: Pick<DraftTree, "tokens" | "parents">;
  readonly #first: number;
  readonly #distributions: (Distribution | undefined)[] = [];
  readonly judged?: Judged;

  /** `text`: the committed tokens, root included. `first`: the node that row 0 belongs to, −1 for the root. */
  constructor(
    scores: Scores,
    sampling: Sampling,
    text: Int32Array,
    tree: Pick<DraftTree, "tokens" | "parents">,
    first = -1,
  ) {
    this.rows = scores.rows;
    this.vocab = scores.vocab;
    this.#scores = scores;
    this.#sampling = sampling;
    this.#text = text;
    this.#tree = tree;
    this.#first = first;
    this.judged = scores.judged;
  }

  /** Whether all rows follow from what a pass with these needs has brought; else the Scores must be loaded. */
  settled(): boolean {
    if (passNeeds(this.#sampling).need !== "candidates") return true;
    for (let row = 0; row < this.rows; row++) {
      const short = this.#distributions[row] ??= this.#shortDistribution(row);
      if (short === undefined) return false;
    }
    return true;
  }

  async load(): Promise<void> {
    await this.#scores.load?.();
  }

  /** The likeliest token of the sampling distribution; of equal ones the lowest id. */
  argmax(row: number): number {
    const { temperature, typical } = this.#sampling;
    if (temperature > 0 && typical < 1) return argmax(this.distribution(row)); // the likeliest may be left out
    return this.#penalises ? this.#penalisedArgmax(row) : this.#scores.argmax(row);
  }

  /** The `k` likeliest tokens of the target's own soft-max at the pass's temperature, k ≤ 64; no penalty counts. */
  candidates(row: number, k: number): Candidates {
    return this.#scores.top(row, k);
  }

  top(row: number, k: number): Candidates {
    const d = this.distribution(row);
    const tokens = Int32Array.from(top(d, k));
    return { tokens, probabilities: Float32Array.from(tokens, (token) => probability(d, token)) };
  }

  probability(row: number, token: number): number {
    const { temperature } = this.#sampling;
    if (temperature === 0) return token === this.argmax(row) ? 1 : 0;
    if (!this.#penalises && !truncates(this.#sampling)) return this.#scores.probability(row, token);
    return probability(this.distribution(row), token);
  }

  distribution(row: number): Distribution {
    return this.#distributions[row] ??= this.#sampling.temperature === 0
      ? point(this.vocab, this.argmax(row))
      : this.#shortDistribution(row) ?? truncate(this.#penalised(row), this.#sampling);
  }

  /** The penalised scores, before temperature. */
  logits(row: number): Float32Array | Float64Array {
    const logits = this.#scores.logits(row);
    if (!this.#penalises) return logits;
    const out = logits.slice();
    for (const token of this.#recent(row)) out[token] = this.#penalty(logits[token]);
    return out;
  }

  get #penalises(): boolean {
    return penalises(this.#sampling);
  }

  #penalty(logit: number): number {
    return logit > 0 ? logit / this.#sampling.repetitionPenalty : logit * this.#sampling.repetitionPenalty;
  }

  /** The tokens that are penalised in this row. */
  #recent(row: number): Set<number> {
    const recent = new Set<number>();
    let left = this.#sampling.repetitionWindow;
    for (let node = row + this.#first; node >= 0 && left > 0; node = this.#tree.parents[node], left--) {
      recent.add(this.#tree.tokens[node]);
    }
    for (let i = this.#text.length - 1; i >= 0 && left > 0; i--, left--) recent.add(this.#text[i]);
    return recent;
  }

  #penalisedArgmax(row: number): number {
    const logits = this.#scores.logits(row);
    const recent = this.#recent(row);
    const value = (token: number) => recent.has(token) ? this.#penalty(logits[token]) : logits[token];
    let best = -1;
    let most = -Infinity;
    const look = (token: number) => {
      const logit = value(token);
      if (logit > most || (logit === most && token < best)) {
        most = logit;
        best = token;
      }
    };
    if (this.#sampling.repetitionPenalty > 1) { // scores only fall: what is not listed stays at or below the last
      const { tokens } = this.#scores.top(row, CHEAP);
      tokens.forEach(look);
      if (tokens.length === this.vocab || most > logits[tokens[tokens.length - 1]]) return best;
    }
    for (let token = 0; token < this.vocab; token++) look(token);
    return best;
  }

  /** The soft-max at the temperature after the penalty, all tokens. */
  #penalised(row: number): Distribution {
    if (!this.#penalises) return this.#scores.distribution(row);
    const { temperature } = this.#sampling;
    const logits = Float64Array.from(this.logits(row));
    let most = -Infinity;
    for (let i = 0; i < logits.length; i++) if (logits[i] > most) most = logits[i];
    let sum = 0;
    for (let i = 0; i < logits.length; i++) sum += logits[i] = Math.exp((logits[i] - most) / temperature);
    for (let i = 0; i < logits.length; i++) logits[i] /= sum;
    return { vocab: this.vocab, probabilities: logits };
  }

  /** The sampling distribution from the likeliest tokens alone; undefined where they do not settle it. */
  #shortDistribution(row: number): Distribution | undefined {
    const { topK, topP, minP } = this.#sampling;
    if (!shortens(this.#sampling)) return undefined;
    const { tokens, probabilities, bound } = this.#shortlist(row) ?? { tokens: [], probabilities: [], bound: 1 };
    const kept = (count: number) => ascending(this.vocab, tokens.slice(0, count), probabilities.slice(0, count));
    if (topK > 0) {
      return topK <= tokens.length || tokens.length === this.vocab ? truncate(kept(topK), this.#sampling) : undefined;
    }
    if (topP < 1) {
      let sum = 0;
      for (let i = 0; i < tokens.length; i++) {
        sum += probabilities[i];
        if (sum >= topP - REACHED) return truncateAfterTopP(kept(i + 1), this.#sampling);
      }
      return undefined;
    }
    return bound < minP * probabilities[0] ? truncateAfterTopP(kept(tokens.length), this.#sampling) : undefined;
  }

  #shortlist(row: number): Shortlist | undefined {
    const { tokens, probabilities } = this.#scores.top(row, CHEAP);
    const bound = tokens.length === this.vocab ? -1 : probabilities[probabilities.length - 1];
    if (!this.#penalises) return { tokens, probabilities: Float64Array.from(probabilities), bound };
    const logits = this.#scores.logits(row);
    const factors = new Map<number, number>();
    let left = 1;
    for (const token of this.#recent(row)) {
      const factor = Math.exp((this.#penalty(logits[token]) - logits[token]) / this.#sampling.temperature);
      factors.set(token, factor);
      left -= this.#scores.probability(row, token) * (1 - factor);
    }
    if (!(left > ENOUGH_LEFT)) return undefined;
    const ranked = Array.from(tokens, (token, i) => ({ token, p: probabilities[i] * (factors.get(token) ?? 1) }))
      .filter(({ p }) => p > bound) // below it, a token that is not listed may come first
      .sort((a, b) => b.p - a.p || a.token - b.token);
    return {
      tokens: Int32Array.from(ranked, ({ token }) => token),
      probabilities: Float64Array.from(ranked, ({ p }) => p / left),
      bound: bound / left,
    };
  }
}

/** A renormalised sparse distribution of distinct tokens in any order. */
function ascending(vocab: number, tokens: ArrayLike<number>, probabilities: ArrayLike<number>): Distribution {
  const order = Array.from(tokens, (_, i) => i).sort((a, b) => tokens[a] - tokens[b]);
  let sum = 0;
  for (const i of order) sum += probabilities[i];
  return {
    vocab,
    tokens: Int32Array.from(order, (i) => tokens[i]),
    probabilities: Float64Array.from(order, (i) => probabilities[i] / sum),
  };
}
