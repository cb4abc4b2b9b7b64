// Controllers as their papers have them, beside what this project makes of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BanditController } from "../../../plugins/controllers/bandit.ts";
import { confidence } from "../../../plugins/controllers/confidence.ts";
import { entropy } from "../../../plugins/controllers/entropy.ts";
import { SpecDecController } from "../../../plugins/controllers/specdec++.ts";
import { SpecKvController } from "../../../plugins/controllers/speckv-gamma.ts";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { SpineDrafter } from "../../../plugins/drafters/spine.ts";
import { LookupDrafter } from "../../../plugins/drafters/lookup.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { topK } from "../../../plugins/shapes/top-k.ts";
import { SeededChance } from "../../../src/chance.ts";
import type { Controller, Plan, State } from "../../../src/controller.ts";
import {
  dense,
  type Distribution,
  entropy as entropyOf,
  overlap,
  point,
  totalVariation,
} from "../../../src/math/distribution.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import { tempered } from "../../../src/draft/raw.ts";
import { GREEDY } from "../../../src/sampling.ts";
import { chainTree } from "../../../src/tree.ts";
import { TableEngine } from "../../support/table-engine.ts";

const state = (cost: State["cost"]): State => ({ length: 10, remaining: 1000, cost });
const sure = dense([0.96, 0.02, 0.02]);
const torn = dense([0.4, 0.3, 0.3]);

/** How many tokens are drafted where so many places are sure before the first torn one. */
async function drafted(controller: Controller, surePlaces: number): Promise<number> {
  let asked = 0;
  const proposer = {
    vocab: 3,
    sync: () => Promise.resolve(),
    propose: () => Promise.resolve([asked++ < surePlaces ? sure : torn]),
  };
  const tree = await chain.grow(proposer, controller.plan(state(() => 1)), new SeededChance(1));
  return tree.tokens.length;
}

test("the papers draft the doubtful token and then stop; otherwise drafting stops before it, the first aside", async () => {
  const all: [name: string, make: (published: boolean) => Controller][] = [
    ["confidence", (published) => confidence(0.9, 8, published)],
    ["entropy", (published) => entropy(0.6, 8, published)],
    ["specdec++", (published) => new SpecDecController(0.4, 8, published)],
  ];
  for (const [name, make] of all) {
    const lengths = async (published: boolean) => [
      await drafted(make(published), 0),
      await drafted(make(published), 1),
      await drafted(make(published), 3),
    ];
    const [own, papers] = [await lengths(false), await lengths(true)];
    if (name === "specdec++") { // refusals add up, so it may stop while all is sure
      assert.equal(own[0], 1);
      own.forEach((length, i) =>
        assert.ok(i === 0 ? papers[i] === 1 : papers[i] === length + 1, `${own} and ${papers}`)
      );
    } else {
      assert.deepEqual([name, own, papers], [name, [1, 1, 3], [1, 2, 4]]);
    }
  }
});

test("as published, doubt is about the drafter's soft-max, whatever is sampled from", async () => {
  const engine = new TableEngine({ seed: 2, spread: 2 }); // never sure
  const sampling = { ...GREEDY, temperature: 0.5, topK: 3 };
  const text = Int32Array.of(1, 2, 3);
  for (const shape of [chain, topK([2, 1])]) {
    const seen: Distribution[] = [];
    const draft = async (raw: boolean) => {
      const drafter = new ProposedDrafter("model", new ModelProposer(engine), shape);
      drafter.begin(text, sampling);
      const goOn = (q: Distribution) => seen.push(q) > 0;
      const plan: Plan = { nodes: 5, depth: 3, goOn, ...(raw && { raw: true }) };
      return await drafter.draft(plan, new SeededChance(9));
    };
    const [own, asked] = [await draft(false), seen.splice(0)];
    assert.ok(asked.every(({ probabilities }) => probabilities.length === 3));
    const [papers, raw] = [await draft(true), seen.splice(0)];
    assert.ok(raw.every(({ probabilities }) => probabilities.length === engine.vocab));
    const weights = Float64Array.from(engine.logits([...text]), Math.exp);
    const sum = weights.reduce((a, b) => a + b);
    assert.ok(totalVariation(raw[0], dense(weights.map((weight) => weight / sum))) < 1e-6);
    // What is drawn from stays the same, up to rounding, and so do the draws.
    assert.deepEqual([papers.tokens, papers.parents], [own.tokens, own.parents]);
    asked.forEach((q, i) => assert.ok(totalVariation(q, tempered(raw[i], sampling)) < 1e-6));
    for (const node of [-1, 0, 1]) {
      const [a, b] = [own.q(node), papers.q(node)];
      assert.equal(a === undefined, b === undefined);
      if (a && b) assert.ok(totalVariation(a, b) < 1e-6);
    }
  }
  // A truncated q looks sure where the model is not.
  const stops = async (published: boolean) => {
    const drafter = new ProposedDrafter("model", new ModelProposer(engine), chain);
    drafter.begin(text, { ...sampling, topK: 1 });
    const plan = confidence(0.9, 6, published).plan(state(() => 1));
    return (await drafter.draft(plan, new SeededChance(9))).tokens.length;
  };
  assert.deepEqual([await stops(false), await stops(true)], [6, 1]);
});

