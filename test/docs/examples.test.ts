// The plugins that docs/plugins.md shows: each loads as a file of a stranger's does, and gives the numbers of the page.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { builtin } from "../../plugins/builtin.ts";
import type { Scores } from "../../src/backend.ts";
import { UniformChance } from "../../src/chance.ts";
import { proveRule } from "../../src/check/prove.ts";
import type { Round } from "../../src/controller.ts";
import { dense } from "../../src/math/distribution.ts";
import { KINDS } from "../../src/plugins/plugin.ts";
import { Registry } from "../../src/plugins/registry.ts";
import { type Methods, type PluginContext } from "../../src/plugins/plugin.ts";
import { complete } from "../../src/round/generate.ts";
import { GREEDY } from "../../src/sampling.ts";
import { chainTree, type DraftTree } from "../../src/tree.ts";
import { TableEngine } from "../support/table-engine.ts";

const FOLDER = new URL("../../docs/examples/", import.meta.url);
const PAGE = readFileSync(new URL("../../docs/plugins.md", import.meta.url), "utf8");
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".ts"));
const target = new TableEngine({ vocab: 4 });
const context: PluginContext = {
  target,
  loadModel: () => Promise.reject(new Error("not here")),
  resolve: (kind, spec) => registry.resolve(kind, spec, context),
};
const registry = new Registry(builtin);
const kinds = new Map<string, string>();
for (const file of files) {
  for (const { kind } of await registry.load(fileURLToPath(new URL(file, FOLDER)))) kinds.set(kind, file);
}

const make = <K extends keyof Methods>(kind: K, spec: string) => registry.resolve(kind, spec, context);
const chance = (...numbers: number[]) => new UniformChance(() => numbers.shift() ?? assert.fail("too many draws"));
const warm = { ...GREEDY, temperature: 1 };
const shape = ({ tokens, parents }: DraftTree) => ({ tokens: [...tokens], parents: [...parents] });
const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-15, `${value}`);
const round = (accepted: number): Round => ({
  plan: { nodes: 8, depth: 8 },
  tree: chainTree([]),
  verdict: { path: Int32Array.from({ length: accepted }, (_, i) => i), next: 0 },
  committed: new Int32Array(accepted + 1),
  rows: 1,
  draftMs: 0,
  verifyMs: 0,
});

test("there is an example of every kind of plugin, and the page shows it", () => {
  assert.deepEqual(new Set(kinds.keys()), new Set(Object.keys(KINDS)));
  for (const file of files) assert.ok(PAGE.includes(`(examples/${file})`), file);
});

test("the drafter: after 5 7 9 5 comes 7 9 5", async () => {
  const drafter = await make("drafter", "successor?longest=3");
  await drafter.begin(Int32Array.of(5, 7, 9, 5), GREEDY);
  const draft = async () => shape(await drafter.draft({ nodes: 8, depth: 8 }, chance()));
  assert.deepEqual(await draft(), { tokens: [7, 9, 5], parents: [-1, 0, 1] });
  await drafter.observe({ ...round(1), committed: Int32Array.of(7, 8) });
  assert.deepEqual(await draft(), { tokens: [], parents: [] });
});

test("the proposer: after 1 2 1 3 1 2 1, q is 1/7, 1/7, 3/7, 2/7", async () => {
  const proposer = await make("proposer", "pairs");
  const nothing = { tokens: new Int32Array(0), parents: new Int32Array(0) };
  await proposer.sync(Int32Array.of(1, 2, 1, 3, 1, 2, 1), warm);
  const [root] = await proposer.propose(nothing);
  root.probabilities.forEach((value, i) => near(value, [1, 1, 3, 2][i] / 7));
  const below = await proposer.propose({ tokens: Int32Array.of(2, 3), parents: Int32Array.of(-1, -1) });
  below.forEach(({ probabilities }, i) => near(probabilities[1], [3 / 6, 2 / 5][i]));
  await proposer.sync(Int32Array.of(1, 2, 1, 3, 1, 2, 1), GREEDY);
  assert.deepEqual([...(await proposer.propose(nothing))[0].probabilities], [0, 0, 1, 0]);
});

test("the shape: q of 0.5, 0.3, 0.2 and the numbers 0.4 and 0.9 give the siblings 0 and 2", async () => {
  const q = dense([0.5, 0.3, 0.2]);
  const proposer = { vocab: 3, sync: () => Promise.resolve(), propose: () => Promise.resolve([q]) };
  const tree = await (await make("shape", "siblings")).grow(proposer, { nodes: 8, depth: 8 }, chance(0.4, 0.9));
  assert.deepEqual(shape(tree), { tokens: [0, 2], parents: [-1, -1] });
  assert.equal(tree.q(-1), q);
});

test("the rule: the draft 0 1 is accepted up to where the target draws something else, and nothing is lost", async () => {
  const rule = await make("rule", "redraw");
  const rows = [dense([0.5, 0.3, 0.2]), dense([0.1, 0.1, 0.8]), dense([1, 0, 0])];
  const scores = { distribution: (row: number) => rows[row] } as Scores;
  const verdict = rule.verify(chainTree([0, 1]), scores, chance(0.4, 0.9));
  assert.deepEqual({ path: [...verdict.path], next: verdict.next }, { path: [0], next: 2 });
  const { laws, holds } = proveRule(rule, { laws: rule.laws, quick: true, seed: "examples" });
  assert.ok(holds, JSON.stringify(laws));
});

test("the controller: 1, then one more than were accepted", async () => {
  const controller = await make("controller", "streak?most=3");
  const plan = (remaining: number) => controller.plan({ length: 4, remaining, cost: () => 1 }).nodes;
  const plans = [plan(100)];
  for (const accepted of [1, 2, 3, 0]) {
    controller.observe(round(accepted));
    plans.push(plan(100));
  }
  assert.deepEqual(plans, [1, 2, 3, 3, 1]);
  assert.equal(plan(1), 0);
});

test("the backend: 3 is followed by 4, with probability e / (e + 19) of a vocabulary of 20", async () => {
  const { source } = new TableEngine({ vocab: 20 });
  const backend = await make("backend", "counting");
  const engine = await backend.load(source, { format: "auto", strict: true, cacheDir: "" });
  const sequence = engine.open();
  const scores = await sequence.forward({ tokens: Int32Array.of(2, 3) });
  assert.equal(scores.argmax(1), 4);
  near(scores.probability(1, 4), Math.E / (Math.E + 19));
  sequence.close();
  for (const [drafter, controller] of [["none", "fixed"], ["successor", "streak"]]) {
    const { tokens } = await complete({
      engine,
      prompt: Int32Array.of(18, 19, 0, 1, 2, 18),
      drafter: await make("drafter", drafter),
      rule: await make("rule", "redraw"),
      controller: await make("controller", controller),
      sampling: GREEDY,
      chance: new UniformChance(() => 0.5),
      maxTokens: 5,
    });
    assert.deepEqual([...tokens], [19, 0, 1, 2, 3], drafter);
  }
});
