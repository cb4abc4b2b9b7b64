// Going down a draft tree. Shared by rules in TypeScript and by those that a backend runs.
import type { Distribution } from "../math/distribution.ts";
import type { Verdict } from "../verdict.ts";
import type { DraftTree } from "../tree.ts";

/** Children of all `parents` (−1: the root), in the order drawn. */
export function childrenOf(tree: DraftTree, parents: readonly number[]): number[] {
  const children: number[] = [];
  for (let node = 0; node < tree.tokens.length; node++) {
    if (parents.includes(tree.parents[node])) children.push(node);
  }
  return children;
}

/**
 * Those of `nodes` that hold a token. Equal siblings (independent draws may repeat a token) are one place: their children
 * were all drawn from the same q, so together they are simply more drafts.
 */
export function holding(tree: DraftTree, nodes: readonly number[], token: number): number[] {
  return nodes.filter((node) => tree.tokens[node] === token);
}

/** The nodes from below the root down to `node`; empty for −1. */
export function pathTo(tree: DraftTree, node: number): Int32Array {
  const path: number[] = [];
  for (let at = node; at >= 0; at = tree.parents[at]) path.push(at);
  return Int32Array.from(path.reverse());
}

/** Where a walk stands. */
export interface TreePlace {
  /** The row of the target's scores. */
  readonly row: number;
  /** The tokens drafted here; none at a leaf. */
  readonly drafts: readonly number[];
  /** What they were drawn from, as the drafter gave it; undefined at a leaf and under the law `point`. */
  readonly drawn: Distribution | undefined;
}

/**
 * Walks from the root down: `say` gives the token that is said at a place, and the walk goes on below the child that
 * holds it, or ends. Equal siblings count as one place.
 */
export function walkDown(tree: DraftTree, say: (place: TreePlace) => number): Verdict {
  let here = [-1];
  while (true) {
    const children = childrenOf(tree, here);
    const token = say({
      row: here[0] + 1,
      drafts: children.map((node) => tree.tokens[node]),
      // The place's q is that of whichever equal sibling has children; all of them agree.
      drawn: children.length === 0 ? undefined : tree.q(tree.parents[children[0]]),
    });
    const said = holding(tree, children, token);
    if (said.length === 0) return { path: pathTo(tree, here[0]), next: token };
    here = said;
  }
}

/**
 * The longest path of nodes that stand; of equally long ones the likeliest, of equally likely ones the first. `judge`
 * gives how likely each of the tokens drafted at a row is, 0 where it does not stand; it is asked once per row.
 */
export function longestStanding(
  tree: DraftTree,
  judge: (row: number, tokens: readonly number[]) => ArrayLike<number>,
): number {
  let best = { node: -1, depth: 0, likelihood: 0 };
  const visit = (at: typeof best): void => {
    if (at.depth > best.depth || (at.depth === best.depth && at.likelihood > best.likelihood)) best = at;
    const children = childrenOf(tree, [at.node]);
    if (children.length === 0) return;
    const likely = judge(at.node + 1, children.map((node) => tree.tokens[node]));
    children.forEach((node, i) => {
      if (likely[i] > 0) visit({ node, depth: at.depth + 1, likelihood: at.likelihood + Math.log(likely[i]) });
    });
  };
  visit(best);
  return best.node;
}
