// The target's scores along texts that were said otherwise.
import type { Engine, Sequence, Tap } from "../../src/backend.ts";
import type { Sampling } from "../../src/sampling.ts";
import { sampledPass, type SampledScores } from "../../src/round/sampled-scores.ts";
import { type DraftTree, EMPTY_TREE, rowParents } from "../../src/tree.ts";

/** Reads texts with a sequence of its own. */
export class Reader {
  readonly #sequence: Sequence;
  #cached: Int32Array = new Int32Array(0);

  constructor(private readonly engine: Engine, private readonly sampling: Sampling) {
    this.#sequence = engine.open();
  }

  /** The target's scores after `text`, and after each node of a chain or one-level tree below it; with states of `taps`. */
  async scores(text: Int32Array, tree: DraftTree, taps?: readonly Tap[]): Promise<SampledScores> {
    await this.#fill(text);
    const tokens = Int32Array.of(text[text.length - 1], ...tree.tokens);
    const parents = rowParents(tree);
    const scores = await sampledPass(
      this.#sequence,
      { tokens, parents, ...taps && { taps } },
      this.sampling,
      text,
      tree,
    );
    for (let row = 0; row < tokens.length; row++) scores.distribution(row); // before another pass makes it invalid
    return scores;
  }

  /** How many of the tokens from `from` on the target would not say there: not its likeliest, or left out by it. */
  async foreign(text: Int32Array, from: number): Promise<number> {
    let count = 0;
    for (let end = from; end < text.length; end++) {
      const scores = await this.scores(text.subarray(0, end), EMPTY_TREE);
      if (!(scores.probability(0, text[end]) > 0)) count++;
    }
    return count;
  }

  /** Sum of ln p of the tokens from `from` on. */
  async likelihood(text: Int32Array, from: number): Promise<number> {
    let sum = 0;
    for (let end = from; end < text.length; end++) {
      sum += Math.log((await this.scores(text.subarray(0, end), EMPTY_TREE)).probability(0, text[end]));
    }
    return sum;
  }

  /** All of `text` but its last token into the cache. */
  async #fill(text: Int32Array): Promise<void> {
    let at = 0;
    while (at < text.length - 1 && at < this.#cached.length && this.#cached[at] === text[at]) at++;
    this.#sequence.rewind(at);
    this.#cached = text.slice(0, -1);
    while (at < text.length - 1) {
      const tokens = text.slice(at, Math.min(at + this.engine.maxRows, text.length - 1));
      await this.#sequence.forward({ tokens, score: "last", need: "argmax" });
      this.#sequence.keep(Int32Array.from(tokens.keys()));
      at += tokens.length;
    }
  }
}
