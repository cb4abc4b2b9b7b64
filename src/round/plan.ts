// plan: what the controller wants drafted, within what budget, context and engine leave.
import type { Engine } from "../backend.ts";
import type { Plan } from "../controller.ts";
import type { GenerateOptions } from "../generation.ts";

/** Decode plainly. */
export const NO_PLAN: Plan = { nodes: 0, depth: 0 };

/** `length`: tokens committed. `remaining`: tokens that may still be generated, at least 1. */
export function planRound(
  { engine, drafter, controller }: Pick<GenerateOptions, "engine" | "drafter" | "controller">,
  length: number,
  remaining: number,
): { readonly plan: Plan; readonly chosePlain: boolean } {
  if (drafter.laws.length === 0) return { plan: NO_PLAN, chosePlain: false };
  const wanted = controller.plan({ length, remaining, cost: (width) => engine.cost(width) });
  return { plan: clip(wanted, remaining, length, engine), chosePlain: wanted.nodes === 0 };
}

/** The root takes one row of the pass, and one token of the target's own follows whatever is accepted. */
function clip(plan: Plan, remaining: number, length: number, engine: Engine): Plan {
  const nodes = Math.min(plan.nodes, engine.maxRows - 1, engine.context - length);
  const depth = Math.min(plan.depth, remaining - 1, nodes);
  return depth > 0 ? { ...plan, nodes, depth } : NO_PLAN;
}
