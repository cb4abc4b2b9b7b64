// Trees whose form is settled before anything is drafted. What static and sequoia share; not a shape of its own.
import type { Chance } from "../../src/chance.ts";
import type { Plan } from "../../src/controller.ts";
import type { Proposer } from "../../src/drafter.ts";
import type { DraftTree } from "../../src/tree.ts";
import { Growing } from "./growing.ts";
import { growLevels } from "./levels.ts";

/** The form of a tree: the parent of each node, −1 ≤ parents[i] < i. Siblings stand by rank: likeliest, or drawn, first. */
export type Skeleton = readonly number[];

/** How a skeleton gets its tokens: the likeliest by rank (law `point`), or draws without replacement. */
export type Flesh = "point" | "distinct";

/** Cut down to the plan: what stands first in the skeleton stays. */
export async function growSkeleton(
  skeleton: Skeleton,
  law: Flesh,
  proposer: Proposer,
  plan: Plan,
  chance: Chance,
): Promise<DraftTree> {
  const children = new Map<number, number[]>();
  skeleton.slice(0, plan.nodes).forEach((parent, i) => {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [i]);
    else siblings.push(i);
  });
  const growing = new Growing(proposer, plan);
  const form = new Map([[-1, -1]]); // node of the tree → node of the skeleton
  const below = (node: number) => children.get(form.get(node)!) ?? [];
  await growLevels(growing, (node) => below(node).length, (node, count) => {
    const drawn = law === "point" ? growing.addLikeliest(node, count) : growing.addDistinct(node, count, chance);
    drawn.forEach((child, rank) => form.set(child, below(node)[rank]));
    return drawn;
  });
  return growing.tree(law);
}
