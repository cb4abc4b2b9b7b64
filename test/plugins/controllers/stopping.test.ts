// Controllers that look at what the drafter finds likely, or learn what pays: that they do what their papers say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BanditController } from "../../../plugins/controllers/bandit.ts";
import { confidence, confidenceOf } from "../../../plugins/controllers/confidence.ts";
import { entropy } from "../../../plugins/controllers/entropy.ts";
import { expectedTokens, GoodputController } from "../../../plugins/controllers/goodput.ts";
import { SpecDecController } from "../../../plugins/controllers/specdec++.ts";
import { SpecKvController } from "../../../plugins/controllers/speckv-gamma.ts";
import { SeededChance } from "../../../src/chance.ts";
import type { Controller, State } from "../../../src/controller.ts";
import { dense } from "../../../src/math/distribution.ts";
import { chainTree } from "../../../src/tree.ts";
import { hashed } from "../../support/table-engine.ts";

const state = (cost: State["cost"]): State => ({ length: 10, remaining: 1000, cost });
const free = state(() => 10);
const sure = dense([0.96, 0.02, 0.02]);
const torn = dense([0.4, 0.3, 0.3]);

/** Plays rounds with chains whose places are sure or torn, accepted with 0.95 or 0.2. Gives the mean rate of the last half. */
function play(
  controller: Controller,
  rounds: number,
  cost: State["cost"],
  draftMs: number,
  sureAt: (n: number) => number,
) {
  let tokens = 0;
  let ms = 0;
  const lengths: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const plan = controller.plan(state(cost));
    let size = 0;
    while (size < plan.depth) {
      const q = hashed(round, size, 7) < sureAt(round) ? sure : torn;
      if (plan.goOn !== undefined && !plan.goOn(q, size + 1)) break;
      size++;
    }
    let accepted = 0;
    while (accepted < size) {
      const right = hashed(round, accepted, 7) < sureAt(round) ? 0.95 : 0.2;
      if (!(hashed(round, accepted, 8) < right)) break;
      accepted++;
    }
    controller.observe({
      plan,
      tree: chainTree(new Int32Array(size)),
      verdict: { path: Int32Array.from({ length: accepted }, (_, node) => node), next: 0 },
      committed: new Int32Array(accepted + 1),
      rows: size + 1,
      draftMs: draftMs * size,
      verifyMs: cost(size + 1),
    });
    if (round >= rounds / 2) {
      tokens += accepted + 1;
      ms += cost(size + 1) + draftMs * size;
      lengths.push(size);
    }
  }
  return { rate: tokens / ms, length: lengths.reduce((a, b) => a + b, 0) / lengths.length };
}

test("confidence goes on while the likeliest token reaches the threshold, after one that is always drafted", () => {
  const { goOn } = confidence(0.9, 8).plan(free);
  assert.equal(confidenceOf(sure), 0.96);
  assert.deepEqual([goOn!(torn, 1), goOn!(torn, 2), goOn!(sure, 2)], [true, false, true]);
});

test("entropy goes on while the distribution is narrow", () => {
  const { goOn } = entropy(0.6, 8).plan(free);
  assert.deepEqual([goOn!(torn, 1), goOn!(torn, 2), goOn!(sure, 2)], [true, false, true]);
});

test("specdec++ stops sooner where the drafter is torn, and where refusals add up", () => {
  const controller = new SpecDecController(0.5, 20);
  const length = (q: typeof sure) => {
    const { goOn } = controller.plan();
    let depth = 1;
    while (depth <= 20 && goOn!(q, depth)) depth++;
    return depth - 1;
  };
  assert.ok(length(torn) < length(sure), `${length(torn)} and ${length(sure)}`);
  assert.ok(length(sure) < 20);
});

