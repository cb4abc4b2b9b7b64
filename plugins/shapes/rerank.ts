// The likeliest nodes of a grown tree, as a tree. Used by the shape dynamic; not a shape of its own.
import { prune } from "../../src/tree-edit.ts";
import type { DraftTree } from "../../src/tree.ts";
import type { Growing } from "./growing.ts";

/**
 * The `count` nodes of the highest cumulative confidence, siblings likeliest first, law `point`. A child is never
 * likelier than its parent, so with ties going to the node that stands first what is kept is a tree.
 */
export function keepBest(growing: Growing, count: number): DraftTree {
  const ranked = growing.tokens.map((_, node) => node)
    .sort((a, b) => growing.value(b) - growing.value(a) || a - b);
  const kept = new Set(ranked.slice(0, count));
  return prune(growing.tree("point"), (node) => kept.has(node));
}
