// gumbel: every node's children are drawn without replacement, fewer the deeper it is.
// Recursive Speculative Decoding: Accelerating LLM Inference via Sampling Without Replacement (Jeon et al., 2024,
// arXiv 2402.14160), constant branching factors (RSD-C).
//
// The paper adds Gumbel noise to the logits and takes the k largest. That is the same law as k draws, each without the
// ones before it, which is how it is done here: so chance can be followed through every branch.
import { definePlugin } from "../../src/registry.ts";
import type { TreeShape } from "../../src/shape.ts";
import { Growing } from "./growing.ts";
import { growLevels, parseWidths, widthAt, widthsOption } from "./levels.ts";

/** `widths`: children per node by depth. */
export function gumbel(widths: readonly number[]): TreeShape {
  return {
    name: "gumbel",
    law: "distinct",
    async grow(proposer, plan, chance) {
      const growing = new Growing(proposer, plan);
      await growLevels(
        growing,
        (node) => widthAt(widths, growing.depth(node)),
        (node, count) => growing.addDistinct(node, count, chance),
      );
      return growing.tree("distinct");
    },
  };
}

export default definePlugin({
  kind: "shape",
  name: "gumbel",
  summary: "children drawn without replacement, fewer the deeper (Gumbel-top-k)",
  paper: {
    title: "Recursive Speculative Decoding: Accelerating LLM Inference via Sampling Without Replacement",
    year: 2024,
    arxiv: "2402.14160",
  },
  options: { widths: widthsOption("3,2,1") },
  create: ({ widths }) => gumbel(parseWidths("gumbel", String(widths))),
});
