// dynamic: each level continues its likeliest paths, and of everything that was looked at the likeliest nodes stay.
// EAGLE-2: Faster Inference of Language Models with Dynamic Draft Trees (Li et al., 2024, arXiv 2406.16858): expansion
// and reranking by cumulative confidence, the product of the draft probabilities along a path.
//
// Children are chosen (law `point`), never drawn: which nodes stay depends on how likely they are, and a rule that took
// them for draws would be told that likely ones had come up more often than they do. As chosen drafts they are
// lossless under every rule for the law `point`.
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { growByLevel } from "./by-level.ts";

/** Each level continues its `k` likeliest paths by `k` tokens each. */
export function dynamic(k: number): TreeShape {
  return { name: "dynamic", law: "point", grow: (proposer, plan) => growByLevel(proposer, plan, { paths: k }) };
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
  create: ({ k }) => dynamic(k),
});
