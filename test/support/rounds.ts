// Rounds for tests of drafters: what was drafted, and what came of it.
import type { Candidates } from "../../src/backend.ts";
import type { Round } from "../../src/controller.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

/** `path`: accepted nodes; after them the target says `next`. `rows`: the likeliest tokens of every row of the pass. */
export function roundOf(
  tree: DraftTree,
  path: readonly number[],
  next: number,
  rows?: readonly (readonly number[])[],
): Round {
  return {
    plan: { nodes: tree.tokens.length, depth: tree.tokens.length },
    tree,
    verdict: { path: Int32Array.from(path), next },
    committed: Int32Array.from([...path.map((node) => tree.tokens[node]), next]),
    ...rows && { candidates: rows.map(candidatesOf) },
    rows: tree.tokens.length + 1,
    draftMs: 0,
    verifyMs: 0,
  };
}

/** The tokens were decoded plainly, one after the other. */
export function saying(tokens: readonly number[]): Round {
  return { ...roundOf(EMPTY_TREE, [], tokens[tokens.length - 1]), committed: Int32Array.from(tokens) };
}

/** Candidates of falling probability. */
export function candidatesOf(tokens: readonly number[]): Candidates {
  return {
    tokens: Int32Array.from(tokens),
    probabilities: Float32Array.from(tokens, (_, rank) => 0.5 ** (rank + 1)),
  };
}

/** The tree as paths from the root, in the order of its nodes. */
export function paths({ tokens, parents }: DraftTree): number[][] {
  const all: number[][] = [];
  tokens.forEach((token, node) => all.push([...all[parents[node]] ?? [], token]));
  return all;
}
