// cascade: several drafters in a row. The first that has something drafts, each next one goes on where the last one ended.
// Cascade Speculative Drafting for Even Faster LLM Inference (Chen et al., 2023, arXiv 2312.11462).
//
// The paper's horizontal cascade: first tokens from the better drafter, later ones, which are needed less often, from
// cheaper ones. Its vertical cascade, where a `reviewer` is named: what the cheap drafters guess is judged by a model
// before the target sees it, so that the model drafts several tokens in one pass; the target then gets the model's tokens
// first and the cheap drafters' after them. The paper's drafters are models and, last, Max-Gram: the longest match in the
// text, bigrams where there is none. Here they are any that can draft below a path, and those that cannot draft first or
// not at all. The order is that of the argument: which one
// pays depends on the drafters, and `hunch bench` measures it.
//
// Law `point`: what several sources chose. Memory: the drafters'.
import type { Chance } from "../../src/chance.ts";
import type { Plan } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { JoinedTree } from "../../src/draft/joined-tree.ts";
import { ask, drawn } from "../../src/draft/raw.ts";
import { reviewedChain } from "../../src/draft/reviewed.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { DraftTree } from "../../src/tree.ts";
import { eldestPath, SeveralDrafters, severalOf } from "./several.ts";

export class CascadeDrafter extends SeveralDrafters {
  readonly name = "cascade";

  /** The reviewer drafts `own` tokens, ≥ 1. */
  constructor(sources: readonly Drafter[], private readonly reviewer?: Proposer, private readonly own = 4) {
    super(sources, reviewer === undefined ? [] : [reviewer]);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    const path = this.reviewer === undefined ? [] : await this.#reviewed(this.reviewer, plan, chance);
    return await this.#extended(path, [], plan, chance);
  }

  async after(path: Int32Array, plan: Plan, chance: Chance): Promise<DraftTree> {
    return await this.#extended([], [...path], plan, chance);
  }

  override close(): void {
    super.close();
    this.reviewer?.close?.();
  }

  /** What the reviewer drafts, whatever the sources guess: they only make it quicker. */
  async #reviewed(reviewer: Proposer, plan: Plan, chance: Chance): Promise<number[]> {
    const asked = ask(reviewer, plan, this.sampling);
    const most = Math.min(this.own, plan.nodes, plan.depth);
    const guess = async (path: readonly number[]) => {
      const left = most - path.length;
      for (const source of this.sources) {
        const tree = await source.after?.(Int32Array.from(path), { nodes: left, depth: left }, chance);
        if (tree !== undefined && tree.tokens.length > 0) return eldestPath(tree).map((node) => tree.tokens[node]);
      }
      return [];
    };
    return await drawn(reviewer, this.text, asked.sync, () => reviewedChain(asked.proposer, most, guess));
  }

  /** `drafted` so far, and what the sources have below it. All stands below `above`, which is no part of the draft. */
  async #extended(drafted: readonly number[], above: readonly number[], plan: Plan, chance: Chance) {
    const joined = new JoinedTree(plan);
    let node = joined.addChain(-1, drafted, "reviewer").at(-1) ?? -1;
    const path = [...above, ...drafted];
    for (const source of this.sources) {
      const { size } = joined;
      const cost = plan.cost && ((rows: number) => plan.cost!(size + rows));
      const room = { ...plan, nodes: joined.room, depth: plan.depth - (path.length - above.length), cost };
      if (room.nodes < 1 || room.depth < 1) break;
      const tree = path.length === 0
        ? await source.draft(room, chance)
        : await source.after?.(Int32Array.from(path), room, chance);
      if (tree === undefined || tree.tokens.length === 0) continue;
      const nodes = joined.addTree(node, tree, source.name);
      const eldest = eldestPath(tree);
      path.push(...eldest.map((at) => tree.tokens[at]));
      node = nodes[eldest[eldest.length - 1]];
    }
    return joined.tree;
  }
}

export default definePlugin({
  kind: "drafter",
  name: "cascade",
  summary: "several drafters in a row: the first that has something drafts, the next ones go on",
  argument: "DRAFTER,…",
  paper: { title: "Cascade Speculative Drafting for Even Faster LLM Inference", year: 2023, arxiv: "2312.11462" },
  options: {
    reviewer: { type: "string", default: "", summary: "proposer that judges their guesses first; none where empty" },
    own: { type: "integer", default: 4, min: 1, max: 64, summary: "tokens that the reviewer drafts" },
  },
  async create({ reviewer, own }, argument, context) {
    const sources = await severalOf("cascade", argument, context);
    return new CascadeDrafter(sources, reviewer === "" ? undefined : await context.resolve("proposer", reviewer), own);
  },
});
