// The relaxed pair target-init: several tokens of the target's own, and the one whose draft goes furthest.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { recursive } from "../../plugins/rules/recursive.ts";
import { targetInit } from "../../plugins/rules/target-init.ts";
import { drawsOf, TargetInit, type TargetTree } from "../../plugins/shapes/target-init.ts";
import { SeededChance } from "../../src/chance.ts";
import { everyBranch } from "../../src/check/every-branch.ts";
import type { Round } from "../../src/controller.ts";
import { dense, type Distribution, probability } from "../../src/math/distribution.ts";
import type { Drafter } from "../../src/drafter.ts";
import { complete } from "../../src/round/generate.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { OnePlace } from "../../src/check/acceptance.ts";
import { GREEDY } from "../../src/sampling.ts";
import type { TreeShape } from "../../src/shape.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import { optionsOf } from "../support/options.ts";
import { TableEngine } from "../support/table-engine.ts";

const P = dense([0.4, 0.3, 0.2, 0.1]);
const Q = dense([0.1, 0.2, 0.3, 0.4]);

/** Tokens 0 and 1 of the target's own; below each, one token of the draft's. */
const given = (wanted: number): TargetTree => ({
  tokens: Int32Array.of(0, 1, 2, 3),
  parents: Int32Array.of(-1, -1, 0, 1),
  law: "distinct",
  q: (node) => node < 2 ? Q : undefined,
  draws: { wanted, given: 2, next: [] },
});

class Rows extends OnePlace {
  constructor(private readonly of: readonly Distribution[]) {
    super(of[0], of.length);
  }
  override distribution(row = 0): Distribution {
    return this.of[row];
  }
}

test("the longest path is kept, the first of equals, and its last token waits for what follows it", () => {
  const outcomes = [...everyBranch((chance) => {
    const tree = given(2);
    const { path, next } = targetInit.verify(tree, new OnePlace(P, 5), chance);
    return { said: [...path].map((node) => tree.tokens[node]).concat(next), waiting: tree.draws.next };
  })];
  const sum = (which: (outcome: (typeof outcomes)[number]["value"]) => boolean) =>
    outcomes.reduce((all, { value, probability }) => all + (which(value) ? probability : 0), 0);
  const [first, second] = [0.2 / 0.3, 0.1 / 0.4]; // p/q of the drafted tokens
  assert.ok(Math.abs(sum(({ said }) => said.join() === "0,2") - first) < 1e-12);
  assert.ok(Math.abs(sum(({ said }) => said.join() === "1,3") - (1 - first) * second) < 1e-12);
  assert.ok(Math.abs(sum(({ said }) => said.join() === "0") - (1 - first) * (1 - second)) < 1e-12);
  assert.ok(outcomes.every(({ value }) => new Set(value.waiting).size === 2));
  // Kept to its leaf, what follows is p; where the draft was refused, what the target still owes: 0.3, 0.1, 0, 0.
  const begins = (said: string, token: number) =>
    sum((value) => value.said.join() === said && value.waiting[0] === token) /
    sum((value) => value.said.join() === said);
  for (const token of [0, 1, 2, 3]) assert.ok(Math.abs(begins("0,2", token) - probability(P, token)) < 1e-12);
  assert.deepEqual([0, 1, 2, 3].map((token) => Math.round(1e9 * begins("0", token)) / 1e9), [0.75, 0.25, 0, 0]);
});

test("it is no lossless rule, and says so: tokens whose drafts stand are said too often", () => {
  assert.equal(targetInit.lossless, false);
  // Token 1's draft always stands, token 0's never: whenever the target draws both, 1 is said.
  const rows = [P, dense([1, 0, 0, 0]), dense([0, 0, 0, 1]), P, P];
  let says1 = 0;
  for (const { value, probability } of everyBranch((chance) => targetInit.verify(given(1), new Rows(rows), chance))) {
    if (value.path[0] === 1) says1 += probability;
  }
  assert.ok(Math.abs(says1 - 1) < 1e-12);
});

