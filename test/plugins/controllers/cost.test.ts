// The cost controller on made-up costs and drafts: it finds the size that pays, and stops where none does.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CostController } from "../../../plugins/controllers/cost.ts";
import type { Plan } from "../../../src/controller.ts";
import { chainTree } from "../../../src/tree.ts";
import { hashed } from "../../support/table-engine.ts";

interface World {
  readonly cost: (width: number) => number;
  /** Milliseconds per drafted token. */
  readonly draftMs: number;
  /** How likely each drafted token is right if the one before was, by round and depth. */
  readonly right: (round: number, depth: number) => number;
  /** Tokens that the drafter has to offer. */
  readonly offers?: (round: number) => number;
}

/** Plays rounds and tells each plan, and the tokens and milliseconds of all. */
function play(world: World, rounds: number, controller = new CostController(16)) {
  const plans: Plan[] = [];
  let tokens = 0;
  let ms = 0;
  for (let round = 0; round < rounds; round++) {
    const plan = controller.plan({ length: 10 + round, remaining: 1000, cost: world.cost });
    plans.push(plan);
    const size = Math.min(plan.nodes, world.offers?.(round) ?? Infinity);
    let accepted = 0;
    while (accepted < size && hashed(round, accepted) < world.right(round, accepted)) accepted++;
    const draftMs = size * world.draftMs;
    const verifyMs = Number.isNaN(world.cost(1)) ? 1 : world.cost(size + 1);
    controller.observe({
      plan,
      tree: chainTree(new Int32Array(size)),
      verdict: { path: Int32Array.from({ length: accepted }, (_, node) => node), next: 0 },
      committed: new Int32Array(accepted + 1),
      rows: size + 1,
      draftMs,
      verifyMs,
    });
    tokens += accepted + 1;
    ms += draftMs + verifyMs;
  }
  return { plans, tokens, ms, rate: tokens / ms };
}

const flat = (width: number) => 20 + 0.3 * width;
const steep = (width: number) => 10 * Math.max(2, width);

test("before costs are known it drafts a little", () => {
  const { plans } = play({ cost: () => NaN, draftMs: 0, right: () => 0.9 }, 5);
  for (const { nodes, depth } of plans) assert.ok(nodes > 0 && nodes <= 4 && depth <= 2);
});

test("where passes of any width cost the same and drafts are right, it drafts as much as it may", () => {
  const { plans } = play({ cost: flat, draftMs: 0, right: () => 0.97 }, 100);
  assert.ok(plans.slice(50).every(({ nodes }) => nodes >= 14));
});

test("where every row costs, it drafts no more than what is free", () => {
  const { plans } = play({ cost: steep, draftMs: 0, right: () => 0.4 }, 200);
  assert.ok(plans.slice(50).filter(({ nodes }) => nodes === 1).length > 130);
});

test("where drafting loses it stops, and tries again after longer and longer while", () => {
  const { plans, rate } = play({ cost: steep, draftMs: 15, right: () => 0.1 }, 600);
  const drafted = plans.flatMap(({ nodes }, round) => nodes > 0 ? [round] : []);
  assert.ok(drafted.length < 60, `${drafted.length} drafted rounds`);
  const gaps = drafted.slice(1).map((round, i) => round - drafted[i]).filter((gap) => gap > 4);
  assert.ok(gaps.length >= 3);
  for (let i = 2; i < gaps.length; i++) assert.ok(gaps[i] > gaps[i - 1]);
  assert.ok(rate > 0.95 / steep(1));
});

test("where drafts become right after a long while, it comes back to drafting", () => {
  const right = (round: number) => round < 150 ? 0.02 : 0.95;
  const { plans } = play({ cost: (width) => 10 + 3 * width, draftMs: 3, right }, 600);
  assert.equal(plans[140].nodes, 0);
  assert.ok(plans.slice(500).every(({ nodes }) => nodes > 2));
});

test("one slow first draft, that reads a whole prompt, does not stop it", () => {
  const controller = new CostController(8);
  const state = { length: 10, remaining: 100, cost: flat };
  const round = (draftMs: number) => {
    const plan = controller.plan(state);
    const size = plan.nodes;
    controller.observe({
      plan,
      tree: chainTree(new Int32Array(size)),
      verdict: { path: Int32Array.from({ length: size }, (_, node) => node), next: 0 },
      committed: new Int32Array(size + 1),
      rows: size + 1,
      draftMs,
      verifyMs: flat(size + 1),
    });
    return size;
  };
  assert.ok(round(5000) > 0);
  for (let i = 0; i < 20; i++) assert.ok(round(2) > 0);
});

test("drafts that seldom come but are right are taken whole", () => {
  const offers = (round: number) => round % 4 === 0 ? 12 : 0;
  const { plans } = play({ cost: flat, draftMs: 0, right: () => 0.98, offers }, 200);
  assert.ok(plans.slice(100).every(({ nodes }) => nodes >= 12));
});

