// gumbel: every node's children are drawn without replacement, fewer the deeper it is.
// Recursive Speculative Decoding: Accelerating LLM Inference via Sampling Without Replacement (Jeon et al., 2024,
// arXiv 2402.14160), constant branching factors (RSD-C).
//
// The paper adds Gumbel noise to the logits and takes the k largest. That is the same law as k draws, each without the
// ones before it, which is how it is done here: so chance can be followed through every branch.
//
// `threshold` ends paths early that are accepted too seldom (deciding.ts); the papers of `gumbel` know no such thing.
import type { Round } from "../../src/controller.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { Deciding } from "./deciding.ts";
import { Growing } from "./growing.ts";
import { growLevels, levelShape, parseWidths, widthAt, widthsOption } from "./levels.ts";

/** `widths`: children per node by depth. */
export function gumbel(widths: readonly number[]): TreeShape {
  return levelShape(
    "gumbel",
    "distinct",
    widths,
    (growing, node, count, chance) => growing.addDistinct(node, count, chance),
  );
}

/** The same without what is below paths that are accepted less often than `threshold`, 0…1, as is estimated. */
export function endingGumbel(widths: readonly number[], threshold: number): TreeShape {
  const deciding = new Deciding(threshold);
  return {
    name: "gumbel",
    law: "distinct",
    async grow(proposer, plan, chance) {
      deciding.begin();
      const growing = new Growing(proposer, plan);
      await growLevels(
        growing,
        (node) => deciding.goesOn(node) ? widthAt(widths, growing.depth(node)) : 0,
        (node, count) => deciding.see(growing, node, growing.addDistinct(node, count, chance)),
      );
      return growing.tree("distinct");
    },
    observe: (round: Round) => deciding.observe(round),
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
  options: {
    widths: widthsOption("3,2,1"),
    threshold: { type: "number", default: 0, min: 0, max: 1, summary: "paths accepted less often than this end" },
  },
  create({ widths, threshold }) {
    const parsed = parseWidths("gumbel", widths);
    return threshold === 0 ? gumbel(parsed) : endingGumbel(parsed, threshold);
  },
});
