// A tree shape turns what a proposer finds likely into a draft.
import type { Chance } from "./chance.ts";
import type { Plan, Round } from "./controller.ts";
import type { Proposer } from "./drafter.ts";
import type { DraftLaw, DraftTree } from "./tree.ts";

/**
 * For example, two independent children of the root (docs/examples/siblings.ts, law `iid`): with q = (0.5, 0.3, 0.2) the
 * uniform numbers 0.4 and 0.9 draw tokens 0 and 2: tokens [0, 2] under parents [−1, −1], and q(−1) is q.
 */
export interface TreeShape {
  readonly name: string;
  /** How children are drawn. Under every law but `beam`, how many is settled before the first of them is drawn. */
  readonly law: DraftLaw;
  /** True: one child per node, so at temperature 0 the proposer's likeliest token is all it needs. */
  readonly single?: true;
  /** At most `plan.nodes` nodes and `plan.depth` deep; fewer where the proposer has no more to say. */
  grow(proposer: Proposer, plan: Plan, chance: Chance): Promise<DraftTree>;
  /** A new text starts, or a tree was verified that it did not grow: what was kept for the next one is of no use. */
  begin?(): void;
  /** For shapes that learn what is accepted: the tree is what it grew last, or a part of that. */
  observe?(round: Round): void;
}