test("drafters that join sources tell the soft-max as well", async () => {
  const engine = new TableEngine({ seed: 2, spread: 2 });
  const drafter = new SpineDrafter(new ModelProposer(engine), new LookupDrafter(8, 1), 2);
  await drafter.begin(Int32Array.of(1, 2, 1), { ...GREEDY, temperature: 0.5, topK: 2 });
  const sizes: number[] = [];
  const goOn = (q: Distribution) => sizes.push(q.probabilities.length) > 0;
  await drafter.draft({ nodes: 5, depth: 3, goOn, raw: true }, new SeededChance(1));
  assert.ok(sizes.length > 0 && sizes.every((size) => size === engine.vocab));
});

test("entropy is an estimate of acceptance and no bound: sure of the wrong token, nothing is kept", () => {
  const [p, q] = [point(3, 0), point(3, 1)];
  assert.equal(entropyOf(q), 0);
  assert.equal(entropy(0.1, 8).plan(state(() => 1)).goOn!(q, 2), true);
  assert.equal(overlap(p, q), 0);
});

test("speckv-gamma, as published, drafts for tokens per step whatever a step costs", () => {
  const steep = (width: number) => 10 * width;
  const settled = (published: boolean) => {
    const controller = new SpecKvController(16, published);
    let last: Plan = { nodes: 0, depth: 0 };
    for (let round = 0; round < 407; round++) {
      last = controller.plan(state(steep));
      const accepted = last.depth; // everything is right
      controller.observe({
        plan: last,
        tree: chainTree(new Int32Array(last.depth)),
        verdict: { path: Int32Array.from({ length: Math.ceil(accepted * 0.4) }, (_, i) => i), next: 0 },
        committed: new Int32Array(1),
        rows: last.depth + 1,
        draftMs: 5 * last.depth,
        verifyMs: steep(last.depth + 1),
      });
    }
    return last.nodes;
  };
  assert.ok(settled(true) > 2 * settled(false), `${settled(true)} and ${settled(false)}`);
});

test("bandit, as published, pulls each length twice and then the one with the greatest upper confidence bound", () => {
  const controller = new BanditController(5, new SeededChance(1), true);
  const lengths = [0, 1, 2, 3, 5];
  const rewards = new Map<number, number[]>(lengths.map((length) => [length, []]));
  const ms = (length: number) => 20 + 30 * length;
  for (let round = 0; round < 300; round++) {
    const plan = controller.plan(state((width) => 20 + 30 * (width - 1)));
    const pulled = rewards.get(plan.nodes)!;
    if (round < 2 * lengths.length) {
      assert.ok(pulled.length < 2);
    } else {
      const bound = (of: readonly number[]) =>
        of.reduce((a, b) => a + b) / of.length + Math.sqrt(6 * Math.log(round) / of.length);
      const best = Math.max(...[...rewards.values()].map(bound));
      assert.ok(Math.abs(bound(pulled) - best) < 1e-9, `round ${round}`);
    }
    const tokens = 1 + (round * 7 + plan.nodes) % (plan.nodes + 1);
    pulled.push(1000 * tokens / ms(plan.nodes));
    controller.observe({
      plan,
      tree: chainTree(new Int32Array(plan.nodes)),
      verdict: { path: new Int32Array(0), next: 0 },
      committed: new Int32Array(tokens),
      rows: plan.nodes + 1,
      draftMs: 0,
      verifyMs: 1,
    });
  }
});
