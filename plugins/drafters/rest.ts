// rest: what followed the same words in a store of texts, made by `hunch store` or grown by --store. The longest end of
// the text that stands in the store is found exactly, by a suffix array; all that followed it there becomes one tree, and
// the most frequent beginnings of it are drafted.
// REST: Retrieval-Based Speculative Decoding (He et al., 2023, arXiv 2311.08252).
//
// As in the paper: the end of the text is matched from the longest length down; continuations of some tokens are joined
// into a trie whose nodes weigh as much as they are frequent; the heaviest are drafted, as many as the plan has nodes
// (the paper: 64 at most). Left out: a second store for the text itself, which other drafters look up. Of more than 32
// places in one file of the store, 32 at equal distances speak for all.
//
// Law `point`. Memory: blocks of the store's files as they are read, 16 MB at most, whatever the store's size.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { fill } from "../../src/draft/fill.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { HunchError } from "../../src/errors.ts";
import { definePlugin, type PluginContext } from "../../src/plugins/plugin.ts";
import type { Corpus, Places } from "../../src/store/corpus.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

export interface RestOptions {
  /** Most and fewest tokens of a match, 1 ≤ shortest ≤ longest. */
  readonly longest: number;
  readonly shortest: number;
  /** Most tokens of a continuation. */
  readonly tokens: number;
}

export class RestDrafter implements Drafter {
  readonly name = "rest";
  readonly laws = ["point"] as const;
  readonly #text = new TokenBuffer();

  constructor(private readonly corpus: Corpus, private readonly options: RestOptions) {}

  begin(prompt: Int32Array): void {
    this.#text.clear();
    this.#text.append(prompt);
  }

  draft(plan: Plan): DraftTree {
    return this.#below(this.#text.view, plan);
  }

  after(path: Int32Array, plan: Plan): DraftTree {
    const end = this.#text.view.subarray(Math.max(0, this.#text.length - this.options.longest));
    return this.#below(Int32Array.of(...end, ...path), plan);
  }

  observe(round: Round): void {
    this.#text.append(round.committed);
  }

  #below(text: Int32Array, plan: Plan): DraftTree {
    const { longest, shortest, tokens } = this.options;
    const found = this.corpus.find(text, longest, shortest);
    if (found === undefined) return EMPTY_TREE;
    return fill<Places>({ ...plan, depth: Math.min(plan.depth, tokens) }, found, (places, offer) => {
      for (const { token, places: after } of places.next()) offer(token, after.count / places.count, after);
    }).tree;
  }
}

/** The store called `name`, or that of --store. Throws HunchError("usage") where there is neither. */
export function storeOf(context: PluginContext, drafter: string, name: string): Corpus {
  const corpus = context.corpus?.(name === "" ? undefined : name);
  if (corpus !== undefined) return corpus;
  throw new HunchError("usage", `${drafter} drafts from a store, and none is named`, {
    hint: `give --store NAME, or write ${drafter}:NAME; hunch store list shows which there are`,
  });
}

export default definePlugin({
  kind: "drafter",
  name: "rest",
  summary: "what followed the same words in a store of texts (--store), the most frequent of it",
  argument: "[STORE]",
  paper: { title: "REST: Retrieval-Based Speculative Decoding", year: 2023, arxiv: "2311.08252" },
  options: {
    longest: { type: "integer", default: 16, min: 1, max: 64, summary: "tokens of the longest match looked for" },
    shortest: { type: "integer", default: 2, min: 1, max: 64, summary: "tokens of the shortest match believed" },
    tokens: { type: "integer", default: 10, min: 1, max: 64, summary: "most tokens of a continuation" },
  },
  create({ longest, shortest, tokens }, store, context) {
    const options = { longest, shortest: Math.min(longest, shortest), tokens };
    return new RestDrafter(storeOf(context, "rest", store), options);
  },
});