/** A drafter whose rounds are noted. */
function watched(draft: TableEngine, shape: TargetInit): { drafter: Drafter; rounds: Round[] } {
  const inner = new ProposedDrafter("model", new ModelProposer(draft), shape);
  const rounds: Round[] = [];
  const drafter: Drafter = {
    name: inner.name,
    laws: ["distinct"],
    begin: (prompt, sampling) => inner.begin(prompt, sampling),
    draft: (plan, chance) => inner.draft(plan, chance),
    observe(round) {
      if (round.plan.nodes > 0) rounds.push(round);
      inner.observe(round);
    },
  };
  return { drafter, rounds };
}

test("round by round the draft hangs below what the target drew after the kept path", async () => {
  const engine = new TableEngine({ seed: 3, spread: 6 });
  const draft = new TableEngine({ seed: 3, spread: 4 });
  const { drafter, rounds } = watched(draft, new TargetInit(3, [2, 1], 0.05));
  const given = () => ({ engine, drafter, rule: targetInit, sampling: { temperature: 1 }, controller: fixed(10, 4) });
  const { tokens, stats } = await complete(optionsOf({ ...given(), maxTokens: 200, seed: 5 }));
  assert.equal(tokens.length, 200);
  assert.ok(stats.tokens / stats.passes > 1.1);
  let several = 0;
  rounds.forEach(({ tree, verdict }, i) => {
    const draws = drawsOf(tree)!;
    const waiting = i === 0 ? [] : drawsOf(rounds[i - 1].tree)!.next;
    assert.deepEqual([...tree.tokens.slice(0, draws.given)], waiting.slice(0, tree.tokens.length));
    assert.ok(tree.parents.slice(0, draws.given).every((parent) => parent === -1));
    if (draws.given > 1) several++;
    if (draws.given > 0) {
      assert.ok([...tree.parents.keys()].every((node) => node < draws.given || tree.parents[node] >= 0));
    }
    if (draws.next.length > 0) { // the last token of the path was committed as `next`
      const end = verdict.path.length > 0 ? verdict.path[verdict.path.length - 1] : -1;
      assert.ok([...tree.tokens.keys()].some((n) => tree.parents[n] === end && tree.tokens[n] === verdict.next));
    }
  });
  assert.ok(several > rounds.length / 3, `${several} of ${rounds.length}`);
});

test("what a text left waiting is not drafted below in the next text", async () => {
  const shape = new TargetInit(2, [1], 0);
  const proposer = new ModelProposer(new TableEngine({ seed: 3 }));
  const plan = { nodes: 4, depth: 2 };
  const grow = async () => {
    await proposer.sync(Int32Array.of(1, 2), { ...GREEDY, temperature: 1 });
    return await shape.grow(proposer, plan, new SeededChance(1)) as TargetTree;
  };
  const tree = await grow();
  tree.draws.next = [5, 7];
  const round = { plan, tree, verdict: { path: Int32Array.of(), next: 1 }, committed: Int32Array.of(1), rows: 5 };
  shape.observe({ ...round, draftMs: 1, verifyMs: 1 });
  assert.deepEqual([...(await grow()).tokens.slice(0, 2)], [5, 7]);
  shape.begin();
  assert.equal((await grow()).draws.given, 0);

  const calls: string[] = [];
  const told: TreeShape = { name: "told", law: "point", grow: chain.grow, begin: () => calls.push("begin") };
  new ProposedDrafter("told", proposer, told).begin(Int32Array.of(1), GREEDY);
  assert.deepEqual(calls, ["begin"]);
});

test("under a lossless rule nothing of the target's is drawn ahead, and at temperature 0 the relaxed rule is refused", async () => {
  const engine = new TableEngine({ seed: 3, spread: 6 });
  const draft = new TableEngine({ seed: 3, spread: 4 });
  const shape = () => new TargetInit(3, [1], 0);
  const common = { engine, maxTokens: 40, controller: fixed(8, 4) };
  const drafter = new ProposedDrafter("model", new ModelProposer(draft), shape());
  await assert.rejects(complete(optionsOf({ ...common, drafter, rule: targetInit })), /no effect at temperature 0/);
  const under = watched(draft, shape());
  await complete(optionsOf({ ...common, drafter: under.drafter, rule: recursive, sampling: { temperature: 1 } }));
  assert.ok(under.rounds.length > 0);
  for (const { tree } of under.rounds) assert.deepEqual(drawsOf(tree), { wanted: 3, given: 0, next: [] });
});
