// delayed: one path first; it branches into several independent ones where it is likely to be left.
// Dynamic Delayed Tree Expansion For Improved Multi-Path Speculative Decoding (Thomas et al., 2026, arXiv 2602.16994):
// near the root draft and target mostly agree, and several draws repeat each other; further down they part.
//
// The paper's selector is a neural network that estimates what a form would bring. Here it is a logistic function of
// the draft's distribution before a draw (its largest probability and its entropy), fitted round by round: how likely is
// one draw accepted? From that follows what is worth more, one more draw on the one path or several draws from here on.
//
// Where the path branches depends on q before the draw, never on the draw: law `iid`.
import type { Round } from "../../src/controller.ts";
import { argmax, type Distribution, entropy, probability } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { Growing } from "./growing.ts";
import { Logistic } from "./logistic.ts";
import { addPaths } from "./paths.ts";

/** One draw of four is refused on ordinary pairs; more where the draft is less sure. */
const START = [-0.5, 3, -0.4];
/** A second independent draw raised acceptance from 0.751 to 0.818: so much of a draw judged on its own it is worth. */
const REPEAT = 0.25;
/** What the mean acceptance forgets with every draw judged. */
const MEMORY = 0.98;

export class Delayed implements TreeShape {
  readonly name = "delayed";
  readonly law = "iid";
  readonly #selector = new Logistic(START);
  #mean = 0.7;
  /** What the selector saw at the nodes of the last tree. */
  #seen = new Map<number, readonly number[]>();

  constructor(private readonly paths: number) {}

  grow: TreeShape["grow"] = async (proposer, plan, chance) => {
    const growing = new Growing(proposer, plan);
    this.#seen = new Map();
    let node = -1;
    while (growing.room > 0 && growing.deeper(node)) {
      await growing.ask([node]);
      const q = growing.q(node);
      if (q === undefined) break; // the proposer has no more to say
      const features = featuresOf(q);
      const accepted = this.#selector.estimate(features);
      const depth = plan.depth - growing.depth(node);
      if (this.#branches(accepted, growing.room, depth)) {
        await addPaths(growing, new Array(this.paths).fill(node), Math.ceil(growing.room / this.paths), chance);
        break;
      }
      this.#seen.set(node, features);
      [node] = growing.addIndependent(node, 1, chance);
    }
    return growing.tree("iid");
  };

  /** Learns from the draws that stood alone. */
  observe({ verdict }: Round): void {
    [-1, ...verdict.path].forEach((node, step) => {
      const features = this.#seen.get(node);
      if (features === undefined) return;
      const accepted = step < verdict.path.length;
      this.#selector.learn(features, accepted);
      this.#mean = MEMORY * this.#mean + (1 - MEMORY) * (accepted ? 1 : 0);
    });
  }

  /** Whether several paths from here are worth more than one draw and then the best that can be done. */
  #branches(accepted: number, room: number, depth: number): boolean {
    if (this.paths < 2 || room < this.paths) return false;
    let later = 0; // worth of what follows the draw, from its end upwards
    for (let left = Math.max(1, room - depth + 1); left < room; left++) {
      later = Math.max(this.#mean * (1 + later), this.#branched(this.#mean, left, depth - (room - left)));
    }
    return this.#branched(accepted, room, depth) > accepted * (1 + later);
  }

  /** Accepted tokens expected of several paths of equal length. */
  #branched(accepted: number, room: number, depth: number): number {
    const length = Math.min(depth, Math.floor(room / this.paths));
    if (length < 1) return 0;
    const any = (one: number) => 1 - (1 - one) ** (1 + REPEAT * (this.paths - 1));
    let sum = 0;
    for (let step = 1, reach = any(accepted); step <= length; step++, reach *= this.#mean) sum += reach;
    return sum;
  }
}

function featuresOf(q: Distribution): number[] {
  return [1, probability(q, argmax(q)), entropy(q)];
}

export default definePlugin({
  kind: "shape",
  name: "delayed",
  summary: "one path first, several from where it is likely to be left",
  paper: {
    title: "Dynamic Delayed Tree Expansion For Improved Multi-Path Speculative Decoding",
    year: 2026,
    arxiv: "2602.16994",
  },
  options: { paths: { type: "integer", default: 3, min: 1, max: 64, summary: "paths after the branching point" } },
  create: ({ paths }) => new Delayed(paths),
});
