// top-and-one: every node's likeliest children as they are, and one more drawn from the rest of q.
// Towards Optimal Multi-draft Speculative Decoding (Hu et al., 2025, arXiv 2502.18779), greedy draft sampling; with two
// children SpecHub: Provable Acceleration to Multi-Draft Speculative Decoding (Sun et al., 2024, arXiv 2411.05289).
// The rule `top-and-one` keeps the most that any rule can of such drafts, `spechub` as much where there are two.
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { levelShape, parseWidths, widthsOption } from "./levels.ts";

/** `widths`: children per node by depth, the drawn one among them. */
export function topAndOne(widths: readonly number[]): TreeShape {
  return levelShape("top-and-one", "top-and-one", widths, (growing, node, count, chance) => {
    const likeliest = growing.addLikeliest(node, count - 1);
    return [...likeliest, ...growing.addDistinct(node, 1, chance)];
  });
}

export default definePlugin({
  kind: "shape",
  name: "top-and-one",
  summary: "the likeliest children as they are and one drawn from the rest",
  paper: { title: "Towards Optimal Multi-draft Speculative Decoding", year: 2025, arxiv: "2502.18779" },
  options: { widths: widthsOption("2,2,1") },
  create: ({ widths }) => topAndOne(parseWidths("top-and-one", widths)),
});
