// merge: one tree of what several drafters guess. Each node counts by how often its sources have been right lately at that
// depth and rank, so the nodes of a round go to whoever earns them; where sources agree, a node is drafted once and is
// likelier.
//
// Ours: the joining of trees is that of RASD: Retrieval-Augmented Speculative Decoding (Quan et al., 2025, arXiv
// 2503.03434), which gives both trees all of their nodes; the shares are measured as `cost` measures them.
//
// Law `point`: what several sources chose. Memory: the drafters'.
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import { fill } from "../../src/draft/fill.ts";
import { JoinedTree } from "../../src/draft/joined-tree.ts";
import { asPoint, nodesIn } from "../../src/draft/tree-edit.ts";
import type { Drafter } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { depths, type DraftTree, EMPTY_TREE } from "../../src/tree.ts";
import { Share } from "../controllers/watching.ts";
import { SeveralDrafters, severalOf } from "./several.ts";

/** First guess of how often a node of each rank is right; the ranks beyond share the last. */
const FIRST_GUESSES = [0.5, 0.15, 0.08, 0.05];
const DEEPEST = 8;

/** Somebody's guess of a node: how often guesses of its kind were right. */
interface Vote {
  readonly source: string;
  readonly share: Share;
  readonly guess: number;
}

export class MergeDrafter extends SeveralDrafters {
  readonly name = "merge";
  /** [source] by depth and rank. */
  readonly #shares: Map<string, Share>[];
  #drafted: DraftTree = EMPTY_TREE;
  /** [node] of the last draft. */
  #votes: readonly (readonly Vote[])[] = [];

  constructor(sources: readonly Drafter[]) {
    super(sources);
    this.#shares = sources.map(() => new Map());
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    const all = { ...plan, cost: undefined };
    const { tree, votes } = await this.#merged(plan, (source) => source.draft(all, chance));
    this.#drafted = tree;
    this.#votes = votes;
    return tree;
  }

  async after(path: Int32Array, plan: Plan, chance: Chance): Promise<DraftTree> {
    const all = { ...plan, cost: undefined };
    return (await this.#merged(plan, (source) => source.after?.(path, all, chance) ?? EMPTY_TREE)).tree;
  }

  override async observe(round: Round): Promise<void> {
    const { tree, verdict } = round;
    const path = new Set(verdict.path);
    nodesIn(this.#drafted, tree).forEach((drafted, node) => {
      if (tree.parents[node] >= 0 && !path.has(tree.parents[node])) return; // nobody judged it
      for (const { share } of this.#votes[drafted] ?? []) share.see(path.has(node));
    });
    this.#drafted = EMPTY_TREE;
    this.#votes = [];
    await super.observe(round);
  }

  async #merged(plan: Plan, ask: (source: Drafter) => DraftTree | Promise<DraftTree>) {
    const joined = new JoinedTree({ nodes: Infinity, depth: Infinity });
    const votes: Vote[][] = [];
    for (const [i, source] of this.sources.entries()) {
      const tree = asPoint(await ask(source));
      const deep = depths(tree);
      const ranks = new Map<number, number>();
      joined.addTree(-1, tree).forEach((at, node) => {
        const rank = ranks.get(tree.parents[node]) ?? 0;
        ranks.set(tree.parents[node], rank + 1);
        (votes[at] ??= []).push({
          source: source.name,
          share: this.#share(i, deep[node], rank),
          guess: firstGuess(rank),
        });
      });
    }
    const children = new Map<number, number[]>();
    joined.parents.forEach((parent, node) => {
      const known = children.get(parent);
      if (known === undefined) children.set(parent, [node]);
      else known.push(node);
    });
    const { tree, places } = fill<number>(plan, -1, (place, offer) => {
      for (const node of children.get(place) ?? []) offer(joined.tokens[node], likelihood(votes[node]), node);
    });
    const kept = places.map((node) => votes[node]);
    const sources = kept.map((votes) => votes.map(({ source }) => source).join(" + "));
    return { tree: { ...tree, sources }, votes: kept };
  }

  #share(source: number, depth: number, rank: number): Share {
    const key = `${Math.min(depth, DEEPEST)} ${Math.min(rank, FIRST_GUESSES.length - 1)}`;
    let share = this.#shares[source].get(key);
    if (share === undefined) this.#shares[source].set(key, share = new Share());
    return share;
  }
}

function firstGuess(rank: number): number {
  return FIRST_GUESSES[Math.min(rank, FIRST_GUESSES.length - 1)];
}

/** That of a node which is wrong only where all who guessed it are, each in its own way. */
function likelihood(votes: readonly Vote[]): number {
  return 1 - votes.reduce((wrong, { share, guess }) => wrong * (1 - share.value(guess)), 1);
}

export default definePlugin({
  kind: "drafter",
  name: "merge",
  summary: "one tree of several drafters' guesses, by how often each has been right",
  argument: "DRAFTER,…",
  controller: "marginal",
  create: async (_, argument, context) => new MergeDrafter(await severalOf("merge", argument, context)),
});
