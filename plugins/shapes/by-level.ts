// Chosen trees grown level by level, one pass of the proposer each. What dynamic and opt-tree share; not a shape of its
// own.
import { top } from "../../src/math/distribution.ts";
import type { Plan } from "../../src/controller.ts";
import type { Proposer } from "../../src/drafter.ts";
import { prune } from "../../src/draft/tree-edit.ts";
import type { DraftTree } from "../../src/tree.ts";
import { Growing } from "./growing.ts";

/** Paths continued in all: a draft model runs so many rows at once wherever it runs. */
const MOST_ASKED = 96;

export interface ByLevel {
  /** Most paths that a level continues, and most tokens by which it continues each. */
  readonly paths: number;
  /** Ends with the first level that adds no more than this to the expected acceptance, > 0; absent: nothing ends. */
  readonly gain?: number;
}

/** Of all nodes that were looked at, the `plan.nodes` likeliest given their paths. */
export async function growByLevel(
  proposer: Proposer,
  plan: Plan,
  { paths, gain = -1 }: ByLevel,
): Promise<DraftTree> {
  const growing = new Growing(proposer, { ...plan, nodes: Infinity });
  // A child is never likelier than its parent, and of equals the one that stands first wins: what stays is a tree.
  const byValue = (a: number, b: number) => growing.value(b) - growing.value(a) || a - b;
  let level = [-1];
  let best: number[] = []; // of all nodes so far, as many as may stay
  let expected = 0;
  let asked = 0;
  for (let depth = 0; depth < plan.depth && level.length > 0; depth++) {
    await growing.ask(level);
    asked += level.length;
    const next: number[] = [];
    for (const node of level) {
      const q = growing.q(node);
      if (q !== undefined) next.push(...top(q, paths).map((token) => growing.add(node, token)));
    }
    best = [...best, ...next].sort(byValue).slice(0, plan.nodes);
    const before = expected;
    expected = best.reduce((sum, node) => sum + growing.value(node), 0);
    if (expected - before <= gain) break;
    // Below a node that does not stay nothing does, so it need not be continued either.
    const stays = new Set(best);
    level = next.filter((node) => stays.has(node)).sort(byValue).slice(0, Math.min(paths, MOST_ASKED - asked));
  }
  const kept = new Set(best);
  return prune(growing.tree("point"), (node) => kept.has(node));
}
