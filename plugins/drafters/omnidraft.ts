// omnidraft: a draft model of another tokenizer whose tokens are merged to the target's by a cache of n-grams that grows
// as the target speaks.
// OmniDraft: A Cross-vocabulary, Online Adaptive Drafter for On-device Speculative Decoding (Ramakrishnan et al., 2025,
// arXiv 2507.02659), its cross-vocabulary translation. Left out is what needs training: the distillation of the draft
// model while it is used, and the head that predicts acceptance.
//
// A token of the draft model that the target has as well is drafted as that one. Several in a row that the cache knows
// are merged into one token of the target, whose q is the product of theirs, and that much is taken from what their first
// token is likely: q is exactly what drafts are drawn from, so every rule is lossless for it. To know q before anything is
// drawn costs a row of the draft model for each beginning of an n-gram; where that is not likely enough to be worth it
// (`rows`, `least`), nothing is merged. An n-gram comes into the cache when the target says a token, in the prompt too,
// that the draft model spells in several; of too many, the one that was not said for longest goes.
import type { Engine } from "../../src/backend.ts";
import { type Bridge, type BridgedProposer, REACH, type Reach } from "../../src/draft/bridged.ts";
import { ByteEncoder } from "../../src/draft/byte-encoder.ts";
import { type Spelling, Spellings } from "../../src/draft/spellings.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { bridgedModel } from "./bridged-model.ts";
import { drafterOf } from "./with-shape.ts";

/** The n-grams of the draft model that the target has said in one token. */
export class NgramCache implements Bridge {
  readonly spellings: Spellings;
  readonly #encoder: ByteEncoder;
  /** [target's vocab] 1 for tokens that the draft model has. */
  readonly #shared: Uint8Array;
  /** What is cached, by the target's token, unused for longest first. */
  readonly #cached = new Map<number, Int32Array>();

  /** `first`: what `sharedTokens` says. `size`: most n-grams. */
  constructor(
    private readonly target: Engine,
    draft: Engine,
    readonly first: Int32Array,
    private readonly size: number,
  ) {
    this.spellings = new Spellings(draft.source.spec.vocab);
    this.#encoder = new ByteEncoder(draft.source.tokenizer);
    this.#shared = new Uint8Array(target.source.spec.vocab);
    first.forEach((token) => this.#shared[token] = 1); // −1 is no place of an array
  }

  learn(tokens: Int32Array): void {
    for (const token of tokens) if (this.#shared[token] === 0) this.#learn(token);
  }

  #learn(token: number): void {
    const bytes = this.target.source.tokenizer.bytes(token);
    const path = this.#cached.get(token) ?? this.#encoder.encode(bytes);
    if (path.length < 2 || this.#encoder.bytes(path).length !== bytes.length) return;
    this.#cached.delete(token);
    this.#cached.set(token, path);
    this.spellings.add(path, token);
    if (this.#cached.size <= this.size) return;
    const [[oldest, unused]] = this.#cached;
    this.#cached.delete(oldest);
    this.spellings.remove(unused, oldest);
  }

  changing(_: Distribution, { longer }: Spelling): Iterable<number> {
    return longer?.keys() ?? [];
  }

  tokenOf(_: readonly number[], above: number, spelling: Spelling | undefined): number {
    return spelling === undefined || spelling.token < 0 ? above : spelling.token;
  }
}

/** `size`: most n-grams of the cache. Closes `draft` with itself. */
export function omniDraftOf(target: Engine, draft: Engine, size: number, reach: Reach): BridgedProposer {
  return bridgedModel(target, draft, reach, (shared) => new NgramCache(target, draft, shared, size));
}

export const omniDraftProposer = definePlugin({
  kind: "proposer",
  name: "omnidraft",
  summary: "a model of another vocabulary, its tokens merged by n-grams that the target has said",
  argument: "FILE",
  paper: {
    title: "OmniDraft: A Cross-vocabulary, Online Adaptive Drafter for On-device Speculative Decoding",
    year: 2025,
    arxiv: "2507.02659",
  },
  options: {
    cache: { type: "integer", default: 10_000, min: 1, max: 1_000_000, summary: "most n-grams that are kept" },
    ...REACH,
  },
  create: async ({ cache, ...reach }, path, context) =>
    omniDraftOf(context.target, await context.loadModel(path, "any"), cache, reach),
});

export default drafterOf(omniDraftProposer);
