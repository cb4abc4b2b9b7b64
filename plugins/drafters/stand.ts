// stand: what the target said after the last few tokens, as a distribution that drafts are drawn from.
// Accelerated Test-Time Scaling with Model-Free Speculative Sampling (STAND; Song et al., 2025, arXiv 2506.04708).
//
// As in the paper: tables of n-grams that keep the target's `CANDIDATES` likeliest next tokens with their probabilities,
// the mean of what was seen; the longest n-gram that is known speaks; children are drawn without replacement
// (Gumbel-top-k, see the shape `gumbel`); the tree's form follows from how often each rank was accepted. The paper measures
// that beforehand, on other texts; here the shape `sequoia` does while it runs. The tables stay from text to text: the
// paper's several tries of one problem are several texts of a run.
//
// The law is the shape's: `distinct` with `sequoia` and `gumbel`; `point` at temperature 0. The q that it tells is the
// one that it draws from, so rules that judge by q are lossless whatever the tables hold. Memory: 5.8 MiB: 65,536 n-grams.
import type { Round } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { contextKey, SuccessorTable } from "../../src/draft/successor-table.ts";
import { argmax, type Distribution, mass, point, sparse } from "../../src/math/distribution.ts";
import { truncate } from "../../src/math/truncation.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import type { TreeShape } from "../../src/shape.ts";
import { EMPTY_TREE } from "../../src/tree.ts";

const CONTEXTS = 1 << 16;
const CANDIDATES = 10;
/** Tokens of the longest context: n-grams of 2, 3 and 4 tokens. */
const LONGEST = 3;

export class StandProposer implements Proposer {
  readonly #table = new SuccessorTable(CONTEXTS, CANDIDATES);
  /** The last tokens of the text, LONGEST at most. */
  #end: readonly number[] = [];
  #sampling: Sampling = GREEDY;
  /** [node] The last tokens of the path to it. */
  #paths: (readonly number[])[] = [];

  constructor(readonly vocab: number) {}

  sync(text: Int32Array, sampling: Sampling): Promise<void> {
    this.#sampling = sampling;
    this.#end = [...text.subarray(-LONGEST)];
    this.#paths = [];
    return Promise.resolve();
  }

  /** No distribution where nothing is known of the end of the text. */
  propose({ tokens, parents }: Parameters<Proposer["propose"]>[0]): Promise<Distribution[]> {
    if (tokens.length === 0) {
      const q = this.#q(this.#end);
      return Promise.resolve(mass(q) > 0 ? [q] : []);
    }
    const asked = Array.from(tokens, (token, i) => {
      const path = [...this.#paths[parents[i]] ?? this.#end, token].slice(-LONGEST);
      this.#paths.push(path); // a parent may be of the same call
      return this.#q(path);
    });
    return Promise.resolve(asked);
  }

  /** The rows of a pass after `text`, refused ones too: they say what the target would have said there. */
  learn(text: readonly number[], { tree, candidates = [] }: Pick<Round, "tree" | "candidates">): void {
    const paths: (readonly number[])[] = [];
    candidates.forEach(({ tokens, probabilities }, row) => {
      const node = row - 1;
      const path = node < 0 ? text : [...paths[tree.parents[node]] ?? text, tree.tokens[node]].slice(-LONGEST);
      if (node >= 0) paths.push(path);
      for (let length = 1; length <= path.length; length++) {
        this.#table.see(contextKey(...path.slice(-length).reverse()), tokens, probabilities);
      }
    });
  }

  /** By the longest context that is known; without a token where none is. */
  #q(path: readonly number[]): Distribution {
    const tokens: number[] = [];
    const shares: number[] = [];
    for (let length = path.length; length > 0 && tokens.length === 0; length--) {
      this.#table.visit(contextKey(...path.slice(-length).reverse()), (token, share) => {
        tokens.push(token);
        shares.push(share);
      });
    }
    if (tokens.length === 0) return sparse(this.vocab, [], []);
    const all = shares.reduce((a, b) => a + b, 0);
    const q = sparse(this.vocab, tokens, shares.map((share) => share / all));
    return this.#sampling.temperature === 0 ? point(this.vocab, argmax(q)) : truncate(q, this.#sampling);
  }
}

export class StandDrafter extends ProposedDrafter implements Drafter {
  readonly candidates = CANDIDATES;
  #prompt: Int32Array = new Int32Array(0);
  #end: number[] = [];
  readonly observePrompt: Drafter["observePrompt"];

  /** `prompted`: the prompt's rows come in as well. */
  constructor(private readonly tables: StandProposer, form: TreeShape, prompted = false) {
    super("stand", tables, form);
    if (!prompted) return;
    this.observePrompt = (from, rows) =>
      rows.forEach((row, i) => {
        const end = from + i + 1;
        tables.learn([...this.#prompt.subarray(Math.max(0, end - LONGEST), end)], {
          tree: EMPTY_TREE,
          candidates: [row],
        });
      });
  }

  override begin(prompt: Int32Array, sampling: Sampling): void {
    this.#prompt = prompt;
    this.#end = [...prompt.subarray(-LONGEST)];
    super.begin(prompt, sampling);
  }

  override observe(round: Round): void {
    this.tables.learn(this.#end, round);
    this.#end = [...this.#end, ...round.committed].slice(-LONGEST);
    super.observe(round);
  }
}

export default definePlugin({
  kind: "drafter",
  name: "stand",
  summary: "what the target said after the last few tokens, as a distribution to draw trees from",
  paper: {
    title: "Accelerated Test-Time Scaling with Model-Free Speculative Sampling",
    year: 2025,
    arxiv: "2506.04708",
  },
  options: {
    shape: { type: "string", default: "sequoia", summary: "tree shape, as in `hunch plugin list`" },
    prompt: {
      type: "boolean",
      default: false,
      summary: "learn from the prompt's rows too: the first token comes later",
    },
  },
  async create({ shape, prompt }, _, context) {
    const form = await context.resolve("shape", shape);
    return new StandDrafter(new StandProposer(context.target.source.spec.vocab), form, prompt);
  },
});
