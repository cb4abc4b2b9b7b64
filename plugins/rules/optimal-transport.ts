// optimal-transport: keep as much of one place as any rule can, by solving the transport between drafts and target.
// SpecTr: Fast Speculative Decoding via Optimal Transport (Sun et al., 2023, arXiv 2310.15141), section 4. The oracle
// for every other rule of one place; the programme grows with the number of draft sets, so it is refused beyond a size.
//
// Given the set of drafts, keep one of them (or none) as the solution says; where none is kept, draw from what the
// target still owes, p minus all that is kept. Of the programme's many solutions the paper takes any; here it is one
// that keeps the eldest draft as often as can be, because in trees most hangs below it (src/math/transport.ts).
import { type Distribution, excess, mass, normalise } from "../../src/math/distribution.ts";
import {
  type DraftSet,
  draftSets,
  loadTransport,
  type Solver,
  takenBy,
  type TransportLaw,
} from "../../src/math/transport.ts";
import { HunchError } from "../../src/errors.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { type Siblings, tokenLevel } from "./walk.ts";

/** Most sets of drafts of one place, e.g. 60 tokens with two drafts or 20 with three. */
export const MOST_SETS = 2000;

/** What to do at one place. */
interface Plan {
  readonly sets: ReadonlyMap<string, PlannedSet>;
  readonly owed: Distribution;
}

interface PlannedSet {
  readonly tokens: readonly number[];
  /** By token: how often it is kept where it is the eldest; and how often where the eldest was not kept as such. */
  readonly eldest: readonly number[];
  readonly other: readonly number[];
}

function makePlan({ p, q, drawn, drafts, law }: Siblings, solve: Solver): Plan {
  const sets = draftSets(law === "iid" ? q : drawn, law as TransportLaw, drafts.length, MOST_SETS);
  if (sets === undefined) {
    throw new HunchError(
      "usage",
      `the rule optimal-transport handles up to ${MOST_SETS} sets of drafts, here q allows more`,
      { hint: "truncate the sampling, e.g. --top-k 40, or use the rule importance, recursive or top-and-one" },
    );
  }
  const transport = solve(p, sets);
  const left = excess(p, { vocab: p.vocab, probabilities: takenBy(p.vocab, sets, transport) });
  return {
    sets: new Map(sets.map((set, s) => [set.tokens.join(), shares(set, transport.eldest[s], transport.other[s])])),
    owed: mass(left) > 0 ? normalise(left) : p,
  };
}

/** A set's part of the solution, as shares of how often it comes to each decision. */
function shares({ tokens, eldest }: DraftSet, asEldest: readonly number[], asOther: readonly number[]): PlannedSet {
  const share = (value: number, of: number) => of > 0 ? value / of : 0;
  const left = eldest.reduce((sum, value, i) => sum + Math.max(0, value - asEldest[i]), 0);
  return {
    tokens,
    eldest: asEldest.map((value, i) => share(value, eldest[i])),
    other: asOther.map((value) => share(value, left)),
  };
}

/** The rule with its solver loaded. Plans of equal places are kept, for the proof visits each very often. */
export function optimalTransport(solve: Solver): VerificationRule {
  const plans = new Map<string, Plan>();
  const planFor = (siblings: Siblings): Plan => {
    const { p, drawn, drafts, law } = siblings;
    const key = [law, drafts.length, ...[p, drawn].flatMap((d) => [d.tokens ?? "", d.probabilities])].join(" ");
    let plan = plans.get(key);
    if (plan === undefined) {
      if (plans.size >= 512) plans.clear();
      plans.set(key, plan = makePlan(siblings, solve));
    }
    return plan;
  };
  return tokenLevel("optimal-transport", ["iid", "distinct", "top-and-one"], (siblings, chance) => {
    const { sets, owed } = planFor(siblings);
    const drafted = [...new Set(siblings.drafts)].sort((a, b) => a - b);
    const set = sets.get(drafted.join());
    if (set === undefined) return chance.pick(owed); // too unlikely to count
    const [first] = siblings.drafts;
    if (chance.flip(set.eldest[set.tokens.indexOf(first)])) return first;
    // One token of the set or none, by one flip after the other, each given that the ones before it said no.
    let rest = 1;
    for (const [i, keep] of set.other.entries()) {
      if (chance.flip(rest > 0 ? keep / rest : 0)) return set.tokens[i];
      rest -= keep;
    }
    return chance.pick(owed);
  });
}

export default definePlugin({
  kind: "rule",
  name: "optimal-transport",
  summary: "the most that any rule can keep of one place, by linear programming; small vocabularies",
  paper: { title: "SpecTr: Fast Speculative Decoding via Optimal Transport", year: 2023, arxiv: "2310.15141" },
  create: async () => optimalTransport(await loadTransport()),
});
