// iid: several whole paths, drawn independently of each other. Where two begin alike they are the same place for a
// rule, and equal tokens are drawn as often as they are drawn.
// SpecTr: Fast Speculative Decoding via Optimal Transport (Sun et al., 2023, arXiv 2310.15141), drafting; Multi-Candidate
// Speculative Decoding (Yang et al., 2024, arXiv 2401.06706), drafting with replacement.
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { Growing } from "./growing.ts";
import { addPaths } from "./paths.ts";

/** At most `paths` paths, each as long as nodes and depth allow. */
export function iid(paths: number): TreeShape {
  return {
    name: "iid",
    law: "iid",
    async grow(proposer, plan, chance) {
      const growing = new Growing(proposer, plan);
      const count = Math.min(paths, plan.nodes);
      await addPaths(growing, new Array(count).fill(-1), Math.ceil(plan.nodes / count), chance);
      return growing.tree("iid");
    },
  };
}

export default definePlugin({
  kind: "shape",
  name: "iid",
  summary: "several paths drawn independently",
  paper: { title: "SpecTr: Fast Speculative Decoding via Optimal Transport", year: 2023, arxiv: "2310.15141" },
  options: { paths: { type: "integer", default: 4, min: 1, max: 256, summary: "how many" } },
  create: ({ paths }) => iid(paths),
});
