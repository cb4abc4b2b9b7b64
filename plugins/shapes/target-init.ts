// target-init: a draft below several tokens of the target's own. RELAXED together with the rule `target-init`, which
// draws those tokens and keeps whichever path goes furthest: the text is not distributed as the target's.
// Improving Multi-candidate Speculative Decoding (Lu et al., 2024, arXiv 2409.10644), target-initialised candidates and
// early stopping.
//
// The rule leaves with the tree what the target may say next (`TargetDraws`), several tokens drawn without replacement,
// and this shape drafts below each of them. In the first round, after a round that kept nothing and under any other rule
// there are none: then the tree is that of `gumbel`, drawn without replacement, and lossless under lossless rules.
// Paths end early as in deciding.ts, which says what of the paper's decision model that leaves out.
import type { Round } from "../../src/controller.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import type { DraftTree } from "../../src/tree.ts";
import { Deciding } from "./deciding.ts";
import { Growing } from "./growing.ts";
import { growLevels, parseWidths, widthAt, widthsOption } from "./levels.ts";

/** What goes with a tree from the shape to the rule, and back. */
export interface TargetDraws {
  /** How many tokens the rule is to draw, at most. */
  readonly wanted: number;
  /** So many nodes, the first of the tree, are children of the root that the target drew. */
  readonly given: number;
  /** Set by the rule: tokens that the target drew to follow what was committed; none where the last of that was one. */
  next: readonly number[];
}

export interface TargetTree extends DraftTree {
  readonly draws: TargetDraws;
}

/** Undefined for trees of other shapes. */
export function drawsOf(tree: DraftTree): TargetDraws | undefined {
  return "draws" in tree ? (tree as TargetTree).draws : undefined;
}

export class TargetInit implements TreeShape {
  readonly name = "target-init";
  readonly law = "distinct";
  readonly #deciding: Deciding;
  #next: readonly number[] = [];

  /** `count` tokens of the target's; below each, children by depth as in `widths`; paths end early at `threshold`. */
  constructor(private readonly count: number, private readonly widths: readonly number[], threshold: number) {
    this.#deciding = new Deciding(threshold);
  }

  begin(): void {
    this.#next = [];
  }

  grow: TreeShape["grow"] = async (proposer, plan, chance): Promise<TargetTree> => {
    this.#deciding.begin();
    const growing = new Growing(proposer, plan);
    const given = this.#next.slice(0, plan.nodes).map((token) => growing.graft(-1, token));
    if (given.length > 0) await growing.ask([-1]); // the proposer counts from the root
    await growLevels(
      growing,
      (node) => node < 0 ? this.count : this.#deciding.goesOn(node) ? widthAt(this.widths, growing.depth(node) - 1) : 0,
      (node, count) => this.#deciding.see(growing, node, growing.addDistinct(node, count, chance)),
      given.length > 0 ? given : [-1],
    );
    return { ...growing.tree("distinct"), draws: { wanted: this.count, given: given.length, next: [] } };
  };

  observe(round: Round): void {
    this.#deciding.observe(round);
    this.#next = drawsOf(round.tree)?.next ?? [];
  }
}

export default definePlugin({
  kind: "shape",
  name: "target-init",
  summary: "drafts below several tokens of the target's own; with the rule target-init, RELAXED",
  paper: { title: "Improving Multi-candidate Speculative Decoding", year: 2024, arxiv: "2409.10644" },
  options: {
    count: { type: "integer", default: 3, min: 1, max: 64, summary: "tokens of the target's own" },
    widths: widthsOption("1"),
    threshold: { type: "number", default: 0.1, min: 0, max: 1, summary: "paths accepted less often than this end" },
  },
  create: ({ count, widths, threshold }) => new TargetInit(count, parseWidths("target-init", widths), threshold),
});
