// dynamic: each level continues its likeliest paths, and of everything that was looked at the likeliest nodes stay.
// EAGLE-2: Faster Inference of Language Models with Dynamic Draft Trees (Li et al., 2024, arXiv 2406.16858): expansion
// and reranking by cumulative confidence, the product of the draft probabilities along a path.
//
// Children are chosen (law `point`), never drawn: which nodes stay depends on how likely they are, and a rule that took
// them for draws would be told that likely ones had come up more often than they do. As chosen drafts they are
// lossless under every rule for the law `point`.
import { top } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
import type { TreeShape } from "../../src/shape.ts";
import { prune } from "../../src/tree-edit.ts";
import { Growing } from "./growing.ts";

/** Paths continued in all: a draft model runs so many rows at once wherever it runs. */
const MOST_ASKED = 96;

/** Each level continues its `k` likeliest paths by `k` tokens each. */
export function dynamic(k: number): TreeShape {
  return {
    name: "dynamic",
    law: "point",
    async grow(proposer, plan) {
      const growing = new Growing(proposer, { ...plan, nodes: Infinity });
      // A child is never likelier than its parent, and of equals the one that stands first wins: what stays is a tree.
      const byValue = (a: number, b: number) => growing.value(b) - growing.value(a) || a - b;
      let level = [-1];
      let best: number[] = []; // of all nodes so far, as many as may stay
      let asked = 0;
      for (let depth = 0; depth < plan.depth && level.length > 0; depth++) {
        await growing.ask(level);
        asked += level.length;
        const next: number[] = [];
        for (const node of level) {
          const q = growing.q(node);
          if (q !== undefined) next.push(...top(q, k).map((token) => growing.add(node, token)));
        }
        best = [...best, ...next].sort(byValue).slice(0, plan.nodes);
        // Below a node that does not stay nothing does, so it need not be continued either.
        const stays = new Set(best);
        level = next.filter((node) => stays.has(node)).sort(byValue).slice(0, Math.min(k, MOST_ASKED - asked));
      }
      const kept = new Set(best);
      return prune(growing.tree("point"), (node) => kept.has(node));
    },
  };
}

export default definePlugin({
  kind: "shape",
  name: "dynamic",
  summary: "expands the likeliest paths and keeps the likeliest nodes of all",
  paper: {
    title: "EAGLE-2: Faster Inference of Language Models with Dynamic Draft Trees",
    year: 2024,
    arxiv: "2406.16858",
  },
  options: {
    k: { type: "integer", default: 8, min: 1, max: 64, summary: "paths continued per level, and tokens each" },
  },
  create: ({ k }) => dynamic(Number(k)),
});
