// A tree shape turns what a proposer finds likely into a draft.
import type { Chance } from "./chance.ts";
import type { Plan, Round } from "./controller.ts";
import type { Proposer } from "./drafter.ts";
import type { DraftLaw, DraftTree } from "./tree.ts";

export interface TreeShape {
  readonly name: string;
  /** How children are drawn. Under every law but `beam`, how many is settled before the first of them is drawn. */
  readonly law: DraftLaw;
  /** True: one child per node, so at temperature 0 the proposer's likeliest token is all it needs. */
  readonly single?: true;
  /** At most `plan.nodes` nodes and `plan.depth` deep; fewer where the proposer has no more to say. */
  grow(proposer: Proposer, plan: Plan, chance: Chance): Promise<DraftTree>;
  /** A new text starts. */
  begin?(): void;
  /** For shapes that learn what is accepted. */
  observe?(round: Round): void;
}
