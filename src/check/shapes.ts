// The losslessness proof for a tree shape and a rule together: the shape's own chance is followed through every branch,
// and the rule judges every tree that comes of it. A shape that is untrue to its law is caught here and nowhere else.
import { SeededChance } from "../chance.ts";
import { everyBranchAsync, HiddenRandomness, type Outcome } from "./every-branch.ts";
import type { Plan } from "../controller.ts";
import type { Distribution } from "../math/distribution.ts";
import type { Proposer } from "../drafter.ts";
import { HunchError } from "../errors.ts";
import type { VerificationRule } from "../rule.ts";
import type { TreeShape } from "../shape.ts";
import { type DraftTree, treeFault } from "../tree.ts";
import { type Case, Rows } from "./case.ts";
import { enumerateRule, type Exact, hiddenRandomness } from "./enumerate.ts";
import { KINDS, makeCase, Random } from "./generate-cases.ts";
import { EXACT } from "./prove.ts";

/** A proposer that reads q out of a case. Every context of up to the case's depth has a row. */
export class TableProposer implements Proposer {
  readonly vocab: number;
  readonly #rows: Rows;
  #contexts: number[] = [];
  /** Calls of `propose`: what passes would cost. */
  calls = 0;

  constructor(rows: Rows) {
    this.#rows = rows;
    this.vocab = rows.of.vocab;
  }

  /** The text before the draft is no matter of a case. */
  async sync(): Promise<void> {
    this.#contexts = [];
  }

  async propose({ tokens, parents }: { readonly tokens: Int32Array; readonly parents: Int32Array }) {
    this.calls++;
    if (tokens.length === 0) return [this.#row(0)];
    return Array.from(tokens, (token, i) => {
      const above = parents[i] < 0 ? 0 : this.#contexts[parents[i]];
      const context = above * this.vocab + token + 1;
      this.#contexts.push(context);
      return this.#row(context);
    });
  }

  #row(context: number): Distribution {
    const row = this.#rows.q[context];
    if (row === undefined) throw new RangeError(`the case has no row of q for context ${context}`);
    return row;
  }
}

/** Every tree that the shape grows on a case, equal ones together, with its probability. */
export async function everyTree(rows: Rows, shape: TreeShape, plan: Plan): Promise<Outcome<DraftTree>[]> {
  const proposer = new TableProposer(rows);
  const trees = new Map<string, { value: DraftTree; probability: number }>();
  const outcomes = await everyBranchAsync(async (chance) => {
    await proposer.sync();
    return await shape.grow(proposer, plan, chance);
  }, treeText);
  for (const { value, probability } of outcomes) {
    const key = treeText(value);
    const known = trees.get(key);
    if (known === undefined) trees.set(key, { value, probability });
    else known.probability += probability;
  }
  return [...trees.values()];
}

/** What makes a tree what it is, in words. */
export function treeText({ tokens, parents }: DraftTree): string {
  return `tokens [${tokens.join(" ")}] under [${parents.join(" ")}]`;
}

/** The exact output distribution of a shape and a rule on a case. Throws where a tree breaks the contract. */
export async function enumerateShape(of: Case, shape: TreeShape, plan: Plan, rule: VerificationRule): Promise<Exact> {
  let trees: Outcome<DraftTree>[];
  try {
    trees = await everyTree(new Rows(of, false), shape, plan);
  } catch (error) {
    if (error instanceof HiddenRandomness) return hiddenRandomness(error);
    throw error;
  }
  for (const { value } of trees) {
    const fault = value.law === shape.law
      ? treeFault(value, { vocab: of.vocab, ...plan })
      : `its law is ${value.law} and not ${shape.law}`;
    if (fault !== undefined) {
      throw new HunchError("input", `the shape ${shape.name} grew a tree that cannot be: ${fault}`);
    }
  }
  return enumerateRule(of, rule, () => trees);
}

/** A plan and a vocabulary small enough to follow every branch. */
export interface ShapeSize extends Plan {
  readonly vocab: number;
}

export const SHAPE_SIZES: readonly ShapeSize[] = [
  { vocab: 3, nodes: 4, depth: 2 },
  { vocab: 2, nodes: 5, depth: 3 },
  { vocab: 4, nodes: 3, depth: 2 },
];

/** What the cases say about a shape under a rule. Means are over cases. */
export interface ShapeReport {
  readonly shape: string;
  readonly rule: string;
  readonly cases: number;
  readonly branches: number;
  /** Greatest total variation from the target's joint distribution. */
  readonly worst: number;
  /** Mean accepted tokens of a round. */
  readonly accepted: number;
  /** The first case that is not exact. */
  readonly failure?: { readonly case: Case; readonly plan: Plan; readonly exact: Exact };
}

/**
 * Runs a shape under a rule on every kind of case. The rule must support the shape's law. Several `sizes` and `rounds`
 * take longer and see more; `seed` repeats the cases; `begin` is told before each of them is run.
 */
export async function proveShape(
  shape: TreeShape,
  rule: VerificationRule,
  { sizes = SHAPE_SIZES, rounds = 1, seed = "hunch check", begin }: {
    readonly sizes?: readonly ShapeSize[];
    readonly rounds?: number;
    readonly seed?: number | string;
    readonly begin?: (of: Case) => void;
  } = {},
): Promise<ShapeReport> {
  const random = new Random(new SeededChance(seed));
  let [cases, branches, worst, accepted] = [0, 0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    for (const kind of [...Object.keys(KINDS), "mixed"]) {
      for (const plan of sizes) {
        const levels = Array.from({ length: plan.depth }, (_, i) => i - 1); // a case as deep as the plan
        const of = makeCase(kind, shape.law, plan.vocab, levels, random);
        begin?.(of);
        const exact = await enumerateShape(of, shape, plan, rule);
        cases++;
        branches += exact.branches;
        worst = Math.max(worst, exact.totalVariation);
        if (exact.broken !== undefined || !(exact.totalVariation <= EXACT)) {
          const failure = { case: of, plan, exact };
          return { shape: shape.name, rule: rule.name, cases, branches, worst, accepted: NaN, failure };
        }
        accepted += exact.accepted;
      }
    }
  }
  return { shape: shape.name, rule: rule.name, cases, branches, worst, accepted: accepted / cases };
}
