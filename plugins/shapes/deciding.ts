// Paths of a drawn tree that end early: a logistic function of how likely a token was and how unsure the draft estimates
// how likely it is accepted, and below a path that is accepted too seldom nothing is drawn. What gumbel and target-init
// share; not a shape of its own.
// Improving Multi-candidate Speculative Decoding (Lu et al., 2024, arXiv 2409.10644) decides so by a network over the
// draft model's hidden states, trained beforehand, and for all paths at once: drafting ends where none is hopeful.
//
// Whether a node gets children is settled by the path to it, before any of them is drawn: law `distinct`.
import type { Round } from "../../src/controller.ts";
import { entropy } from "../../src/math/distribution.ts";
import { type Nodes, nodesIn } from "../../src/draft/tree-edit.ts";
import { EMPTY_TREE } from "../../src/tree.ts";
import type { Growing } from "./growing.ts";
import { Logistic } from "./logistic.ts";

/** Likely tokens of a sure draft are mostly accepted, unlikely ones mostly not. */
const START = [1.5, 0.8, -0.2];
/** Less likely than this counts as this. */
const LEAST = 1e-4;

export class Deciding {
  readonly #decision = new Logistic(START);
  /** What the decision saw at each node of the tree at hand, and how likely it finds the path to it accepted. */
  #seen: (readonly number[])[] = [];
  #reach: number[] = [];
  #drafted: Nodes = EMPTY_TREE;

  /** Paths that are accepted less often than `threshold`, as is estimated, end; 0 ≤ threshold ≤ 1. */
  constructor(private readonly threshold: number) {}

  /** A new tree. */
  begin(): void {
    this.#seen = [];
    this.#reach = [];
    this.#drafted = EMPTY_TREE;
  }

  /** Whether anything is to be drawn below a node; always below those that were not drawn. */
  goesOn(node: number): boolean {
    return (this.#reach[node] ?? 1) >= this.threshold;
  }

  /** Looks at children just drawn, and returns them. */
  see(growing: Growing, parent: number, children: number[]): number[] {
    this.#drafted = growing;
    const unsure = entropy(growing.q(parent)!);
    for (const child of children) {
      this.#seen[child] = [1, Math.log(Math.max(LEAST, growing.confidence[child])), unsure];
      this.#reach[child] = (this.#reach[parent] ?? 1) * this.#decision.estimate(this.#seen[child]);
    }
    return children;
  }

  /** Learns from every child of the places that the verdict came by. Nodes may have been left out of the pass. */
  observe({ tree, verdict }: Round): void {
    const drafted = nodesIn(this.#drafted, tree);
    [-1, ...verdict.path].forEach((node, step) => {
      tree.parents.forEach((parent, child) => {
        const seen = this.#seen[drafted[child]];
        if (parent === node && seen) this.#decision.learn(seen, verdict.path[step] === child);
      });
    });
    this.begin();
  }
}
