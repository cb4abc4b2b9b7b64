// spine: what was found in the text is a deep chain, and at each of its nodes a few other tokens branch off.
// Goose: Anisotropic Speculation Trees for Training-Free Speculative Decoding (Jin et al., 2026, arXiv 2604.02047): a
// reliable source should go deep, an unreliable one wide. The spine is whole, so at least what its source would alone is
// accepted. Not so the proposer's: it has the nodes that the spine leaves, and with all of them might do better. The
// paper's "at least either source alone" counts the nodes of both.
//
// Two sources make one draft, so this is a drafter and no shape. The branches are any proposer's, or any drafter's that
// can draft below others': the paper's own are `spine:recycling`, what earlier passes of the target found likely after a
// token. Law `point`.
import type { Plan } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { DraftTree } from "../../src/tree.ts";
import { Growing } from "../shapes/growing.ts";
import { growLevels } from "../shapes/levels.ts";
import { branchSource, JoinedDrafter } from "./sources.ts";

export class SpineDrafter extends JoinedDrafter {
  readonly name = "spine";

  /** At most `most` children beside the spine at each of its nodes, and below those again one less. */
  constructor(proposer: Proposer, spine: Drafter, private readonly most: number) {
    super(proposer, spine);
  }

  protected async join(spine: DraftTree, plan: Plan, proposer: Proposer): Promise<DraftTree> {
    const growing = new Growing(proposer, plan);
    // The first path of the spine's source; the proposer gives every node of it its branches in one pass.
    const path: number[] = [-1];
    for (let node = spine.parents.indexOf(-1); node >= 0; node = spine.parents.indexOf(node)) {
      path.push(growing.graft(path[path.length - 1], spine.tokens[node]));
    }
    if (path.length === 1) {
      await growLevels(
        growing,
        (node) => Math.max(1, this.most - growing.depth(node)),
        (node, count) => growing.addLikeliest(node, count),
      );
      return growing.tree("point");
    }
    await growing.ask(path.filter((node) => growing.deeper(node)));
    // Near the root first: further down the path is left less often, for it is reached less often.
    let level = path.filter((node) => growing.q(node) !== undefined);
    for (let width = this.most; width > 0 && level.length > 0 && growing.room > 0; width--) {
      await growing.ask(level);
      level = level.flatMap((node) => growing.q(node) === undefined ? [] : growing.addLikeliest(node, width))
        .filter((node) => growing.deeper(node));
    }
    return growing.tree("point");
  }
}

export default definePlugin({
  kind: "drafter",
  name: "spine",
  summary: "a deep chain found in the text, with a proposer's tokens as branches beside it",
  argument: "[PROPOSER|DRAFTER]",
  paper: {
    title: "Goose: Anisotropic Speculation Trees for Training-Free Speculative Decoding",
    year: 2026,
    arxiv: "2604.02047",
  },
  options: {
    spine: { type: "string", default: "lookup", summary: "drafter of the chain" },
    branches: { type: "integer", default: 2, min: 1, max: 16, summary: "most branches at a node of the chain" },
  },
  async create({ spine, branches }, proposer, context) {
    return new SpineDrafter(
      await branchSource(proposer === "" ? "successors" : proposer, context),
      await context.resolve("drafter", spine),
      branches,
    );
  },
});
