// slem: a draft model of another tokenizer writes on, and the target's tokens for what it wrote are the draft (string-level
// exact match). Any two models go together, whatever tokens they have.
// Accelerating LLM Inference with Lossless Speculative Decoding Algorithms for Heterogeneous Vocabularies (Timor et al.,
// 2025, arXiv 2502.05202), algorithm 2.
//
// A drafted token stands where the target draws the same: law `point`, the rule `match` or, at temperature 0, `greedy`.
// The paper encodes text and draft together and looks back for where both agree; here what the target has said stays as it
// said it, and only the draft is encoded, as a text that stands behind another. The draft model keeps what it has computed
// of the text as far as its own tokens for it stay the same. A draft ends before a token that has no text.
import type { Engine } from "../../src/backend.ts";
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import { ByteEncoder } from "../../src/draft/byte-encoder.ts";
import { LIKELIEST } from "../../src/draft/proposed.ts";
import { ask } from "../../src/draft/raw.ts";
import { RetokenizedText } from "../../src/draft/retokenized.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { sharedTokens } from "../../src/draft/vocabulary.ts";
import type { Drafter } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { chainTree, type DraftTree, EMPTY_TREE } from "../../src/tree.ts";
import { chain } from "../shapes/chain.ts";
import { ModelProposer } from "./model.ts";

export class SlemDrafter implements Drafter {
  readonly name = "slem";
  readonly laws = ["point"] as const;
  readonly #text = new TokenBuffer();
  readonly #retokenized: RetokenizedText;
  readonly #own: ByteEncoder;
  readonly #target: ByteEncoder;
  readonly #model: ModelProposer;
  #sampling: Sampling = GREEDY;

  /** Closes `draft` with itself. */
  constructor(target: Engine, draft: Engine) {
    const [ours, own] = [target.source.tokenizer, draft.source.tokenizer];
    this.#retokenized = new RetokenizedText(ours, own, sharedTokens(target.source, draft.source));
    this.#target = new ByteEncoder(ours);
    this.#own = new ByteEncoder(own);
    this.#model = new ModelProposer(draft, target);
  }

  begin(prompt: Int32Array, sampling: Sampling): void {
    this.#sampling = sampling;
    this.#text.clear();
    this.#text.append(prompt);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    const own = this.#retokenized.of(this.#text.view).slice();
    if (own.length === 0) return EMPTY_TREE;
    const asked = ask(this.#model, plan, this.#sampling);
    const greedy = this.#sampling.temperature === 0;
    await this.#model.sync(own, greedy && plan.goOn === undefined ? this.#sampling : asked.sync);
    const { tokens } = await chain.grow(asked.proposer, asked.plan, greedy ? LIKELIEST : chance);
    const end = tokens.findIndex((token) => this.#own.bytes([token]).length === 0);
    const written = this.#own.bytes(end < 0 ? tokens : tokens.subarray(0, end));
    return chainTree(this.#target.encode(written).subarray(0, Math.min(plan.nodes, plan.depth)));
  }

  observe({ committed }: Round): void {
    this.#text.append(committed);
  }

  close(): void {
    this.#model.close();
  }
}

export default definePlugin({
  kind: "drafter",
  name: "slem",
  summary: "a model of another vocabulary writes on, and the target's tokens for it are the draft",
  argument: "FILE",
  paper: {
    title: "Accelerating LLM Inference with Lossless Speculative Decoding Algorithms for Heterogeneous Vocabularies",
    year: 2025,
    arxiv: "2502.05202",
  },
  create: async (_, path, context) => new SlemDrafter(context.target, await context.loadModel(path, "any")),
});
