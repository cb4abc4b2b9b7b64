// draft: the drafter's tree, held against its contract, and cut to what the engine scores without moving a bit.
import type { Engine, Sequence } from "../backend.ts";
import type { Chance } from "../chance.ts";
import type { Plan } from "../controller.ts";
import { HunchError } from "../errors.ts";
import type { GenerateOptions } from "../generation.ts";
import { type DraftTree, EMPTY_TREE, isChain, rowParents, treeFault } from "../tree.ts";
import { prune } from "../draft/tree-edit.ts";

type Players = Pick<GenerateOptions, "engine" | "drafter" | "rule" | "sampling" | "strict">;

/**
 * `sequence`: the target's, which will score the draft. `left`: nodes that the drafter gave and the pass leaves out.
 * Throws HunchError where the drafter breaks its contract.
 */
export async function draftRound(
  players: Players,
  plan: Plan,
  chance: Chance,
  sequence: Sequence,
): Promise<{ readonly tree: DraftTree; readonly left: number }> {
  if (plan.nodes === 0) return { tree: EMPTY_TREE, left: 0 };
  const { length } = sequence;
  const drafted = await players.drafter.draft(plan, chance);
  refuseBroken(drafted, plan, players);
  if (sequence.length !== length) {
    throw broken(
      `the drafter ${players.drafter.name} left the target's sequence ${sequence.length} tokens long; it had ${length}`,
    );
  }
  const tree = promisesText(players) ? exactPart(drafted, players.engine, sequence) : drafted;
  return { tree, left: drafted.tokens.length - tree.tokens.length };
}

/** Whether the text of plain decoding is promised: to who decodes greedily, or by a rule for which drafts do not matter. */
function promisesText({ rule, sampling, strict = true }: Players): boolean {
  return strict && rule.lossless && (sampling.temperature === 0 || rule.independent === true);
}

/** What of a tree the engine scores to the last bit as plain decoding would; beyond, a near-tie may fall otherwise. */
function exactPart(tree: DraftTree, engine: Engine, sequence: Sequence): DraftTree {
  if (engine.can.exact !== "trees") return eldestChain(tree);
  const rows = sequence.exactRows?.(rowParents(tree)) ?? Infinity;
  return rows > tree.tokens.length ? tree : prune(tree, (node) => node + 1 < rows);
}

/** The root's eldest child, that one's eldest child, and so on. */
export function eldestChain(tree: DraftTree): DraftTree {
  let last = -1;
  return isChain(tree) ? tree : prune(tree, (node) => {
    if (tree.parents[node] !== last) return false;
    last = node;
    return true;
  });
}

function refuseBroken(tree: DraftTree, plan: Plan, { engine, drafter, rule }: Players): void {
  if (tree.tokens.length === 0) return;
  const fault = treeFault(tree, { ...plan, vocab: engine.source.spec.vocab });
  if (fault !== undefined) throw broken(`the drafter ${drafter.name} gave a draft that cannot be: ${fault}`);
  if (!rule.laws.includes(tree.law)) {
    throw broken(
      `the drafter ${drafter.name} gave a draft of law ${tree.law}, which the rule ${rule.name} cannot judge`,
    );
  }
  if (!engine.can.tree && !isChain(tree)) {
    throw new HunchError("unavailable", `${engine.name} cannot score the draft trees of ${drafter.name}`, {
      hint: "use a drafter or shape that draws chains, or another backend",
    });
  }
}

/** A plugin did what its contract rules out. */
export function broken(message: string): HunchError {
  return new HunchError("input", message, { hint: "the plugin breaks its contract" });
}
