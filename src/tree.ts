// A draft: guessed tokens as a tree under the last committed token (the root).
import type { Distribution } from "./math/distribution.ts";

/**
 * How the children of one node were drawn. A rule is lossless for a law, not in general.
 *
 * - `point`: chosen, not sampled (n-grams, retrieval, arg-max).
 * - `iid`: independent draws from q, repeats possible.
 * - `distinct`: drawn from q without replacement, in the order drawn.
 * - `top-and-one`: the n−1 likeliest tokens of q, and last one draw from the rest of q, renormalised.
 * - `beam`: each next sibling is drawn from q without its elder siblings, but whether there is one, here or elsewhere,
 *   may depend on all that was drawn before: sequences drawn without replacement (stochastic beam search), greedy growth.
 */
export const DRAFT_LAWS = ["point", "iid", "distinct", "top-and-one", "beam"] as const;

/** One of DRAFT_LAWS. */
export type DraftLaw = typeof DRAFT_LAWS[number];

/**
 * A draft in topological order. Node `i` continues node `parents[i]`, or the root when `parents[i]` is −1.
 * Siblings stand in the order in which they were drawn.
 *
 * For example, tokens [7, 8, 9] with parents [−1, −1, 0]: 7 and 8 are drafted for the first place, and 9 after 7.
 */
export interface DraftTree {
  readonly tokens: Int32Array; // [size]
  readonly parents: Int32Array; // [size], -1 ≤ parents[i] < i
  readonly law: DraftLaw;
  /**
   * The distribution that the children of `node` were drawn from (−1: of the root), before any removal;
   * undefined where the law is `point` or the node has no children.
   */
  q(node: number): Distribution | undefined;
  /** [size] How likely the drafter found each node given its parent, where it knows. To show; no rule looks at it. */
  readonly confidence?: Float64Array;
  /** [size] Where each node comes from, in a word or two, of a drafter that has several sources. To show and to count. */
  readonly sources?: readonly string[];
}

const NOTHING = new Int32Array(0);

/** The tree without nodes: nothing was drafted. */
export const EMPTY_TREE: DraftTree = { tokens: NOTHING, parents: NOTHING, law: "point", q: () => undefined };

/**
 * A tree without branches: node i continues node i − 1.
 *
 * `draws[i]` is the distribution that `tokens[i]` was drawn from; absent under the law `point`.
 */
export function chainTree(
  tokens: ArrayLike<number>,
  law: DraftLaw = "point",
  draws: readonly Distribution[] = [],
): DraftTree {
  const parents = new Int32Array(tokens.length);
  for (let node = 0; node < parents.length; node++) parents[node] = node - 1;
  return { tokens: Int32Array.from(tokens), parents, law, q: (node) => draws[node + 1] };
}

/** True where every node continues the one before it; also of the empty tree. */
export function isChain(tree: DraftTree): boolean {
  return tree.parents.every((parent, node) => parent === node - 1);
}

/** [size + 1] Parents of the rows of a pass over the root, row 0, and the draft: node i is row i + 1. */
export function rowParents({ parents }: DraftTree): Int32Array {
  return Int32Array.of(-1, ...parents.map((parent) => parent + 1));
}

/** Tokens from the root to each node, [size]; 1 for children of the root. */
export function depths({ parents }: { readonly parents: ArrayLike<number> }): Int32Array {
  const out = new Int32Array(parents.length);
  for (let node = 0; node < out.length; node++) out[node] = parents[node] < 0 ? 1 : out[parents[node]] + 1;
  return out;
}

/** Most tokens from the root to a leaf; 0 where there are no nodes. */
export function depthOf(tree: { readonly parents: ArrayLike<number> }): number {
  return depths(tree).reduce((most, depth) => Math.max(most, depth), 0);
}

/** What every tree must keep to, besides its law. */
export interface TreeLimits {
  readonly vocab: number;
  /** Most nodes. */
  readonly nodes: number;
  /** Most tokens from the root to a leaf. */
  readonly depth: number;
}

/** What is wrong with a tree, in a few words; undefined where nothing is. Costs O(size). */
export function treeFault(tree: DraftTree, limits: TreeLimits): string | undefined {
  const { tokens, parents } = tree;
  const size = tokens.length;
  if (parents.length !== size) return `${size} tokens but ${parents.length} parents`;
  if (size > limits.nodes) return `${size} nodes where at most ${limits.nodes} were asked for`;
  for (let node = 0; node < size; node++) {
    const parent = parents[node];
    if (!(parent >= -1 && parent < node)) return `node ${node} has the parent ${parent}`;
    if (!(tokens[node] >= 0 && tokens[node] < limits.vocab)) {
      return `node ${node} is token ${tokens[node]} of a vocabulary of ${limits.vocab}`;
    }
  }
  const deepest = depthOf(tree);
  if (deepest > limits.depth) return `it is ${deepest} deep where at most ${limits.depth} was asked for`;
  return undefined;
}
