// Draft trees made of other draft trees.
import { JoinedTree } from "./joined-tree.ts";
import type { DraftLaw, DraftTree } from "../tree.ts";

/**
 * The tree of the nodes for which `keep` holds, of those whose parents are kept. Order and law stay.
 *
 * A sampled tree stays true to its law only where `keep` looks at no token that the law has drawn: whoever drops an
 * unlikely draft tells a rule that a likely one was drawn. Where it does look, choose the law `point` with `asPoint`.
 */
export function prune(tree: DraftTree, keep: (node: number) => boolean): DraftTree {
  const kept: number[] = [];
  const place = new Map([[-1, -1]]);
  for (let node = 0; node < tree.tokens.length; node++) {
    if (!place.has(tree.parents[node]) || !keep(node)) continue;
    place.set(node, kept.length);
    kept.push(node);
  }
  const { confidence, sources } = tree;
  return {
    tokens: Int32Array.from(kept, (node) => tree.tokens[node]),
    parents: Int32Array.from(kept, (node) => place.get(tree.parents[node])!),
    law: tree.law,
    q: (node) => tree.q(node < 0 ? -1 : kept[node]),
    ...(confidence && { confidence: Float64Array.from(kept, (node) => confidence[node]) }),
    ...(sources && { sources: kept.map((node) => sources[node]) }),
  };
}

/** A tree, or one that still grows. */
export interface Nodes {
  readonly tokens: ArrayLike<number>;
  readonly parents: ArrayLike<number>;
}

/**
 * The nodes of `whole` that those of `part` are, where `part` is what `prune` leaves of `whole`. Of equal siblings the
 * first.
 */
export function nodesIn(whole: Nodes, part: DraftTree): number[] {
  const nodes: number[] = [];
  part.tokens.forEach((token, node) => {
    const parent = part.parents[node] < 0 ? -1 : nodes[part.parents[node]];
    let at = 0;
    while (at < whole.tokens.length && !(whole.tokens[at] === token && whole.parents[at] === parent)) at++;
    nodes.push(at);
  });
  return nodes;
}

/** The same tokens as if they had been chosen. Lossless always, whatever they depend on; it only accepts less. */
export function asPoint(tree: DraftTree): DraftTree {
  return tree.law === "point" ? tree : { ...tree, law: "point" satisfies DraftLaw, q: () => undefined };
}

/**
 * One tree that has every path of all of them, and no node twice; at most `nodes` nodes, those of the first tree first.
 * Its law is `point`: no other holds for drafts from several sources.
 */
export function merge(trees: readonly DraftTree[], nodes = Infinity): DraftTree {
  const joined = new JoinedTree({ nodes, depth: Infinity });
  for (const tree of trees) joined.addTree(-1, tree);
  return joined.tree;
}
