// How a token-level rule is walked down a draft tree. Shared by the rules of this folder; not a method of its own.
//
// A token-level rule turns the target's p and the drafted children of one node into one token distributed as p. If that
// token is one of the children the walk goes on below it, else it ends the round. This is lossless whatever the step
// does with the children: what hangs below a child was drawn independently of what made the step choose it.
import type { Scores } from "../../src/backend.ts";
import type { Chance } from "../../src/chance.ts";
import { type Distribution, normalise, point } from "../../src/distribution.ts";
import type { Verdict, VerificationRule } from "../../src/rule.ts";
import type { DraftLaw, DraftTree } from "../../src/tree.ts";

/** The children of one place of a tree, in the order drawn, with what they were drawn from. */
export interface Siblings {
  /** The target's distribution, renormalised. */
  readonly p: Distribution;
  /** The draft's, renormalised. Under the law `point` all of it is on the first child. */
  readonly q: Distribution;
  /** The children's tokens, at least one. */
  readonly drafts: readonly number[];
  readonly law: DraftLaw;
}

/** Returns a token distributed as p over the draws of the children and of `chance`. */
export type Step = (siblings: Siblings, chance: Chance) => number;

/** Children of all `parents` (−1: the root), in the order drawn. */
export function childrenOf(tree: DraftTree, parents: readonly number[]): number[] {
  const children: number[] = [];
  for (let node = 0; node < tree.tokens.length; node++) {
    if (parents.includes(tree.parents[node])) children.push(node);
  }
  return children;
}

/** The nodes from below the root down to `node`; empty for −1. */
export function pathTo(tree: DraftTree, node: number): Int32Array {
  const path: number[] = [];
  for (let at = node; at >= 0; at = tree.parents[at]) path.push(at);
  return Int32Array.from(path.reverse());
}

/**
 * Walks `step` from the root down. Equal siblings (independent draws may repeat a token) count as one place: their
 * children were all drawn from the same q, so together they are simply more drafts.
 */
export function walk(tree: DraftTree, scores: Pick<Scores, "distribution">, chance: Chance, step: Step): Verdict {
  let here = [-1];
  while (true) {
    const p = normalise(scores.distribution(here[0] + 1));
    const children = childrenOf(tree, here);
    if (children.length === 0) return { path: pathTo(tree, here[0]), next: chance.pick(p) };
    const drafts = children.map((node) => tree.tokens[node]);
    // The place's q is that of whichever equal sibling has children; all of them agree.
    const drawn = tree.q(tree.parents[children[0]]);
    const q = drawn === undefined ? point(p.vocab, drafts[0]) : normalise(drawn);
    const token = step({ p, q, drafts, law: tree.law }, chance);
    const accepted = children.filter((node) => tree.tokens[node] === token);
    if (accepted.length === 0) return { path: pathTo(tree, here[0]), next: token };
    here = accepted;
  }
}

/** The single-draft acceptance min(1, p/q), safe at the ends: a token that the target cannot say is never kept. */
export function acceptance(p: number, q: number): number {
  if (!(p > 0)) return 0;
  return p >= q ? 1 : p / q;
}

/** A rule from a step. */
export function tokenLevel(name: string, laws: readonly DraftLaw[], step: Step, lossless = true): VerificationRule {
  return { name, lossless, laws, verify: (tree, scores, chance) => walk(tree, scores, chance, step) };
}
