// recycling: what the target itself found likely after a token, the last time it looked. Every pass scores the draft's
// tokens, refused ones too, and the likeliest candidates of each row are kept for its token instead of thrown away.
// Turning Trash into Treasure: Accelerating Inference of Large Language Models with Token Recycling (Luo et al., 2024,
// arXiv 2408.08696).
//
// As in the paper: a matrix of `k` candidates for every token, written back each round, and kept from text to text; a
// tree merged from it layer by layer, wider for likelier ranks. Its form is that of the likeliest paths by RANKS, whatever
// size the plan has, where the paper has one form of 80 nodes; and the nodes that an unknown token leaves go elsewhere.
// Left out: a matrix that comes filled (the paper starts from that of earlier texts). With `prompt` the prompt's rows come
// in too: a sixth more is accepted, and the prompt takes longer.
//
// Law `point`. Memory: 4·k bytes for each token of the vocabulary, 1.6 MB for 49,152 tokens and k = 8.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { fill, type Next } from "../../src/draft/fill.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { DraftTree } from "../../src/tree.ts";

/** How often the candidate of each rank was the next token: SmolLM2-135M-Instruct, greedy, 56 prompts of 14 kinds. */
const RANKS = [0.36, 0.09, 0.05, 0.035, 0.026, 0.016, 0.014, 0.012];
/** Of ranks beyond. */
const BEYOND = 0.01;

export class RecyclingDrafter implements Drafter {
  readonly name = "recycling";
  readonly laws = ["point"] as const;
  /** [vocab, candidates] The likeliest tokens after each token when it was last scored; −1 where it never was. */
  readonly #matrix: Int32Array;
  #prompt: Int32Array = new Int32Array(0);
  #root = -1;
  readonly observePrompt: Drafter["observePrompt"];

  /** `candidates`: of each row, 1 … 64. `prompted`: the prompt's rows come in as well. */
  constructor(vocab: number, readonly candidates: number, prompted = false) {
    this.#matrix = new Int32Array(vocab * candidates).fill(-1);
    if (!prompted) return;
    this.observePrompt = (from, rows) => rows.forEach(({ tokens }, i) => this.#write(this.#prompt[from + i], tokens));
  }

  /** The matrix stays: what followed a token in one text may follow it in the next. */
  begin(prompt: Int32Array): void {
    this.#prompt = prompt;
    this.#root = prompt[prompt.length - 1];
  }

  draft(plan: Plan): DraftTree {
    return fill(plan, this.#root, this.#next).tree;
  }

  after(path: Int32Array, plan: Plan): DraftTree {
    return fill(plan, path.length > 0 ? path[path.length - 1] : this.#root, this.#next).tree;
  }

  observe({ tree, verdict, committed, candidates = [] }: Round): void {
    for (let row = 1; row < candidates.length; row++) this.#write(tree.tokens[row - 1], candidates[row].tokens);
    // The rows of the text itself last: where a token stands in both, they know what it really followed.
    if (candidates.length > 0) this.#write(this.#root, candidates[0].tokens);
    for (const node of verdict.path) {
      const row = candidates[node + 1];
      if (row !== undefined) this.#write(tree.tokens[node], row.tokens);
    }
    if (committed.length > 0) this.#root = committed[committed.length - 1];
  }

  readonly #next: Next<number> = (token, offer) => {
    const first = token * this.candidates;
    for (let rank = 0; rank < this.candidates; rank++) {
      const next = this.#matrix[first + rank];
      if (next < 0) return;
      offer(next, RANKS[rank] ?? BEYOND, next);
    }
  };

  #write(token: number, candidates: Int32Array): void {
    if (candidates.length === 0) return;
    const first = token * this.candidates;
    for (let rank = 0; rank < this.candidates; rank++) this.#matrix[first + rank] = candidates[rank] ?? -1;
  }
}

export default definePlugin({
  kind: "drafter",
  name: "recycling",
  summary: "what the target found likely after the same token before, in refused rows as well",
  paper: {
    title: "Turning Trash into Treasure: Accelerating Inference of Large Language Models with Token Recycling",
    year: 2024,
    arxiv: "2408.08696",
  },
  options: {
    k: { type: "integer", default: 8, min: 1, max: 64, summary: "candidates kept for every token" },
    prompt: {
      type: "boolean",
      default: false,
      summary: "keep those of the prompt's rows too: the first token comes later",
    },
  },
  create: ({ k, prompt }, _, { target }) => new RecyclingDrafter(target.source.spec.vocab, k, prompt),
});
