// graft: the draft tree loses its least likely branches, and what was found in the text takes their places.
// Draft Less, Retrieve More: Hybrid Tree Construction for Speculative Decoding (2026, arXiv 2605.20104).
//
// The tree is that of the likeliest paths (opt-tree); pruning stops it where a path is less likely than `threshold`.
// What is found in the text enters at the root and shares the tree as far as the two agree, so it either makes a kept
// branch longer or is one more. It has at least the places that pruning freed, and at most a share of all even where
// nothing is pruned. Two sources make one draft, so this is a drafter and no shape. Law `point`: pruning by likelihood
// is no harm to chosen drafts, and would be to sampled ones.
import type { Plan } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { LIKELIEST } from "../../src/proposed.ts";
import { definePlugin } from "../../src/registry.ts";
import { merge } from "../../src/tree-edit.ts";
import type { DraftTree } from "../../src/tree.ts";
import { optTree } from "../shapes/opt-tree.ts";
import { JoinedDrafter } from "./sources.ts";

/** Of all nodes, so many are for what was found even where the tree could use them. */
const SHARE = 0.25;

export class GraftDrafter extends JoinedDrafter {
  readonly name = "graft";

  /** Paths less likely than `threshold` are pruned, 0…1. */
  constructor(proposer: Proposer, retrieval: Drafter, private readonly threshold: number) {
    super(proposer, retrieval);
  }

  protected async join(retrieved: DraftTree, plan: Plan): Promise<DraftTree> {
    const found = retrieved.tokens.length;
    const spared = Math.min(found, Math.ceil(SHARE * plan.nodes), plan.nodes - 1);
    const stock = { ...plan, nodes: plan.nodes - spared };
    const tree = await optTree(this.threshold).grow(this.proposer, stock, LIKELIEST);
    return merge([tree, retrieved], plan.nodes);
  }
}

export default definePlugin({
  kind: "drafter",
  name: "graft",
  summary: "a proposer's tree without its least likely branches, and what the text says in their places",
  argument: "PROPOSER",
  paper: {
    title: "Draft Less, Retrieve More: Hybrid Tree Construction for Speculative Decoding",
    year: 2026,
    arxiv: "2605.20104",
  },
  options: {
    retrieval: { type: "string", default: "lookup", summary: "drafter that fills the places" },
    threshold: { type: "number", default: 0.1, min: 0, max: 1, summary: "paths less likely than this are pruned" },
  },
  async create({ retrieval, threshold }, proposer, context) {
    return new GraftDrafter(
      await context.resolve("proposer", proposer),
      await context.resolve("drafter", String(retrieval)),
      Number(threshold),
    );
  },
});
