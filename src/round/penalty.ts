// The repetition penalty (CTRL, Keskar et al., 2019, arXiv 1909.05858) on the rows of a pass: a row counts exactly the
// committed text and the path to its node as said, so that a drafted token is judged as it would be without a draft.
import { MOST_CANDIDATES, type Scores } from "../backend.ts";
import type { Distribution } from "../math/distribution.ts";
import { penalises, type Sampling } from "../sampling.ts";
import type { DraftTree } from "../tree.ts";

export class Penalty {
  /** False: every score stays as it is. */
  readonly active: boolean;

  /** `text`: the committed tokens, root included. `first`: the node that row 0 belongs to, −1 for the root. */
  constructor(
    private readonly sampling: Sampling,
    private readonly text: Int32Array,
    private readonly tree: Pick<DraftTree, "tokens" | "parents">,
    private readonly first: number,
  ) {
    this.active = penalises(sampling);
  }

  /** What the logit of a recent token becomes. */
  of(logit: number): number {
    return logit > 0 ? logit / this.sampling.repetitionPenalty : logit * this.sampling.repetitionPenalty;
  }

  /** The tokens that are penalised in this row. */
  recent(row: number): Set<number> {
    const recent = new Set<number>();
    let left = this.sampling.repetitionWindow;
    for (let node = row + this.first; node >= 0 && left > 0; node = this.tree.parents[node], left--) {
      recent.add(this.tree.tokens[node]);
    }
    for (let i = this.text.length - 1; i >= 0 && left > 0; i--, left--) recent.add(this.text[i]);
    return recent;
  }

  /** The penalised logits of a row, a copy, [vocab]. */
  logits(scores: Scores, row: number): Float32Array | Float64Array {
    const logits = scores.logits(row);
    const out = logits.slice();
    for (const token of this.recent(row)) out[token] = this.of(logits[token]);
    return out;
  }

  /** The token of the highest penalised logit; of equal ones the lowest id. */
  argmax(scores: Scores, row: number): number {
    const logits = scores.logits(row);
    const recent = this.recent(row);
    let best = -1;
    let most = -Infinity;
    const look = (token: number) => {
      const logit = recent.has(token) ? this.of(logits[token]) : logits[token];
      if (logit > most || (logit === most && token < best)) {
        most = logit;
        best = token;
      }
    };
    if (this.sampling.repetitionPenalty > 1) { // scores only fall: what is not listed stays at or below the last
      const { tokens } = scores.top(row, MOST_CANDIDATES);
      tokens.forEach(look);
      if (tokens.length === scores.vocab || most > logits[tokens[tokens.length - 1]]) return best;
    }
    for (let token = 0; token < scores.vocab; token++) look(token);
    return best;
  }

  /** The soft-max of the penalised logits at the sampling's temperature, > 0; all tokens. */
  distribution(scores: Scores, row: number): Distribution {
    const { temperature } = this.sampling;
    const logits = Float64Array.from(this.logits(scores, row));
    let most = -Infinity;
    for (let i = 0; i < logits.length; i++) if (logits[i] > most) most = logits[i];
    let sum = 0;
    for (let i = 0; i < logits.length; i++) sum += logits[i] = Math.exp((logits[i] - most) / temperature);
    for (let i = 0; i < logits.length; i++) logits[i] /= sum;
    return { vocab: scores.vocab, probabilities: logits };
  }
}
