// target-init: several candidates below a token of the target's own, each path given up where a decision says so.
// Improving Multi-candidate Speculative Decoding (Lu et al., 2024, arXiv 2409.10644).
//
// The paper starts its tree from several likely tokens of the target's and keeps whichever gets furthest, which changes
// what is said. What is lossless of that: the first token is one the target has drawn. In this project every round
// starts so, from the token that the last verdict ended with; below it candidates are drawn without replacement. The
// paper's decision model stops drafting early; here it is a logistic function of how likely a token was and how unsure
// the draft, fitted round by round.
//
// Whether a node gets children is settled by the path to it, before any of them is drawn: law `distinct`.
import type { Round } from "../../src/controller.ts";
import { entropy } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
import type { TreeShape } from "../../src/shape.ts";
import { Growing } from "./growing.ts";
import { growLevels, parseWidths, widthAt, widthsOption } from "./levels.ts";
import { Logistic } from "./logistic.ts";

/** Likely tokens of a sure draft are mostly accepted, unlikely ones mostly not. */
const START = [1.5, 0.8, -0.2];
/** Less likely than this counts as this. */
const LEAST = 1e-4;

export class TargetInit implements TreeShape {
  readonly name = "target-init";
  readonly law = "distinct";
  readonly #decision = new Logistic(START);
  /** What the decision saw at each node of the last tree. */
  #seen: (readonly number[])[] = [];

  /** Paths that are accepted less often than `threshold`, as is estimated, end; 0 ≤ threshold ≤ 1. */
  constructor(private readonly widths: readonly number[], private readonly threshold: number) {}

  grow: TreeShape["grow"] = async (proposer, plan, chance) => {
    const growing = new Growing(proposer, plan);
    const seen: (readonly number[])[] = [];
    const reach: number[] = []; // how likely each path is accepted, estimated
    await growLevels(
      growing,
      (node) => node < 0 || reach[node] >= this.threshold ? widthAt(this.widths, growing.depth(node)) : 0,
      (node, count) => {
        const unsure = entropy(growing.q(node)!);
        const drawn = growing.addDistinct(node, count, chance);
        for (const child of drawn) {
          seen[child] = [1, Math.log(Math.max(LEAST, growing.confidence[child])), unsure];
          reach[child] = (node < 0 ? 1 : reach[node]) * this.#decision.estimate(seen[child]);
        }
        return drawn;
      },
    );
    this.#seen = seen;
    return growing.tree("distinct");
  };

  /** Learns from every child of the places that the verdict came by. */
  observe({ tree, verdict }: Round): void {
    [-1, ...verdict.path].forEach((node, step) => {
      tree.parents.forEach((parent, child) => {
        if (parent === node && this.#seen[child]) {
          this.#decision.learn(this.#seen[child], verdict.path[step] === child);
        }
      });
    });
    this.#seen = [];
  }
}

export default definePlugin({
  kind: "shape",
  name: "target-init",
  summary: "candidates below the target's own token, given up early where they are unlikely to stand",
  paper: { title: "Improving Multi-candidate Speculative Decoding", year: 2024, arxiv: "2409.10644" },
  options: {
    widths: widthsOption("3,2,2,1"),
    threshold: { type: "number", default: 0.1, min: 0, max: 1, summary: "paths accepted less often than this end" },
  },
  create: ({ widths, threshold }) => new TargetInit(parseWidths("target-init", String(widths)), Number(threshold)),
});
