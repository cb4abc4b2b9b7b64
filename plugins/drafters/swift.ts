// swift: the blocks that the target leaves out of its drafts are found while it decodes, by how well it would have drafted
// what it has just said.
// SWIFT: On-the-Fly Self-Speculative Decoding for LLM Inference Acceleration (Xia et al., 2024, arXiv 2410.06916).
//
// As there: a share of all blocks but those of the first and the last layer is left out; sets are drawn at random, every
// 25th is chosen by Bayesian optimisation; a set is judged by the share of the last `window` tokens that one pass without
// its blocks finds likeliest; the best so far drafts. The search ends where a set reaches 0.95, after 300 sets that were no
// better, or after 1000. It goes on from text to text, as in the public code, for a stream of texts of one kind.
//
// Otherwise: the public code judges by the first tokens of the answer and tries a set a round, on a copy of the cache; here
// the last tokens of the text are taken back and computed again, so no copy is held, and four sets are tried every fourth
// round. The paper's exit by confidence is the controller `confidence?published=true&threshold=0.8&most=25`, its candidates
// beside the likeliest are a shape's, such as `top-k`.
import type { Sequence, Skip } from "../../src/backend.ts";
import { type Blocks, BlockSearch, skipOf } from "../../src/draft/block-search.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { lookBack } from "./look-back.ts";
import { refuseWithout, SelfProposer } from "./self.ts";
import { drafterOf } from "./with-shape.ts";

const BAYES_EVERY = 25;
const ENOUGH = 0.95;
const PATIENCE = 300;
const MOST_TRIES = 1000;
/** Sets that are tried one after the other, and rounds from one such time to the next. */
const AT_ONCE = 4;

export class SwiftSearch {
  readonly #search: BlockSearch;
  readonly #first: Blocks;
  #rounds = 0;
  #tries = 0;
  /** Tries since the best set was found. */
  #idle = 0;

  /** `ratio`: the share of blocks that is left out, 0 … 1; one at least, where any may be. `window`: tokens that sets are judged by, ≥ 1. */
  constructor(layers: number, ratio: number, private readonly window: number) {
    const free = Array.from({ length: Math.max(0, layers - 2) }, (_, i) => i + 1);
    this.#search = new BlockSearch(layers, free, Math.max(1, Math.floor(2 * free.length * ratio)), "swift");
    this.#first = this.#search.random();
  }

  /** Sets tried so far. */
  get tries(): number {
    return this.#tries;
  }

  get done(): boolean {
    return (this.#search.best?.score ?? 0) > ENOUGH || this.#idle > PATIENCE || this.#tries > MOST_TRIES;
  }

  /** What is left out of the next draft: the best set, or one drawn at random where none was tried yet. */
  async next(text: Int32Array, target: Sequence): Promise<Skip> {
    if (!this.done && text.length > this.window && this.#rounds++ % AT_ONCE === 0) {
      await lookBack(target, text, this.window, async (tokens) => {
        for (let i = 0; i < AT_ONCE && !this.done; i++) await this.#try(tokens, text, target);
      });
    }
    return skipOf(this.#search.best?.blocks ?? this.#first);
  }

  async #try(tokens: Int32Array, text: Int32Array, target: Sequence): Promise<void> {
    const search = this.#search;
    const blocks = ++this.#tries % BAYES_EVERY === 0 ? search.promising() : search.random();
    const scores = await target.forward({ tokens, skip: skipOf(blocks), need: "argmax" });
    const from = text.length - tokens.length;
    const right = tokens.reduce((count, _, row) => count + (scores.argmax(row) === text[from + row] ? 1 : 0), 0);
    search.tell(blocks, right / tokens.length);
    this.#idle = search.best?.blocks === blocks ? 0 : this.#idle + 1;
  }
}

export const swiftProposer = definePlugin({
  kind: "proposer",
  name: "swift",
  summary: "the target with blocks left out that are found while it decodes",
  paper: {
    title: "SWIFT: On-the-Fly Self-Speculative Decoding for LLM Inference Acceleration",
    year: 2024,
    arxiv: "2410.06916",
  },
  options: {
    ratio: { type: "number", default: 0.45, min: 0, max: 1, summary: "share of the blocks that is left out" },
    window: { type: "integer", default: 32, min: 1, max: 64, summary: "tokens of the text that sets are judged by" },
  },
  create({ ratio, window }, _, { target }) {
    refuseWithout(target, "skip", "swift");
    const search = new SwiftSearch(target.source.spec.layers.length, ratio, window);
    return new SelfProposer("swift", target, (text, sequence) => search.next(text, sequence));
  },
});

export default drafterOf(swiftProposer);
