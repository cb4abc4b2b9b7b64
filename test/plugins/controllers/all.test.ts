// What holds of every controller: plans within bounds, the same text, drafts true to their law, free rows used.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BanditController } from "../../../plugins/controllers/bandit.ts";
import { confidence } from "../../../plugins/controllers/confidence.ts";
import { CostController } from "../../../plugins/controllers/cost.ts";
import { entropy } from "../../../plugins/controllers/entropy.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { GoodputController } from "../../../plugins/controllers/goodput.ts";
import { SpecDecController } from "../../../plugins/controllers/specdec++.ts";
import { SpecKvController } from "../../../plugins/controllers/speckv-gamma.ts";
import { LookupDrafter } from "../../../plugins/drafters/lookup.ts";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { greedy } from "../../../plugins/rules/greedy.ts";
import { match } from "../../../plugins/rules/match.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { iid } from "../../../plugins/shapes/iid.ts";
import { gumbel } from "../../../plugins/shapes/gumbel.ts";
import { topK } from "../../../plugins/shapes/top-k.ts";
import { beam } from "../../../plugins/shapes/beam.ts";
import { SeededChance } from "../../../src/chance.ts";
import { EXACT } from "../../../src/check/prove.ts";
import { proveShape } from "../../../src/check/shapes.ts";
import type { Controller, Plan } from "../../../src/controller.ts";
import { type Distribution, probability, sparse } from "../../../src/math/distribution.ts";
import { complete } from "../../../src/round/generate.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import { chainTree } from "../../../src/tree.ts";
import { losslessRules } from "../../rules/rules.ts";
import { optionsOf } from "../../support/options.ts";
import { hashed, TableEngine } from "../../support/table-engine.ts";

const MOST = 12;

/** New ones: most of them learn. */
const all = (): Controller[] => [
  fixed(4),
  new CostController(MOST),
  new GoodputController(MOST),
  new BanditController(MOST, new SeededChance(1)),
  confidence(0.5, MOST),
  entropy(0.9, MOST),
  new SpecDecController(0.6, MOST),
  new SpecKvController(MOST),
  new BanditController(MOST, new SeededChance(1), true),
  confidence(0.5, MOST, true),
  entropy(0.9, MOST, true),
  new SpecDecController(0.6, MOST, true),
  new SpecKvController(MOST, true),
];

test("plans stay within bounds whatever happens", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 30, noNaN: true }),
      fc.double({ min: 0, max: 30, noNaN: true }),
      (seed, right, slope, draftMs) => {
        const cost = (width: number) => 10 + slope * Math.max(2, width);
        for (const controller of all()) {
          for (let round = 0; round < 60; round++) {
            const state = { length: 10, remaining: 100, cost: round < 2 ? () => NaN : cost };
            const plan = controller.plan(state);
            assert.ok(Number.isInteger(plan.nodes) && plan.nodes >= 0 && plan.nodes <= MOST, controller.name);
            assert.ok(Number.isInteger(plan.depth) && plan.depth >= 0 && plan.depth <= plan.nodes);
            assert.equal(plan.depth === 0, plan.nodes === 0);
            const size = Math.floor(hashed(seed, round) * (plan.depth + 1));
            let accepted = 0;
            while (accepted < size && hashed(seed, round, accepted) < right) accepted++;
            controller.observe({
              plan,
              tree: chainTree(new Int32Array(size)),
              verdict: { path: Int32Array.from({ length: accepted }, (_, node) => node), next: 0 },
              committed: new Int32Array(accepted + 1),
              rows: size + 1,
              draftMs: draftMs * size,
              verifyMs: cost(size + 1),
            });
          }
        }
      },
    ),
    { numRuns: 20 },
  );
});

