// rasd: a draft model's tree and what a store says, in one tree; of the latter only what the draft model finds likely.
// RASD: Retrieval-Augmented Speculative Decoding (Quan et al., 2025, arXiv 2503.03434).
//
// As in the paper: the retrieved tree is pruned by the draft model's probabilities, and what is left is joined to the
// draft model's own tree where the longest prefix of a retrieved path ends in it, so that no node is verified twice. The
// draft model is asked about no more nodes than its own tree has: below those a retrieved path counts as likely as where
// it left them. The tree of the draft model is that of the likeliest paths (opt-tree) where the paper has EAGLE-2's; any
// proposer may be the model, and any drafter the retrieval: `rest`, as here, or `lookup`, which the paper tries as well.
//
// Two sources make one draft, chosen and not drawn: law `point`. Memory: that of the proposer and of the retrieval.
import type { Plan } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { merge, prune } from "../../src/draft/tree-edit.ts";
import { probability } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { DraftTree } from "../../src/tree.ts";
import type { Growing } from "../shapes/growing.ts";
import { growLikeliest } from "../shapes/opt-tree.ts";
import { branchSource, JoinedDrafter } from "./sources.ts";

export class RasdDrafter extends JoinedDrafter {
  readonly name = "rasd";

  /** Retrieved paths less likely than `threshold` are dropped, 0 … 1; what is left gets at most the `share` of the nodes. */
  constructor(
    proposer: Proposer,
    retrieval: Drafter,
    private readonly threshold: number,
    private readonly share: number,
  ) {
    super(proposer, retrieval);
  }

  protected async join(retrieved: DraftTree, plan: Plan, proposer: Proposer): Promise<DraftTree> {
    const most = Math.floor(this.share * plan.nodes);
    const room = Math.min(most, retrieved.tokens.length);
    let grown: Growing | undefined;
    // One at least: what the model is not asked about it cannot prune.
    const own = await growLikeliest(proposer, { ...plan, nodes: Math.max(1, plan.nodes - room) }, (_, growing) => {
      grown = growing;
      return false;
    });
    const likely = grown === undefined ? retrieved : pruneUnlikely(retrieved, grown, this.threshold);
    return merge([own, likely], plan.nodes);
  }
}

/** The nodes of `tree` whose paths the draft model finds at least so likely, as far down as it was asked. */
function pruneUnlikely(tree: DraftTree, grown: Growing, threshold: number): DraftTree {
  const values = new Map([[-1, 1]]);
  /** The same node in the draft model's tree. */
  const same = new Map([[-1, -1]]);
  return prune(tree, (node) => {
    const [token, parent] = [tree.tokens[node], tree.parents[node]];
    const above = same.get(parent);
    const q = above === undefined ? undefined : grown.q(above);
    const value = values.get(parent)! * (q === undefined ? 1 : probability(q, token));
    values.set(node, value);
    const there = grown.tokens.findIndex((own, i) => own === token && grown.parents[i] === above);
    if (there >= 0) same.set(node, there);
    return value >= threshold;
  });
}

export default definePlugin({
  kind: "drafter",
  name: "rasd",
  summary: "a proposer's tree joined with what a store says and the proposer finds likely",
  argument: "PROPOSER|DRAFTER",
  paper: { title: "RASD: Retrieval-Augmented Speculative Decoding", year: 2025, arxiv: "2503.03434" },
  options: {
    retrieval: { type: "string", default: "rest", summary: "drafter that looks things up" },
    threshold: { type: "number", default: 0.05, min: 0, max: 1, summary: "retrieved paths less likely are dropped" },
    share: { type: "number", default: 0.5, min: 0, max: 1, summary: "most of the nodes that retrieval gets" },
  },
  async create({ retrieval, threshold, share }, proposer, context) {
    return new RasdDrafter(
      await branchSource(proposer, context),
      await context.resolve("drafter", retrieval),
      threshold,
      share,
    );
  },
});