test("specdec++ learns how often what the drafter is sure of is refused", () => {
  const controller = new SpecDecController(0.7, 8);
  for (const [accepted, good] of [[0, false], [8, true]] as const) {
    for (let round = 0; round < 300; round++) {
      const { goOn, ...plan } = controller.plan();
      let size = 0;
      while (size < plan.depth && goOn!(sure, size + 1)) size++;
      controller.observe({
        plan,
        tree: chainTree(new Int32Array(size)),
        verdict: { path: Int32Array.from({ length: Math.min(size, accepted) }, (_, i) => i), next: 0 },
        committed: new Int32Array(1),
        rows: size + 1,
        draftMs: 1,
        verifyMs: 10,
      });
    }
    assert.equal(controller.acceptance(sure, 1) > 0.8, good);
    assert.equal(controller.acceptance(sure, 1) < 0.2, !good);
  }
});

test("specdec++ with hidden states learns from them what q does not tell", () => {
  const [good, bad] = [Float32Array.of(3, 1, 0), Float32Array.of(3, -1, 0)];
  for (const hidden of [true, false]) {
    const controller = new SpecDecController(0.9, 1, false, hidden);
    for (let round = 0; round < 400; round++) {
      const right = hashed(7, round) < 0.5;
      const plan = controller.plan();
      plan.goOn!(torn, 1, () => right ? good : bad);
      controller.observe({
        plan,
        tree: chainTree(new Int32Array(1)),
        verdict: { path: Int32Array.from({ length: right ? 1 : 0 }, () => 0), next: 0 },
        committed: new Int32Array(1),
        rows: 2,
        draftMs: 1,
        verifyMs: 10,
      });
    }
    const seen = (state: Float32Array) => controller.acceptance(torn, 1, hidden ? state : undefined);
    assert.equal(seen(good) > 0.8 && seen(bad) < 0.2, hidden, `${seen(good)} and ${seen(bad)}`);
  }
});

test("goodput picks the length that the formula says is best", () => {
  for (const right of [0.3, 0.6, 0.9]) {
    const controller = new GoodputController(16);
    const cost = (width: number) => 10 + 1.5 * width;
    for (let round = 0; round < 400; round++) {
      const plan = controller.plan(state(cost));
      let accepted = 0;
      while (accepted < plan.depth && hashed(round, accepted) < right) accepted++;
      controller.observe({
        plan,
        tree: chainTree(new Int32Array(plan.depth)),
        verdict: { path: Int32Array.from({ length: accepted }, (_, i) => i), next: 0 },
        committed: new Int32Array(accepted + 1),
        rows: plan.depth + 1,
        draftMs: 0.5 * plan.depth,
        verifyMs: cost(plan.depth + 1),
      });
    }
    const goodput = (k: number) => expectedTokens(right, k) / (cost(k + 1) + 0.5 * k);
    const best = Math.max(...Array.from({ length: 17 }, (_, k) => goodput(k)));
    assert.ok(goodput(controller.plan(state(cost)).nodes) > 0.97 * best);
  }
});

test("a bandit comes to pull the arm that pays, and follows when another comes to pay more", () => {
  const steep = (width: number) => 5 + 10 * width;
  const flat = (width: number) => 50 + width;
  const chance = () => new SeededChance(3);
  assert.ok(play(new BanditController(12, chance()), 600, steep, 5, () => 0).length < 1);
  assert.ok(play(new BanditController(12, chance()), 600, flat, 0, () => 1).length > 7);
  const turning = play(new BanditController(12, chance()), 1600, flat, 1, (round) => round < 400 ? 0 : 1);
  assert.ok(turning.length > 6, `${turning.length}`);
});

test("speckv-gamma drafts long where the drafter is sure and right, short where it is torn", () => {
  const cost = (width: number) => 20 + 2 * width;
  const long = play(new SpecKvController(16), 600, cost, 1, () => 1).length;
  const short = play(new SpecKvController(16), 600, cost, 1, () => 0).length;
  assert.ok(long > 7 && short < 2.5, `${long} and ${short}`);
  const turning = new SpecKvController(16);
  play(turning, 400, cost, 1, () => 1);
  assert.ok(play(turning, 400, cost, 1, () => 0).length < 3);
});