test("the row that pads a lone row is never left empty by a drafter that costs nothing", () => {
  const cost = (width: number) => 10 * Math.max(2, width);
  for (const controller of all()) {
    for (let round = 0; round < 300; round++) {
      const plan = controller.plan({ length: 10, remaining: 100, cost });
      assert.ok(plan.nodes >= 1, `${controller.name} in round ${round}`);
      controller.observe({
        plan,
        tree: chainTree(new Int32Array(plan.depth)),
        verdict: { path: new Int32Array(0), next: 0 },
        committed: new Int32Array(1),
        rows: plan.depth + 1,
        draftMs: 0.01,
        verifyMs: cost(plan.depth + 1),
      });
    }
  }
});

test("text is the same with every controller, greedy and for a seed", async () => {
  for (const seed of [1, 2]) {
    const engine = new TableEngine({ seed, cost: (width) => 5 + Math.max(2, width) });
    await engine.calibrate();
    const worse = new TableEngine({ seed, order: 1 });
    for (const [rule, sampling] of [[greedy, {}], [match, { temperature: 0.8, topP: 0.9 }]] as const) {
      const common = { engine, rule, sampling, seed, maxTokens: 80 };
      const plain = await complete(optionsOf(common));
      for (const shape of [chain, topK([2, 1])]) {
        for (const controller of all()) {
          const model = new ProposedDrafter("model", new ModelProposer(worse), shape);
          for (const drafter of [new LookupDrafter(8, 1), model]) {
            const { tokens } = await complete(optionsOf({ ...common, controller, drafter }));
            assert.deepEqual(tokens, plain.tokens, `${controller.name} with ${drafter.name}`);
          }
        }
      }
    }
  }
});

const STOPPING: readonly (readonly [string, () => Controller])[] = [
  ["confidence", () => confidence(0.6, MOST)],
  ["entropy", () => entropy(0.75, MOST)],
  ["specdec++", () => new SpecDecController(0.55, MOST)],
  ["confidence?published", () => confidence(0.6, MOST, true)],
  ["entropy?published", () => entropy(0.75, MOST, true)],
  ["specdec++?published", () => new SpecDecController(0.55, MOST, true)],
  ["specdec++?hidden", () => watched(new SpecDecController(0.55, MOST, false, true))],
];

/** What stands for a hidden state in proofs. */
const stateOf = (q: Distribution) => Float32Array.of(probability(q, 0) - 0.4, probability(q, 1) - 0.4);

/** It has seen drafts that are accepted where the first token is likely, and refused elsewhere. */
function watched(controller: SpecDecController): SpecDecController {
  for (let round = 0; round < 100; round++) {
    const likely = round % 2;
    const q = sparse(2, [0, 1], likely ? [0.8, 0.2] : [0.3, 0.7]);
    const plan = controller.plan();
    plan.goOn!(q, 1, () => stateOf(q));
    controller.observe({
      plan,
      tree: chainTree([0]),
      verdict: { path: Int32Array.from({ length: likely }, (_, node) => node), next: 0 },
      committed: new Int32Array(1),
      rows: 2,
      draftMs: 1,
      verifyMs: 10,
    });
  }
  return controller;
}

for (const [name, make] of STOPPING) {
  test(`drafts that ${name} stops keep the target's law under every rule`, async () => {
    const rules = (await losslessRules()).filter((rule) => !rule.greedy);
    for (const shape of [chain, iid(2), gumbel([2, 1]), beam(2)]) {
      for (const rule of rules.filter((rule) => rule.laws.includes(shape.law))) {
        const plan = make().plan({ length: 9, remaining: 99, cost: () => NaN });
        const goOn: Plan["goOn"] = (q, depth) => plan.goOn!(q, depth, () => stateOf(q));
        const sizes = shape === chain
          ? [{ vocab: 3, nodes: 2, depth: 2, goOn }, { vocab: 2, nodes: 3, depth: 3, goOn }]
          : [{ vocab: 2, nodes: 4, depth: 2, goOn }];
        const { failure, worst } = await proveShape(shape, rule, { seed: name, sizes });
        const complaint = failure &&
          `${shape.name}, ${rule.name}: ${failure.exact.broken ?? failure.exact.totalVariation}`;
        assert.equal(complaint, undefined);
        assert.ok(worst <= EXACT);
      }
    }
  });
}
