// opt-tree: of all trees with so many nodes the one with the largest expected acceptance.
// OPT-Tree: Speculative Decoding with Adaptive Draft Tree Structure (Wang et al., 2024, arXiv 2406.17276).
//
// With the draft's own probabilities for the target's, a node is accepted as often as its path is likely, so the best
// tree is that of the likeliest paths. It is found exactly, best path first: a node's children are never likelier than
// the node, so a node that was not asked about yet stands for its children with its own probability. Whenever such a
// one comes first, all of them are asked about in the one pass that is due anyway.
//
// The paper draws level by level, each a pass of the draft model over as many rows as the tree may have nodes, and stops
// after the first that raises the expected acceptance by no more than a threshold: that is the option `gain`. Without it
// the same tree is found with fewer rows. The option `threshold` is another thing, and not the paper's: it leaves out
// what is unlikely at any depth.
//
// Children are chosen, not drawn: law `point`.
import { probability } from "../../src/math/distribution.ts";
import type { Plan } from "../../src/controller.ts";
import type { Proposer } from "../../src/drafter.ts";
import { HunchError } from "../../src/errors.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import type { DraftTree } from "../../src/tree.ts";
import { Best } from "./best.ts";
import { growByLevel } from "./by-level.ts";
import { Growing } from "./growing.ts";
import { ranked } from "./ranked.ts";

/** A child that could be added, worth what the path to it is likely; or a node whose children are not known yet. */
interface Offer {
  readonly parent: number;
  readonly value: number;
  readonly token?: number;
}

/**
 * Paths less likely than `threshold` are left out, 0 ≤ threshold < 1. With `gain` > 0 it grows by levels, and ends with
 * the first that adds no more expected tokens than this.
 */
export function optTree(threshold: number, gain = 0): TreeShape {
  return {
    name: "opt-tree",
    law: "point",
    grow: (proposer, plan) =>
      gain > 0
        ? growByLevel(proposer, plan, { paths: plan.nodes, gain })
        : growLikeliest(proposer, plan, ({ value }) => value < threshold),
  };
}

/** Adds the likeliest path that is not there yet until nodes run out, or until `enough` finds the next not worth it. */
export async function growLikeliest(
  proposer: Proposer,
  plan: Plan,
  enough: (next: { readonly value: number }, growing: Growing) => boolean,
): Promise<DraftTree> {
  const growing = new Growing(proposer, plan);
  const offers = new Best<Offer>(({ value }) => value);
  const children = new Map<number, Iterator<number, void>>();
  let unasked: number[] = [];
  const open = (node: number) => {
    if (!growing.deeper(node)) return;
    unasked.push(node);
    offers.add({ parent: node, value: growing.value(node) });
  };
  const offerNext = (parent: number) => {
    const { value: token } = children.get(parent)!.next();
    if (token === undefined) return;
    offers.add({ parent, token, value: growing.value(parent) * probability(growing.q(parent)!, token) });
  };
  open(-1);
  while (growing.room > 0) {
    const best = offers.take();
    if (best === undefined || enough(best, growing)) break;
    const { parent, token } = best;
    if (token !== undefined) {
      open(growing.add(parent, token));
    } else {
      if (growing.unasked(parent)) {
        await growing.ask(unasked);
        unasked = [];
      }
      const q = growing.q(parent);
      if (q === undefined) continue; // the proposer has no more to say
      children.set(parent, ranked(q));
    }
    offerNext(parent);
  }
  return growing.tree("point");
}

export default definePlugin({
  kind: "shape",
  name: "opt-tree",
  summary: "the tree of the likeliest paths: the most expected acceptance for its nodes",
  paper: {
    title: "OPT-Tree: Speculative Decoding with Adaptive Draft Tree Structure",
    year: 2024,
    arxiv: "2406.17276",
  },
  options: {
    threshold: { type: "number", default: 0, min: 0, max: 1, summary: "leave out paths less likely than this" },
    gain: { type: "number", default: 0, min: 0, max: 64, summary: "the paper's: end after a level that adds less" },
  },
  create({ threshold, gain }) {
    if (threshold > 0 && gain > 0) {
      throw new HunchError("usage", "opt-tree takes threshold or gain, not both", { hint: "leave one of them out" });
    }
    return optTree(threshold, gain);
  },
});
