// slrs: a draft model of another tokenizer, judged by how likely it was to write the target's token in any way (string-level
// rejection sampling).
// Accelerating LLM Inference with Lossless Speculative Decoding Algorithms for Heterogeneous Vocabularies (Timor et al.,
// 2025, arXiv 2502.05202), algorithm 3.
//
// The draft model draws tokens d1, d2, … until a lookahead is reached, and t, the first token of the target for the text
// d1 d2 …, is the draft. ψ(t) is the probability of all such draws together; t is kept with probability min(1, p(t)/ψ(t)),
// else the residual of p and ψ is drawn from. So ψ is a q like any other, and every rule judges it (`token` as in the
// paper), along every shape; in the paper one token is drafted at a time.
//
// ψ is exact, and its cost is the draft model's rows: one for each path whose continuation it needs. The lookahead decides
// which. Here a path is followed where it begins how the draft model spells a token that it does not have, if it is likely
// enough to be worth a row (`rows`, `least`), and by the 32 likeliest tokens behind it and those that spell on. With
// `rows=0` every d1 stands alone.
import type { Engine } from "../../src/backend.ts";
import { type Bridge, type BridgedProposer, REACH, type Reach } from "../../src/draft/bridged.ts";
import { ByteEncoder } from "../../src/draft/byte-encoder.ts";
import { type Spelling, Spellings } from "../../src/draft/spellings.ts";
import { type Distribution, top } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { bridgedModel } from "./bridged-model.ts";
import { drafterOf } from "./with-shape.ts";

/** So many of the likeliest tokens behind a path are looked at. */
const LIKELIEST = 32;

export class FirstTokens implements Bridge {
  readonly first: Int32Array;
  readonly spellings: Spellings;
  readonly #own: ByteEncoder;
  readonly #target: ByteEncoder;

  /** `shared`: what `sharedTokens` says. */
  constructor(target: Engine, draft: Engine, shared: Int32Array) {
    this.#target = new ByteEncoder(target.source.tokenizer);
    this.#own = new ByteEncoder(draft.source.tokenizer);
    this.first = shared.map((token, own) => token >= 0 ? token : this.#firstOf([own]));
    this.spellings = new Spellings(shared.length);
    const both = new Set(shared);
    for (let token = 0; token < target.source.tokenizer.vocab; token++) {
      if (both.has(token)) continue;
      const bytes = target.source.tokenizer.bytes(token);
      const path = this.#own.encode(bytes);
      if (path.length > 1 && this.#own.bytes(path).length === bytes.length) this.spellings.add(path, token);
    }
  }

  changing(q: Distribution, { longer }: Spelling): Iterable<number> {
    return new Set([...longer?.keys() ?? [], ...top(q, LIKELIEST)]);
  }

  tokenOf(path: readonly number[]): number {
    return this.#firstOf(path);
  }

  /** The target's first token for the text of a path; −1 where it has no text, or none that the target can write. */
  #firstOf(path: readonly number[]): number {
    return this.#target.encode(this.#own.bytes(path))[0] ?? -1;
  }
}

/** Closes `draft` with itself. */
export function slrsOf(target: Engine, draft: Engine, reach: Reach): BridgedProposer {
  return bridgedModel(target, draft, reach, (shared) => new FirstTokens(target, draft, shared));
}

export const slrsProposer = definePlugin({
  kind: "proposer",
  name: "slrs",
  summary: "a model of another vocabulary, by how likely it writes each token in any way",
  argument: "FILE",
  paper: {
    title: "Accelerating LLM Inference with Lossless Speculative Decoding Algorithms for Heterogeneous Vocabularies",
    year: 2025,
    arxiv: "2502.05202",
  },
  options: REACH,
  create: async (reach, path, context) => slrsOf(context.target, await context.loadModel(path, "any"), reach),
});

export default drafterOf(slrsProposer);
