// The target's sampling distribution over the rows of a pass: what a verification rule is given as Scores.
import type { Candidates, Need, Rows, Scores, Sequence, Tap } from "../backend.ts";
import type { Verified, VerifyRequest } from "../device-rule.ts";
import { argmax, type Distribution, point, probability, top } from "../math/distribution.ts";
import { penalises, type Sampling } from "../sampling.ts";
import type { DraftTree } from "../tree.ts";
import { truncate, truncates } from "../math/truncation.ts";
import { Penalty } from "./penalty.ts";
import { shortDistribution, shortens } from "./shortlist.ts";

/** What to ask a pass for, so that SampledScores finds what it needs. */
function passNeeds(sampling: Sampling): { temperature: number; need: Need } {
  const { temperature } = sampling;
  if (penalises(sampling)) return { temperature: temperature || 1, need: "logits" };
  if (temperature === 0) return { temperature: 1, need: "argmax" };
  return { temperature, need: shortens(sampling) ? "candidates" : "probabilities" };
}

/**
 * A pass over `rows`, as `sampling` sees it: `text`, `tree` and `first` as for SampledScores. All that the sampling asks
 * for is within reach, unless a verdict was asked for and given.
 */
export async function sampledPass(
  sequence: Sequence,
  rows: Pick<Rows, "tokens" | "parents" | "score" | "taps" | "skip">,
  sampling: Sampling,
  text: Int32Array,
  tree: Pick<DraftTree, "tokens" | "parents">,
  { first, verify, candidates }: {
    readonly first?: number;
    readonly verify?: VerifyRequest;
    /** True: `SampledScores.candidates` will be asked. */
    readonly candidates?: boolean;
  } = {},
): Promise<SampledScores> {
  const { temperature, need } = passNeeds(sampling);
  const asked = candidates && need === "argmax" ? "candidates" : need;
  const scores = await sequence.forward({ ...rows, temperature, need: asked, verify });
  const sampled = new SampledScores(scores, sampling, text, tree, first);
  if (scores.verified === undefined && scores.load !== undefined && !sampled.settled()) await scores.load();
  return sampled;
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
  readonly #penalty: Penalty;
  readonly #distributions: (Distribution | undefined)[] = [];
  readonly verified?: Verified;

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
    this.#penalty = new Penalty(sampling, text, tree, first);
    this.verified = scores.verified;
  }

  /** Whether all rows follow from what a pass with these needs has brought; else the Scores must be loaded. */
  settled(): boolean {
    if (passNeeds(this.#sampling).need !== "candidates") return true;
    for (let row = 0; row < this.rows; row++) {
      const short = this.#distributions[row] ??= this.#short(row);
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
    return this.#penalty.active ? this.#penalty.argmax(this.#scores, row) : this.#scores.argmax(row);
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
    if (!this.#penalty.active && !truncates(this.#sampling)) return this.#scores.probability(row, token);
    return probability(this.distribution(row), token);
  }

  distribution(row: number): Distribution {
    return this.#distributions[row] ??= this.#sampling.temperature === 0
      ? point(this.vocab, this.argmax(row))
      : this.#short(row) ?? truncate(this.#whole(row), this.#sampling);
  }

  /** The penalised scores, before temperature. */
  logits(row: number): Float32Array | Float64Array {
    return this.#penalty.active ? this.#penalty.logits(this.#scores, row) : this.#scores.logits(row);
  }

  states(tap: Tap): Float32Array | Float64Array {
    if (this.#scores.states === undefined) throw new Error("this pass was not asked for hidden states");
    return this.#scores.states(tap);
  }

  #short(row: number): Distribution | undefined {
    return shortDistribution(this.#scores, row, this.#sampling, this.#penalty);
  }

  /** The soft-max at the temperature after the penalty, all tokens. */
  #whole(row: number): Distribution {
    return this.#penalty.active ? this.#penalty.distribution(this.#scores, row) : this.#scores.distribution(row);
  }
}
