// top-k: every node of a level gets its likeliest children, fewer the deeper it is. A fixed tree, whatever is drafted.
// EAGLE: Speculative Sampling Requires Rethinking Feature Uncertainty (Li et al., 2024, arXiv 2401.15077).
//
// EAGLE samples its children above temperature 0. Here they are chosen (law `point`), which is lossless as well; the
// shape `gumbel` is the same tree with children drawn without replacement.
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { levelShape, parseWidths, widthsOption } from "./levels.ts";

/** `widths`: children per node by depth. */
export function topK(widths: readonly number[]): TreeShape {
  return levelShape("top-k", "point", widths, (growing, node, count) => growing.addLikeliest(node, count));
}

export default definePlugin({
  kind: "shape",
  name: "top-k",
  summary: "the likeliest children of every node, fewer the deeper",
  paper: {
    title: "EAGLE: Speculative Sampling Requires Rethinking Feature Uncertainty",
    year: 2024,
    arxiv: "2401.15077",
  },
  options: { widths: widthsOption("3,2,1") },
  create: ({ widths }) => topK(parseWidths("top-k", widths)),
});
