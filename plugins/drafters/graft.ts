// graft: the draft tree loses its least likely branches to what was found in the text.
// Draft Less, Retrieve More: Hybrid Tree Construction for Speculative Decoding (Shen et al., 2026, arXiv 2605.20104).
//
// The tree is that of the likeliest paths (opt-tree); paths less likely than `threshold` are pruned, as many as what was
// found can fill and no more. What was found enters at the root and shares the tree as far as the two agree, so it
// either makes a kept branch longer or is one more. The paper retrieves from a table of what the target found likely
// after each token; here any drafter may be the source.
//
// Two sources make one draft, so this is a drafter and no shape. Law `point`: pruning by likelihood is no harm to chosen
// drafts, and would be to sampled ones.
import type { Plan } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { merge } from "../../src/draft/tree-edit.ts";
import type { DraftTree } from "../../src/tree.ts";
import type { Growing } from "../shapes/growing.ts";
import { growLikeliest } from "../shapes/opt-tree.ts";
import { branchSource, JoinedDrafter } from "./sources.ts";

export class GraftDrafter extends JoinedDrafter {
  readonly name = "graft";

  /** Paths less likely than `threshold` give way, 0…1. */
  constructor(proposer: Proposer, retrieval: Drafter, private readonly threshold: number) {
    super(proposer, retrieval);
  }

  protected async join(retrieved: DraftTree, plan: Plan, proposer: Proposer): Promise<DraftTree> {
    const tree = await growLikeliest(
      proposer,
      plan,
      ({ value }, growing) => value < this.threshold && growing.room <= lacking(growing, retrieved),
    );
    return merge([tree, retrieved], plan.nodes);
  }
}

/** How many nodes of `other` a tree does not have. */
function lacking({ tokens, parents }: Growing, other: DraftTree): number {
  const place = new Map([[-1, -1]]);
  other.tokens.forEach((token, node) => {
    const parent = place.get(other.parents[node]);
    const at = parent === undefined ? -1 : tokens.findIndex((own, i) => own === token && parents[i] === parent);
    if (at >= 0) place.set(node, at);
  });
  return other.tokens.length - (place.size - 1);
}

export default definePlugin({
  kind: "drafter",
  name: "graft",
  summary: "a proposer's tree whose least likely branches give way to what the text says",
  argument: "PROPOSER|DRAFTER",
  paper: {
    title: "Draft Less, Retrieve More: Hybrid Tree Construction for Speculative Decoding",
    year: 2026,
    arxiv: "2605.20104",
  },
  options: {
    retrieval: { type: "string", default: "lookup", summary: "drafter that fills the places" },
    threshold: { type: "number", default: 0.1, min: 0, max: 1, summary: "paths less likely than this give way" },
  },
  async create({ retrieval, threshold }, proposer, context) {
    return new GraftDrafter(
      await branchSource(proposer, context),
      await context.resolve("drafter", retrieval),
      threshold,
    );
  },
});
