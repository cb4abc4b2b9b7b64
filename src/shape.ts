// A tree shape turns what a proposer finds likely into a draft.
import type { Chance } from "./chance.ts";
import type { Plan } from "./controller.ts";
import type { Proposer } from "./drafter.ts";
import type { DraftLaw, DraftTree } from "./tree.ts";

export interface TreeShape {
  readonly name: string;
  readonly law: DraftLaw;
  grow(proposer: Proposer, plan: Plan, chance: Chance): Promise<DraftTree>;
}
