// Peaked rows, on which lossless rules were not: every power of ten down to denormals, and vocabularies of 50,000.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededChance } from "../../src/chance.ts";
import { enumerateRule } from "../../src/check/enumerate.ts";
import { LEAST_POWER, peakedCases, Random } from "../../src/check/generate-cases.ts";
import { parseCase } from "../../src/check/case-file.ts";
import { EXACT, proveRule } from "../../src/check/prove.ts";
import { wideFailureLines } from "../../src/check/report.ts";
import { enumerateWide, wideCases } from "../../src/check/wide.ts";
import { argmax, type Distribution, mass, probability, residual } from "../../src/math/distribution.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { match } from "../../plugins/rules/match.ts";
import { acceptance, tokenLevel } from "../../plugins/rules/walk.ts";
import { losslessRules } from "./rules.ts";

const rules = (await losslessRules()).filter(({ greedy }) => !greedy);
const REMOVING = ["distinct", "top-and-one", "beam"] as const;

for (const rule of rules) {
  for (const law of REMOVING.filter((law) => rule.laws.includes(law))) {
    test(`${rule.name} is lossless for the law ${law} whatever a peak leaves to the others`, () => {
      const random = new Random(new SeededChance("peaks"));
      for (let power = 1; power <= LEAST_POWER; power += power < 20 ? 1 : 8) {
        for (const of of peakedCases(law, Math.min(3, rule.maxSiblings ?? 3), power, random)) {
          const { totalVariation, broken } = enumerateRule(of, rule);
          assert.ok(
            broken === undefined && totalVariation < 4e-15,
            `${of.kind} 1e-${power}: ${broken ?? totalVariation}`,
          );
        }
      }
    });
  }
}

/** Every other case: all of them are for `hunch check`. */
function* fewWide(law: "distinct" | "iid" | "top-and-one") {
  let turn = 0;
  for (const of of wideCases(law, new Random(new SeededChance("wide")))) if (turn++ % 3 === 0) yield of;
}

/** These sort the vocabulary or count sets of it, so that chance would have to be followed token by token. */
const NOT_WIDE = ["importance", "optimal-transport"];

for (const rule of rules) {
  for (const law of (["iid", "distinct", "top-and-one"] as const).filter((law) => rule.laws.includes(law))) {
    test(`${rule.name} is lossless for the law ${law} at a vocabulary of 50,000`, () => {
      for (const of of fewWide(law)) {
        const totalVariation = enumerateWide(of, rule, EXACT);
        if (NOT_WIDE.includes(rule.name)) return assert.equal(totalVariation, undefined);
        assert.ok(totalVariation! < 4e-15, `${of.kind}: ${totalVariation}`);
      }
    });
  }
}

/** The rule `recursive` for draws without replacement, with its own sum of what is left of q. */
function summing(sum: (d: Distribution) => number): VerificationRule {
  return tokenLevel("summing", ["distinct"], ({ p, drawn, drafts }, chance) => {
    let owed = p;
    const left = { ...drawn, probabilities: drawn.probabilities.slice() };
    for (const x of drafts) {
      const all = sum(left);
      if (!(all > 0)) break;
      const q = { ...left, probabilities: left.probabilities.map((value) => value / all) };
      if (chance.flip(acceptance(probability(owed, x), probability(q, x)))) return x;
      owed = residual(owed, q);
      left.probabilities[x] = 0;
    }
    return chance.pick(owed);
  });
}

test("sums in units of 2^-52 fail at a vocabulary of 50,000, and exact ones in their place do not", () => {
  const inUnits = (d: Distribution) => d.probabilities.reduce((sum, value) => sum + ((value + 1) - 1), 0);
  const all = [...wideCases("distinct", new Random(new SeededChance("wide")))];
  const worst = (rule: VerificationRule) => Math.max(...all.map((of) => enumerateWide(of, rule, EXACT)!));
  assert.ok(worst(summing(inUnits)) > 1e-3);
  assert.ok(worst(summing(mass)) < 4e-15);
});

test("a rule that fails on large vocabularies only is refuted, with the groups of the case", () => {
  const careless: VerificationRule = {
    ...match,
    name: "careless",
    laws: ["point"],
    verify: (tree, scores, chance) =>
      scores.vocab < 100
        ? match.verify(tree, scores, chance)
        : { path: new Int32Array(0), next: argmax(scores.distribution(0)) },
  };
  const { holds, laws: [{ wideFailure, failure }] } = proveRule(careless);
  assert.ok(!holds && failure === undefined && wideFailure !== undefined);
  const lines = wideFailureLines("careless", wideFailure);
  assert.match(lines.join("\n"), /not lossless for the law point with 2 drafts .*\n {2}1 tokens with p .* and q /);
  const again = parseCase(lines[lines.length - 1].replace(/^.*?: (?={)/, ""), "printed");
  assert.deepEqual(proveRule(careless, { only: again }).laws[0].wideFailure, wideFailure);
});
