// How a token-level rule is walked down a draft tree. Shared by the rules of this folder; not a method of its own.
//
// A token-level rule turns the target's p and the drafted children of one node into one token distributed as p. If that
// token is one of the children the walk goes on below it, else it ends the round. This is lossless whatever the step
// does with the children: what hangs below a child was drawn independently of what made the step choose it.
import type { Scores } from "../../src/backend.ts";
import type { Chance } from "../../src/chance.ts";
import { type Distribution, normalise, point } from "../../src/math/distribution.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { Verdict } from "../../src/verdict.ts";
import type { DraftLaw, DraftTree } from "../../src/tree.ts";
import { walkDown } from "../../src/draft/walk.ts";

export { childrenOf, holding, pathTo } from "../../src/draft/walk.ts";

/** The children of one place of a tree, in the order drawn, with what they were drawn from. */
export interface Siblings {
  /** The target's distribution, renormalised. */
  readonly p: Distribution;
  /** The draft's, renormalised. Under the law `point` all of it is on the first child. */
  readonly q: Distribution;
  /** The same as the drafter gave it, from which tokens are removed: to renormalise denormals costs them digits. */
  readonly drawn: Distribution;
  /** The children's tokens, at least one. */
  readonly drafts: readonly number[];
  readonly law: DraftLaw;
}

/** Returns a token distributed as p over the draws of the children and of `chance`. */
export type Step = (siblings: Siblings, chance: Chance) => number;

/** Walks `step` from the root down. */
export function walk(tree: DraftTree, scores: Pick<Scores, "distribution">, chance: Chance, step: Step): Verdict {
  return walkDown(tree, ({ row, drafts, drawn }) => {
    const p = normalise(scores.distribution(row));
    if (drafts.length === 0) return chance.pick(p);
    const from = drawn ?? point(p.vocab, drafts[0]);
    return step({ p, q: normalise(from), drawn: from, drafts, law: tree.law }, chance);
  });
}

/** The single-draft acceptance min(1, p/q), safe at the ends: a token that the target cannot say is never kept. */
export function acceptance(p: number, q: number): number {
  if (!(p > 0)) return 0;
  return p >= q ? 1 : p / q;
}

/** A place at temperature 0: the target's raw soft-max, renormalised, its likeliest token and at least one draft. */
export interface GreedyPlace {
  readonly p: Distribution;
  readonly own: number;
  readonly drafts: readonly number[];
  readonly row: number;
}

/** Walks down at temperature 0. `say` gives the token that is said at a place with drafts. */
export function walkGreedily(tree: DraftTree, scores: Scores, say: (place: GreedyPlace) => number): Verdict {
  return walkDown(tree, ({ row, drafts }) => {
    const own = scores.argmax(row);
    return drafts.length === 0 ? own : say({ p: normalise(scores.distribution(row)), own, drafts, row });
  });
}

/** A rule from a step. */
export function tokenLevel(name: string, laws: readonly DraftLaw[], step: Step, lossless = true): VerificationRule {
  return { name, lossless, laws, verify: (tree, scores, chance) => walk(tree, scores, chance, step) };
}
