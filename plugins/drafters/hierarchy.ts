// hierarchy: phrases from several places, those first whose words come again soonest: this text, then what the model said
// in earlier texts, then any other source.
// Lossless Acceleration of Large Language Models with Hierarchical Drafting based on Temporal Locality in Speculative
// Decoding (Cho et al., 2025, arXiv 2502.05609).
//
// As in the paper: phrases of `length` tokens by the token before them; the context's, of which the latest stay; the
// model's, of which the most frequent stay; asked in that order until there are `guesses`, and verified as one tree. The
// paper makes the model's phrases beforehand from 100,000 most frequent ones of a corpus it answered, here they are those
// of the run; and where the paper asks REST's datastore last, this asks the drafter `last`. Left out: the phrases that
// the paper's program also takes from lookahead decoding.
//
// Law `point`. Memory: (length + 1)·guesses·4 bytes for each token that occurred, twice: 21 MB where all of 49,152 did, at
// most 41 MB; with other options at most 55 MB.
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { JoinedTree } from "../../src/draft/joined-tree.ts";
import { Phrases } from "../../src/draft/phrases.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { wantsOf } from "../../src/draft/wants.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Sampling } from "../../src/sampling.ts";
import type { DraftTree } from "../../src/tree.ts";

export class HierarchyDrafter implements Drafter {
  readonly name = "hierarchy";
  readonly laws = ["point"] as const;
  readonly #text = new TokenBuffer();
  #prompt = 0;
  readonly #context: Phrases;
  readonly #model: Phrases;
  readonly candidates: Drafter["candidates"];
  readonly taps: Drafter["taps"];
  readonly observePrompt: Drafter["observePrompt"];
  readonly attach: Drafter["attach"];

  /** Phrases of `length` tokens, at most `guesses` of them, each ≥ 1. `last`: asked where those are too few. */
  constructor(length: number, private readonly guesses: number, private readonly last?: Drafter) {
    this.#context = new Phrases(length, guesses);
    this.#model = new Phrases(length, guesses, "frequent");
    const wants = wantsOf(last === undefined ? [] : [last]);
    ({ candidates: this.candidates, taps: this.taps, observePrompt: this.observePrompt, attach: this.attach } = wants);
  }

  async begin(prompt: Int32Array, sampling: Sampling): Promise<void> {
    this.#model.addAll(this.#text.view.subarray(this.#prompt));
    this.#context.clear();
    this.#text.clear();
    this.#text.append(prompt);
    this.#prompt = prompt.length;
    this.#context.addAll(prompt);
    await this.last?.begin(prompt, sampling);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    return await this.#drawn(this.#text.last, plan, (rest) => this.last?.draft(rest, chance));
  }

  async after(path: Int32Array, plan: Plan, chance: Chance): Promise<DraftTree> {
    const token = path.length > 0 ? path[path.length - 1] : this.#text.last;
    return await this.#drawn(token, plan, (rest) => this.last?.after?.(path, rest, chance));
  }

  async observe(round: Round): Promise<void> {
    const from = this.#text.length - this.#context.length;
    this.#text.append(round.committed);
    this.#context.addAll(this.#text.view, from);
    await this.last?.observe(round);
  }

  close(): void {
    this.last?.close?.();
  }

  /** `last`: what the last drafter has for the nodes that are left. */
  async #drawn(
    token: number,
    plan: Plan,
    last: (rest: Plan) => ReturnType<Drafter["draft"]> | undefined,
  ): Promise<DraftTree> {
    const joined = new JoinedTree(plan);
    let left = this.guesses;
    for (const [phrases, source] of [[this.#context, "this text"], [this.#model, "earlier answers"]] as const) {
      for (const phrase of phrases.after(token)) {
        if (left === 0) break;
        const size = joined.size;
        joined.addChain(-1, phrase, source);
        if (joined.size > size) left--; // both may have it
      }
    }
    if (left > 0 && joined.room > 0) {
      const rest = await last({ ...plan, nodes: joined.room });
      if (rest !== undefined) joined.addTree(-1, rest, this.last?.name);
    }
    return joined.tree;
  }
}

export default definePlugin({
  kind: "drafter",
  name: "hierarchy",
  summary: "phrases of this text, then the most frequent ones of earlier answers, then another drafter's",
  paper: {
    title:
      "Lossless Acceleration of Large Language Models with Hierarchical Drafting based on Temporal Locality in Speculative Decoding",
    year: 2025,
    arxiv: "2502.05609",
  },
  options: {
    length: { type: "integer", default: 4, min: 1, max: 16, summary: "tokens of a phrase" },
    guesses: { type: "integer", default: 7, min: 1, max: 64, summary: "most phrases of a draft" },
    last: { type: "string", default: "none", summary: "drafter that is asked last" },
  },
  async create({ length, guesses, last }, _, context) {
    const other = last === "none" ? undefined : await context.resolve("drafter", last);
    return new HierarchyDrafter(length, guesses, other);
  },
});
