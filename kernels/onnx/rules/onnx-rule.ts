// How one verification rule runs on ONNX Runtime. Each file beside this one that is named after a rule holds one.
import type { TreePlace } from "../../../src/draft/walk.ts";
import type { Verdict } from "../../../src/verdict.ts";
import type { DraftTree } from "../../../src/tree.ts";
import type { GraphBuilder } from "../graph.ts";

/** Adds the graph of one place to `g`. It is fed RULE_FEEDS and gives RULE_RESULTS. */
export type BuildGraph = (g: GraphBuilder, vocab: number) => void;

/** What a rule may ask of the pass that it judges. Rows are those of the tree's pass: 0 of the root, i + 1 of node i. */
export interface ScoredPass {
  readonly vocab: number;
  argmax(row: number): number;
  /** A token that the target draws for itself. */
  draw(row: number): number;
  /** The token that a graph says at a place, the next uniform numbers in hand. `name` names the graph. */
  say(name: string, build: BuildGraph, place: TreePlace): number;
  /** The likelihoods that a graph gives drafts, 0 where they do not stand. `limits`: two numbers. */
  likely(
    name: string,
    build: BuildGraph,
    row: number,
    drafts: readonly number[],
    limits: readonly number[],
  ): Float64Array;
}

export interface OnnxRule {
  /** As `DeviceRule.name` has it. */
  readonly name: string;
  /** True: `argmax` is all it asks, so the pass makes no probabilities. */
  readonly argmaxOnly?: true;
  /** `parameters`: those that the rule named with itself. Undefined where it cannot judge this tree. */
  verify(tree: DraftTree, pass: ScoredPass, parameters: Readonly<Record<string, number>>): Verdict | undefined;
}
