// ouroboros: a small model's draft, made longer by phrases: those that the target said when it looked at what it refused.
// Ouroboros: Generating Longer Drafts Phrase by Phrase for Faster Speculative Decoding (Zhao et al., 2024, arXiv 2402.13720).
//
// As in the paper: the small model drafts greedily with phrases' help, a phrase being judged by it in one pass; the draft
// goes on with several phrases that begin with its last token; what the target finds likeliest at every row from the first
// refused one on is cut into phrases; and the phrases stay from text to text. Phrases of the text itself come in as well.
// Left out: the lookahead window that the small model runs beside its own drafting.
//
// Law `point`. Memory: (length + 1)·phrases·4 bytes for each token that occurred, 5 MB where all of 49,152 did, at
// most 10 MB; and the model.
import type { Plan, Round } from "../../src/controller.ts";
import type { Sequence } from "../../src/backend.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { JoinedTree } from "../../src/draft/joined-tree.ts";
import { Phrases } from "../../src/draft/phrases.ts";
import { ask, drawn } from "../../src/draft/raw.ts";
import { reviewedChain } from "../../src/draft/reviewed.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { nodesIn } from "../../src/draft/tree-edit.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

export class OuroborosDrafter implements Drafter {
  readonly name = "ouroboros";
  readonly laws = ["point"] as const;
  readonly candidates = 1;
  readonly #text = new TokenBuffer();
  readonly #phrases: Phrases;
  #sampling: Sampling = GREEDY;
  #drafted: DraftTree = EMPTY_TREE;
  /** Nodes of the last draft: the model's, and those of each phrase below them. */
  #chain: readonly number[] = [];
  #longer: (readonly number[])[] = [];

  /** The model drafts `own` tokens; then come at most `phrases` of `length` tokens each; all ≥ 1. */
  constructor(private readonly proposer: Proposer, private readonly own: number, length: number, phrases: number) {
    this.#phrases = new Phrases(length, phrases);
  }

  begin(prompt: Int32Array, sampling: Sampling): void {
    this.#sampling = sampling;
    this.#text.clear();
    this.#text.append(prompt);
    this.#phrases.addAll(prompt);
    this.#forgetDraft();
  }

  attach(target: Sequence): void {
    this.proposer.attach?.(target);
  }

  async draft(plan: Plan): Promise<DraftTree> {
    const asked = ask(this.proposer, plan, this.#sampling);
    const most = Math.min(this.own, plan.depth, plan.nodes);
    const guess = (path: readonly number[]) => this.#phrases.after(path[path.length - 1])[0] ?? [];
    const chain = await drawn(
      this.proposer,
      this.#text.view,
      asked.sync,
      () => reviewedChain(asked.proposer, most, guess),
    );
    const joined = new JoinedTree(plan);
    this.#chain = joined.addChain(-1, chain, "model");
    const end = this.#chain.at(-1) ?? -1;
    this.#longer = this.#phrases.after(chain.at(-1) ?? this.#text.last).map((phrase) =>
      joined.addChain(end, phrase, "phrase")
    );
    return this.#drafted = joined.tree;
  }

  observe({ tree, committed, verdict, candidates = [] }: Round): void {
    const place = new Map(nodesIn(this.#drafted, tree).map((drafted, node) => [drafted, node]));
    const said = (nodes: readonly number[]) =>
      nodes.flatMap((node) => candidates[(place.get(node) ?? NaN) + 1]?.tokens[0] ?? []);
    const path = new Set(verdict.path);
    const refused = this.#chain.findIndex((node) => !path.has(place.get(node) ?? NaN));
    const accepted = refused < 0 ? this.#chain.length : refused;
    // What the target would say after what the model drafted, from where it went its own way.
    const refined = accepted === 0 ? candidates[0]?.tokens[0] : said([this.#chain[accepted - 1]])[0];
    if (refined !== undefined) {
      const own = [refined, ...said(this.#chain.slice(accepted))];
      for (const longer of [[], ...this.#longer]) this.#phrases.addAll(Int32Array.of(...own, ...said(longer)));
    }
    const from = this.#text.length - this.#phrases.length;
    this.#text.append(committed);
    this.#phrases.addAll(this.#text.view, from);
    this.#forgetDraft();
  }

  #forgetDraft(): void {
    this.#drafted = EMPTY_TREE;
    this.#chain = this.#longer = [];
  }

  close(): void {
    this.proposer.close?.();
  }
}

export default definePlugin({
  kind: "drafter",
  name: "ouroboros",
  summary: "a small model's draft made longer by phrases from what the target said at refused tokens",
  argument: "PROPOSER",
  paper: {
    title: "Ouroboros: Generating Longer Drafts Phrase by Phrase for Faster Speculative Decoding",
    year: 2024,
    arxiv: "2402.13720",
  },
  options: {
    own: { type: "integer", default: 4, min: 1, max: 64, summary: "tokens that the model drafts" },
    length: { type: "integer", default: 4, min: 1, max: 16, summary: "tokens of a phrase" },
    phrases: { type: "integer", default: 3, min: 1, max: 64, summary: "most phrases after the model's tokens" },
  },
  async create({ own, length, phrases }, proposer, context) {
    return new OuroborosDrafter(await context.resolve("proposer", proposer), own, length, phrases);
  },
});
