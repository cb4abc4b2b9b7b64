// The cost controller on made-up costs and drafts: it finds the size that pays, and stops where none does.
import assert from "node:assert/strict";
import { test } from "node:test";
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
