// sequoia: the form that accepts most tokens per millisecond, by how often a child of each rank was accepted and by what
// passes cost on this machine. Children are drawn without replacement.
// Sequoia: Scalable, Robust, and Hardware-aware Speculative Decoding (Chen et al., 2024, arXiv 2402.12374): the form by
// dynamic programming (section 4.1), its size and depth by the cost curve (section 4.3), recursive rejection without
// replacement to go with it (section 4.2; the rule `recursive`).
//
// The form depends on earlier rounds, never on what this one draws: law `distinct`.
import type { Round } from "../../src/controller.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { depthOf } from "../../src/tree.ts";
import { Forms } from "./best-skeleton.ts";
import { growSkeleton } from "./skeleton.ts";
import { USUAL_ACCEPTANCE } from "./static.ts";

/** What a visit of a node forgets of the visits before, and so many visits the first guess is worth. */
const MEMORY = 0.995;
const BELIEF = 20;
/** Rounds until the forms are worked out anew. */
const SEASON = 32;
const MOST_NODES = 128;
const MOST_DEPTH = 16;

export class Sequoia implements TreeShape {
  readonly name = "sequoia";
  readonly law = "distinct";
  /** By rank: fading counts of nodes visited that had such a child, and of those where it was accepted. */
  readonly #visits: number[];
  readonly #hits: number[];
  #forms: Forms | undefined;
  #rounds = 0;
  /** Milliseconds of drafting per level, the least of late. */
  #levelMs = 0;

  /** `cost(width)`: milliseconds of a target pass over so many rows; NaN where that is not known yet. */
  constructor(private readonly cost: (width: number) => number, ranks: number) {
    this.#visits = new Array(ranks).fill(BELIEF);
    this.#hits = this.#visits.map((visits, rank) => visits * (USUAL_ACCEPTANCE[rank] ?? 0.02 / (rank - 2)));
  }

  /** How often a child of each rank is accepted, given that its parent is. */
  acceptance(): number[] {
    return this.#hits.map((hits, rank) => hits / this.#visits[rank]);
  }

  grow: TreeShape["grow"] = async (proposer, plan, chance) => {
    const most = { nodes: Math.min(plan.nodes, MOST_NODES), depth: Math.min(plan.depth, plan.nodes, MOST_DEPTH) };
    const forms = this.#upToDate(most.nodes, most.depth);
    const { nodes, depth } = this.#affordable(forms, most);
    return await growSkeleton(forms.skeleton(nodes, depth), "distinct", proposer, plan, chance);
  };

  observe({ tree, verdict, draftMs }: Round): void {
    if (tree.tokens.length === 0) return;
    this.#rounds++;
    const levels = depthOf(tree);
    const ms = draftMs / levels;
    this.#levelMs = this.#rounds === 1 ? ms : Math.min(ms, 1.1 * this.#levelMs); // spikes are catching up, or noise
    [-1, ...verdict.path].forEach((node, step) => {
      let rank = 0;
      tree.parents.forEach((parent, child) => {
        if (parent !== node) return;
        if (rank < this.#visits.length) {
          this.#visits[rank] = MEMORY * this.#visits[rank] + 1;
          this.#hits[rank] = MEMORY * this.#hits[rank] + (verdict.path[step] === child ? 1 : 0);
        }
        rank++;
      });
    });
  }

  #upToDate(nodes: number, depth: number): Forms {
    const forms = this.#forms;
    if (forms !== undefined && this.#rounds % SEASON !== 0 && forms.nodes >= nodes && forms.depth >= depth) {
      return forms;
    }
    return this.#forms = new Forms(this.acceptance(), nodes, depth);
  }

  /** The size and depth with the most tokens per millisecond; all that is allowed while costs are not known. */
  #affordable(forms: Forms, most: { nodes: number; depth: number }): { nodes: number; depth: number } {
    if (Number.isNaN(this.cost(1))) return most;
    let best = most;
    let rate = 0;
    for (let nodes = 1; nodes <= most.nodes; nodes++) {
      const verifyMs = this.cost(nodes + 1);
      for (let depth = 1; depth <= Math.min(most.depth, nodes); depth++) {
        const value = (1 + forms.expected(nodes, depth)) / (verifyMs + depth * this.#levelMs);
        if (value > rate) {
          rate = value;
          best = { nodes, depth };
        }
      }
    }
    return best;
  }
}

export default definePlugin({
  kind: "shape",
  name: "sequoia",
  summary: "the form that pays best here, by measured acceptance and measured costs",
  paper: {
    title: "Sequoia: Scalable, Robust, and Hardware-aware Speculative Decoding",
    year: 2024,
    arxiv: "2402.12374",
  },
  options: { ranks: { type: "integer", default: 6, min: 1, max: 32, summary: "most children of a node" } },
  create: ({ ranks }, _, context) => new Sequoia((width) => context.target.cost(width), ranks),
});
