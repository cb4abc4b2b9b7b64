// merge: one tree of what several drafters guess. How likely each node is accepted is learned, from who names it, how sure
// they are, how much they draft and how the text has gone so far; so the nodes of a round go to whoever earns them, and where
// sources agree a node is drafted once.
//
// Ours. The joining of trees is that of RASD: Retrieval-Augmented Speculative Decoding (Quan et al., 2025, arXiv
// 2503.03434), which gives both trees all of their nodes.
//
// Law `point`: what several sources chose. Memory: the drafters'.
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import { Calibration, type Features, logOdds } from "../../src/draft/calibration.ts";
import { fill } from "../../src/draft/fill.ts";
import { JoinedTree } from "../../src/draft/joined-tree.ts";
import { asPoint, nodesIn } from "../../src/draft/tree-edit.ts";
import type { Drafter } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Sampling } from "../../src/sampling.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";
import { SeveralDrafters, severalOf } from "./several.ts";

/**
 * Where learning starts, about where it ended after the texts of `npm run bench -- replay --weights`. Of all nodes: a
 * constant, and the log-odds of how this text has gone so far.
 */
const OF_ALL = [-1.4, 0.33];
/** Of each source that names it: that it does, the log-odds that it gives, log₂ of its draft's size, further down than 1. */
const OF_SOURCE = [-0.35, 0.35, 0.45, 0.35];
/** Verdicts that the start is worth. */
const TRUST = 4;
/** What the share of a text's accepted nodes forgets with each one. */
const MEMORY = 0.97;
/** Probabilities are taken no nearer to 0 and 1. */
const NEAREST = 0.02;
/** Of a source that does not say how likely it finds a node. */
const UNSAID = 0.5;

export class MergeDrafter extends SeveralDrafters {
  readonly name = "merge";
  readonly #calibration: Calibration;
  #drafted: DraftTree = EMPTY_TREE;
  /** [node] of the last draft. */
  #features: readonly Features[] = [];
  /** Nodes of this text that were accepted, of those that were judged; fading. */
  #hits = 0;
  #tries = 0;

  constructor(sources: readonly Drafter[]) {
    super(sources);
    this.#calibration = new Calibration([...OF_ALL, ...sources.flatMap(() => OF_SOURCE)], TRUST);
  }

  /** What has been learned, in the order of the features. */
  get weights(): readonly number[] {
    return [...this.#calibration.weights];
  }

  override async begin(prompt: Int32Array, sampling: Sampling): Promise<void> {
    this.#hits = this.#tries = 0;
    this.#drafted = EMPTY_TREE;
    this.#features = [];
    await super.begin(prompt, sampling);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    const all = { ...plan, cost: undefined };
    const { tree, features } = await this.#merged(plan, (source) => source.draft(all, chance));
    this.#drafted = tree;
    this.#features = features;
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
      const features = this.#features[drafted];
      if (features === undefined) return;
      this.#calibration.see(features, path.has(node));
      this.#hits = this.#hits * MEMORY + (path.has(node) ? 1 : 0);
      this.#tries = this.#tries * MEMORY + 1;
    });
    this.#drafted = EMPTY_TREE;
    this.#features = [];
    await super.observe(round);
  }

  async #merged(plan: Plan, ask: (source: Drafter) => DraftTree | Promise<DraftTree>) {
    const joined = new JoinedTree({ nodes: Infinity, depth: Infinity });
    const soFar = logOdds(this.#hits, this.#tries);
    const features: Features[] = [];
    const names: string[][] = [];
    for (const [i, source] of this.sources.entries()) {
      const tree = asPoint(await ask(source));
      const size = Math.log2(1 + tree.tokens.length);
      joined.addTree(-1, tree).forEach((at, node) => {
        if (features[at] === undefined) {
          features[at] = new Float64Array(OF_ALL.length + OF_SOURCE.length * this.sources.length);
          features[at].set([1, soFar]);
          names[at] = [];
        }
        const said = tree.confidence?.[node] ?? NaN;
        const probability = Number.isNaN(said) ? UNSAID : Math.min(Math.max(said, NEAREST), 1 - NEAREST);
        const own = [1, Math.log(probability / (1 - probability)), size, tree.parents[node] < 0 ? 0 : 1];
        features[at].set(own, OF_ALL.length + OF_SOURCE.length * i);
        names[at].push(source.name);
      });
    }
    const children = new Map<number, number[]>();
    joined.parents.forEach((parent, node) => {
      const known = children.get(parent);
      if (known === undefined) children.set(parent, [node]);
      else known.push(node);
    });
    const { tree, places } = fill<number>(plan, -1, (place, offer) => {
      for (const node of children.get(place) ?? []) {
        offer(joined.tokens[node], this.#calibration.probability(features[node]), node);
      }
    });
    const sources = places.map((node) => names[node].join(" + "));
    return { tree: { ...tree, sources }, features: places.map((node) => features[node]) };
  }
}

export default definePlugin({
  kind: "drafter",
  name: "merge",
  summary: "one tree of several drafters' guesses, by how often each has been right",
  argument: "DRAFTER,…",
  controller: "marginal",
  create: async (_, argument, context) => new MergeDrafter(await severalOf("merge", argument, context)),
});