test("over a run it comes near the best fixed size", () => {
  const worlds: World[] = [0.3, 0.6, 0.8].map((p) => ({ cost: (w) => 12 + 2 * w, draftMs: 1, right: () => p }));
  for (const world of worlds) {
    const fixed = (nodes: number) => {
      const controller = new CostController(16);
      controller.plan = () => ({ nodes, depth: nodes });
      return play(world, 400, controller).rate;
    };
    const best = Math.max(...[0, 1, 2, 3, 4, 6, 8, 12].map(fixed));
    assert.ok(play(world, 400).rate > 0.95 * best);
  }
});

test("it plans the length that is best by the formula, for any acceptance and any price of rows and drafting", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 0.95, noNaN: true }),
      fc.double({ min: 0.1, max: 6, noNaN: true }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      (right, slope, draftMs) => {
        const world: World = { cost: (width) => 10 + slope * Math.max(2, width), draftMs, right: () => right };
        const rate = (n: number) => {
          const tokens = Array.from({ length: n }, (_, i) => right ** (i + 1)).reduce((a, b) => a + b, 1);
          return tokens / (world.cost(n + 1) + n * draftMs);
        };
        const best = Math.max(...Array.from({ length: 17 }, (_, n) => rate(n)));
        const { plans } = play(world, 700);
        const rates = plans.slice(300).map(({ nodes }) => rate(nodes)).sort((a, b) => a - b);
        assert.ok(
          rates[Math.floor(rates.length / 2)] > 0.95 * best,
          `${rates[Math.floor(rates.length / 2)]} of ${best}`,
        );
      },
    ),
    { numRuns: 40 },
  );
});

/** Plays with a drafter whose tree has `width` children at every node, first come first served by level. */
function playTrees(shares: readonly number[], cost: World["cost"], rounds: number, draftMs = 0.01) {
  const controller = new CostController(24);
  const plans: Plan[] = [];
  for (let round = 0; round < rounds; round++) {
    const plan = controller.plan({ length: 10, remaining: 1000, cost });
    plans.push(plan);
    const parents: number[] = [];
    const path: number[] = [];
    for (let depth = 1, above = -1; depth <= plan.depth; depth++) {
      let eldest = -1;
      let taken = -1;
      let left = hashed(round, depth);
      for (const share of shares) {
        if (parents.length >= plan.nodes) break;
        parents.push(above);
        const node = parents.length - 1;
        if (eldest < 0) eldest = node;
        if (taken < 0 && left < share) taken = node;
        left -= share;
      }
      if (eldest < 0) break;
      if (taken >= 0 && path.length === depth - 1) path.push(taken);
      above = path.length === depth ? taken : eldest; // where nothing was accepted, the tree goes on below the eldest
    }
    const tree = { ...chainTree(new Int32Array(parents.length)), parents: Int32Array.from(parents) };
    controller.observe({
      plan,
      tree,
      verdict: { path: Int32Array.from(path), next: 0 },
      committed: new Int32Array(path.length + 1),
      rows: parents.length + 1,
      draftMs: draftMs * plan.depth,
      verifyMs: cost(parents.length + 1),
    });
  }
  return plans.slice(rounds / 2);
}

test("where second and third guesses are often right it plans broad trees, where rows are free; else narrow ones", () => {
  const broad = playTrees([0.4, 0.25, 0.15], flat, 400);
  const meanBroad = broad.reduce((sum, { nodes, depth }) => sum + nodes / depth, 0) / broad.length;
  const dear = playTrees([0.4, 0.25, 0.15], (width) => 10 * Math.max(2, width), 400);
  const meanNodes = (plans: readonly Plan[]) => plans.reduce((sum, { nodes }) => sum + nodes, 0) / plans.length;
  assert.ok(meanBroad > 1.8, `${meanBroad} nodes a level`);
  assert.ok(meanNodes(broad) > 12 && meanNodes(dear) < 2, `${meanNodes(broad)} and ${meanNodes(dear)} nodes`);
  const first = playTrees([0.9, 0.01, 0.01], flat, 400);
  const meanFirst = first.reduce((sum, { nodes, depth }) => sum + nodes / depth, 0) / first.length;
  assert.ok(meanFirst < 1.4, `${meanFirst} nodes a level`);
});

test("a curve that finds wide passes too cheap is put right by what passes take, disturbed ones aside", () => {
  const curve = (width: number) => 20 + 0.1 * width;
  const truly = (width: number) => 10 * Math.max(2, width);
  for (const disturbed of [false, true]) {
    const controller = new CostController(16);
    let late = 0;
    for (let round = 0; round < 200; round++) {
      const plan = controller.plan({ length: 10, remaining: 1000, cost: curve });
      let accepted = 0;
      while (accepted < plan.nodes && hashed(round, accepted) < 0.3) accepted++;
      controller.observe({
        plan,
        tree: chainTree(new Int32Array(plan.nodes)),
        verdict: { path: Int32Array.from({ length: accepted }, (_, node) => node), next: 0 },
        committed: new Int32Array(accepted + 1),
        rows: plan.nodes + 1,
        draftMs: 0.01 * plan.nodes,
        verifyMs: disturbed ? curve(plan.nodes + 1) * (round % 3 === 0 ? 6 : 1) : truly(plan.nodes + 1),
      });
      if (round >= 100) late += plan.nodes;
    }
    assert.ok(disturbed ? late >= 250 : late < 130, `${late} nodes in 100 rounds`);
  }
});
