// The ends of what a generator can return: whatever the numbers, no rule says what the target excludes.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { alignment } from "../../plugins/rules/alignment.ts";
import { lenient } from "../../plugins/rules/lenient.ts";
import { neighbour } from "../../plugins/rules/neighbour.ts";
import { typical } from "../../plugins/rules/typical.ts";
import { SeededChance, UniformChance } from "../../src/chance.ts";
import { Rows, TableScores } from "../../src/check/case.ts";
import { KINDS, makeCase, Random, treeShapes } from "../../src/check/generate-cases.ts";
import { drawTree } from "../../src/check/laws.ts";
import { normalise, probability } from "../../src/math/distribution.ts";
import { losslessRules } from "./rules.ts";

const ENDS = [0, Number.MIN_VALUE, 2 ** -53, 0.5, 1 - 2 ** -53, 1];
const relaxed = [typical(0.09, 0.3), lenient(0.5, 0), alignment(1), neighbour(2, 0.3, (a, b) => -Math.abs(a - b))];

for (const rule of [...await losslessRules(), ...relaxed]) {
  test(`${rule.name} says no token of probability 0 at the ends of the generator's range`, () => {
    const shapes = treeShapes({ vocab: 4, drafts: 2, depth: 2, nodes: 5 }, new Random(new SeededChance("ends")));
    fc.assert(
      fc.property(
        fc.constantFrom(...rule.laws),
        fc.constantFrom("mixed", ...Object.keys(KINDS)),
        fc.constantFrom(...shapes),
        fc.nat(),
        fc.array(fc.constantFrom(...ENDS), { minLength: 1, maxLength: 8 }),
        (law, kind, parents, seed, numbers) => {
          const of = makeCase(kind, law, 4, parents, new Random(new SeededChance(seed)));
          const rows = new Rows(of, rule.greedy === true);
          let at = 0;
          const chance = new UniformChance(() => numbers[at++ % numbers.length]);
          const tree = drawTree(rows, chance);
          const scores = new TableScores(rows, tree);
          const { path, next } = rule.verify(tree, scores, chance);
          const says = (row: number, token: number) =>
            assert.ok(probability(scores.distribution(row), token) > 0, `token ${token} in row ${row}`);
          for (const node of path) {
            if (rule.lossless) says(tree.parents[node] + 1, tree.tokens[node]);
          }
          says(path.length === 0 ? 0 : path[path.length - 1] + 1, next);
          assert.ok(normalise(scores.distribution(0)).probabilities.every((value) => value >= 0));
        },
      ),
      { seed: 1, numRuns: 150 },
    );
  });
}
