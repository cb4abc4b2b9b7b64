// tli: a draft model of another tokenizer, held to the tokens that both have (token-level intersection). q is the draft
// model's distribution without the tokens that the target does not know, renormalised; a rule judges it as any other q.
// Accelerating LLM Inference with Lossless Speculative Decoding Algorithms for Heterogeneous Vocabularies (Timor et al.,
// 2025, arXiv 2502.05202), algorithm 4.
//
// Which tokens both have is settled once, when the models are opened. Temperature, truncation and penalties are applied
// to the scores of shared tokens; where a few candidates settle a truncation, to those of the candidates that are shared.
// The text is read in the draft model's own tokens, as it would cut it (retokenized.ts). Lossless for the law of the
// shape, as q is what drafts are drawn from.
import type { Engine } from "../../src/backend.ts";
import type { Proposer } from "../../src/drafter.ts";
import { RetokenizedText } from "../../src/draft/retokenized.ts";
import { Numbers, RenumberedEngine } from "../../src/draft/shared-vocabulary.ts";
import { sharedTokens } from "../../src/draft/vocabulary.ts";
import { HunchError } from "../../src/errors.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Sampling } from "../../src/sampling.ts";
import { ModelProposer } from "./model.ts";
import { drafterOf } from "./with-shape.ts";

export class TliProposer implements Proposer {
  readonly vocab: number;
  readonly #numbers: Numbers;
  readonly #text: RetokenizedText;
  readonly #model: ModelProposer;
  /** Nothing of the text is known to the draft model. */
  #silent = true;

  /** Throws HunchError("input") where the models have no token of text in common. Closes `draft` with itself. */
  constructor(target: Engine, draft: Engine) {
    this.vocab = target.source.spec.vocab;
    const shared = sharedTokens(target.source, draft.source);
    if (shared.every((token, own) => token < 0 || draft.source.tokenizer.bytes(own).length === 0)) {
      throw new HunchError("input", "the draft model has no token of text in common with the target", {
        file: draft.source.path,
        hint: "let slem draft with it, which compares texts",
      });
    }
    this.#numbers = new Numbers(this.vocab, shared);
    this.#text = new RetokenizedText(target.source.tokenizer, draft.source.tokenizer, shared);
    this.#model = new ModelProposer(new RenumberedEngine(draft, this.#numbers), target);
  }

  async sync(text: Int32Array, sampling: Sampling): Promise<void> {
    const own = this.#text.of(text).map((token) => this.#numbers.of[token]);
    this.#silent = own.length === 0;
    if (!this.#silent) await this.#model.sync(own, sampling);
  }

  async propose(nodes: { readonly tokens: Int32Array; readonly parents: Int32Array }): Promise<Distribution[]> {
    return this.#silent ? [] : await this.#model.propose(nodes);
  }

  async anticipate(chain: Int32Array, more: () => Promise<boolean>): Promise<void> {
    if (!this.#silent) await this.#model.anticipate(chain, more);
  }

  close(): void {
    this.#model.close();
  }
}

export const tliProposer = definePlugin({
  kind: "proposer",
  name: "tli",
  summary: "a model of another vocabulary, held to the tokens that both have",
  argument: "FILE",
  paper: {
    title: "Accelerating LLM Inference with Lossless Speculative Decoding Algorithms for Heterogeneous Vocabularies",
    year: 2025,
    arxiv: "2502.05202",
  },
  create: async (_, path, context) => new TliProposer(context.target, await context.loadModel(path, "any")),
});

export default drafterOf(tliProposer);
