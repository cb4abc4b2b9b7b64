// Drafters made of drafters: cascade, merge, and drafters in the place of a proposer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { CascadeDrafter } from "../../../plugins/drafters/cascade.ts";
import { LookupDrafter } from "../../../plugins/drafters/lookup.ts";
import { MergeDrafter } from "../../../plugins/drafters/merge.ts";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { RecyclingDrafter } from "../../../plugins/drafters/recycling.ts";
import { builtin } from "../../../plugins/builtin.ts";
import { SeededChance } from "../../../src/chance.ts";
import { DrafterProposer } from "../../../src/draft/drafter-proposer.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import { prune } from "../../../src/draft/tree-edit.ts";
import type { Drafter } from "../../../src/drafter.ts";
import type { TreeShape } from "../../../src/shape.ts";
import { probability } from "../../../src/math/distribution.ts";
import { Registry } from "../../../src/plugins/registry.ts";
import type { PluginContext } from "../../../src/plugins/plugin.ts";
import { complete } from "../../../src/round/generate.ts";
import { GREEDY } from "../../../src/sampling.ts";
import { chainTree, type DraftTree } from "../../../src/tree.ts";
import { optionsOf } from "../../support/options.ts";
import { paths, roundOf } from "../../support/rounds.ts";
import { TableEngine } from "../../support/table-engine.ts";

const chance = new SeededChance(1);
const PLAN = { nodes: 8, depth: 6 };

/** Says what a table says after the last token of a path. */
function saying(
  table: Readonly<Record<string, readonly number[]>>,
  name = "saying",
): Drafter & { readonly seen: number[] } {
  const seen: number[] = [];
  const after = (path: Int32Array, { nodes, depth }: { nodes: number; depth: number }) =>
    chainTree((table[path.join()] ?? []).slice(0, Math.min(nodes, depth)));
  return {
    name,
    laws: ["point"],
    seen,
    begin() {},
    draft: (plan) => after(new Int32Array(0), plan),
    after,
    observe: ({ committed }) => void seen.push(...committed),
  };
}

test("cascade: the first that has something drafts, the next goes on below it, within the plan", async () => {
  const first = saying({ "": [1, 2] });
  const second = saying({ "1,2": [3, 4, 5], "": [9] });
  const third = saying({ "1,2,3,4,5": [6, 7, 8] });
  const drafter = new CascadeDrafter([first, second, third]);
  await drafter.begin(Int32Array.of(0), GREEDY);
  assert.deepEqual([...(await drafter.draft(PLAN, chance)).tokens], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...(await drafter.draft({ nodes: 4, depth: 4 }, chance)).tokens], [1, 2, 3, 4]);
  assert.deepEqual([...(await new CascadeDrafter([saying({}), second]).draft(PLAN, chance)).tokens], [9], "replaced");
  assert.deepEqual([...(await drafter.after(Int32Array.of(1, 2), PLAN, chance)).tokens], [3, 4, 5, 6, 7, 8]);
  await drafter.observe(roundOf(chainTree([1]), [0], 5));
  assert.deepEqual([first.seen, third.seen], [[1, 5], [1, 5]]);
});

test("cascade with a reviewer: the draft begins with what the reviewer finds likeliest, then the cheap ones go on", async () => {
  const model = new TableEngine({ seed: 4, vocab: 20, order: 1 });
  const want: number[] = [];
  for (let i = 0; i < 4; i++) want.push(model.likeliest([7, ...want]));
  const cheap = saying({
    [want.slice(0, 1).join()]: want.slice(1, 4),
    [want.join()]: [17, 18],
  });
  const drafter = new CascadeDrafter([cheap], new ModelProposer(model), 4);
  await drafter.begin(Int32Array.of(7), GREEDY);
  const before = model.passes;
  assert.deepEqual([...(await drafter.draft(PLAN, chance)).tokens], [...want, 17, 18]);
  assert.ok(model.passes - before <= 2, "all guesses in one pass");
  drafter.close();
});

test("merge: every path once; nodes go to whoever has been right lately", async () => {
  const liar = saying({ "": [1, 2, 3, 4] });
  const sage = saying({ "": [5, 6, 7, 8] }, "sage");
  const drafter = new MergeDrafter([liar, sage]);
  await drafter.begin(Int32Array.of(0), GREEDY);
  const drafted = await drafter.draft(PLAN, chance);
  assert.deepEqual(paths(drafted).map((path) => path.join()).sort(), [
    "1",
    "1,2",
    "1,2,3",
    "1,2,3,4",
    "5",
    "5,6",
    "5,6,7",
    "5,6,7,8",
  ]);
  for (let round = 0; round < 20; round++) {
    const tree = await drafter.draft(PLAN, chance);
    const path = [5, 6, 7, 8].map((token) => tree.tokens.indexOf(token)).filter((node) => node >= 0);
    await drafter.observe(roundOf(tree, path, 9));
  }
  const learnt = await drafter.draft({ nodes: 4, depth: 4 }, chance);
  assert.deepEqual([...learnt.tokens], [5, 6, 7, 8]);
  assert.deepEqual(learnt.sources, ["sage", "sage", "sage", "sage"]);
  const dear = await drafter.draft({ ...PLAN, cost: (rows) => 10 + 3 * rows }, chance);
  assert.ok(
    dear.tokens.length > 0 && dear.tokens.every((token) => token >= 5),
    "what is not worth its row is left out",
  );
});

test("merge: where sources agree a node stands once and is likelier, by what each says of it", async () => {
  const sure = (token: number, confidence: number): Drafter => ({
    ...saying({}),
    draft: () => ({ ...chainTree([token]), confidence: Float64Array.of(confidence) }),
  });
  const drafter = new MergeDrafter([sure(1, 0.9), sure(3, 0.9), sure(3, 0.2)]);
  await drafter.begin(Int32Array.of(0), GREEDY);
  const { tokens, confidence } = await drafter.draft({ nodes: 2, depth: 2 }, chance);
  const odds = (p: number) => Math.log(p / (1 - p));
  const likely = (sources: number[]) =>
    1 / (1 + Math.exp(1.4 - sources.reduce((sum, p) => sum - 0.35 + 0.35 * odds(p) + 0.45, 0)));
  const wanted = new Map([[1, likely([0.9])], [3, likely([0.9, 0.2])]]);
  tokens.forEach((token, node) => assert.ok(Math.abs(confidence![node] - wanted.get(token)!) < 1e-12, `${token}`));
  for (let round = 0; round < 30; round++) { // agreement is right, a lone guess is not
    const tree = await drafter.draft({ nodes: 2, depth: 2 }, chance);
    await drafter.observe(roundOf(tree, [tree.tokens.indexOf(3)], 9));
  }
  const learnt = await drafter.draft({ nodes: 2, depth: 2 }, chance);
  assert.equal(learnt.tokens[0], 3);
  assert.ok(learnt.confidence![0] > 0.7 && learnt.confidence![1] < 0.4, `${learnt.confidence}`);
});

test("a drafter as a proposer: its children of each place, by how likely it finds them", async () => {
  const drafter = new RecyclingDrafter(20, 3);
  drafter.begin(Int32Array.of(1));
  drafter.observe(roundOf(chainTree([2]), [0], 4, [[2, 3, 9], [4, 5, 6]]));
  drafter.begin(Int32Array.of(1));
  const proposer = new DrafterProposer(drafter, 20);
  await proposer.sync();
  const [root] = await proposer.propose({ tokens: new Int32Array(0), parents: new Int32Array(0) });
  assert.deepEqual([...root.tokens!], [2, 3, 9]);
  assert.ok(probability(root, 2) > probability(root, 3) && probability(root, 3) > probability(root, 9));
  const [after2, after9] = await proposer.propose({ tokens: Int32Array.of(2, 9), parents: Int32Array.of(-1, -1) });
  assert.deepEqual([[...after2.tokens!], [...after9.tokens!]], [[4, 5, 6], []]);
  const mute: Drafter = { name: "mute", laws: [], begin() {}, draft: () => chainTree([]), observe() {} };
  assert.throws(() => new DrafterProposer(mute, 20), /mute cannot draft below/);
});

const registry = new Registry(builtin);
const engine = new TableEngine({ seed: 3, vocab: 20, order: 1 });
const context: PluginContext = {
  target: engine,
  loadModel: () => Promise.reject(new Error("not here")),
  resolve: (kind, spec) => registry.resolve(kind, spec, context),
};

test("by name: any two in a cascade, a merged tree, on a spine and grafted; less than two are refused", async () => {
  const plain = await complete(optionsOf({ engine, maxTokens: 40 }));
  const specs = [
    "cascade:lookup,recycling",
    "cascade:(suffix?factor=1),(lookup?branches=3),trigram",
    "merge:lookup,recycling,suffix",
    "merge:lookup,(cascade:suffix,recycling)",
    "merge:auto,suffix,pool,stand",
    "cascade:auto,lookahead,hierarchy",
    "spine:recycling",
    "graft:recycling?retrieval=suffix",
  ];
  for (const spec of specs) {
    const drafter = await registry.resolve("drafter", spec, context);
    const drafted = await complete(optionsOf({ engine, maxTokens: 40, drafter, controller: fixed(8, 4) }));
    assert.deepEqual(drafted.tokens, plain.tokens, spec);
    assert.ok(drafted.stats.passes < 32, `${spec}: ${drafted.stats.passes} passes`);
  }
  await assert.rejects(registry.resolve("drafter", "cascade:lookup", context), /cascade joins two drafters or more/);
  await assert.rejects(registry.resolve("drafter", "merge:lookup,", context), /merge joins two drafters or more/);
  await assert.rejects(registry.resolve("drafter", "spine:nobody", context), /no proposer "nobody"/);
  await assert.rejects(registry.resolve("drafter", "spine:(suffix?factr=2)", context), /suffix has no option "factr"/);
});

test("lookup can be joined: below a path it drafts what it would if the path were text", () => {
  const text = [1, 2, 3, 4, 1, 2, 9, 3, 4];
  for (const branches of [1, 3]) {
    const [shorter, longer] = [new LookupDrafter(8, 1, branches), new LookupDrafter(8, 1, branches)];
    shorter.begin(Int32Array.from(text));
    for (const path of [[1], [1, 2], [7], [3, 4, 1]]) {
      longer.begin(Int32Array.from([...text, ...path]));
      const [below, whole]: DraftTree[] = [shorter.after(Int32Array.from(path), PLAN), longer.draft(PLAN)];
      assert.deepEqual(paths(below), paths(whole), `${path}`);
    }
  }
});

test("merge learns nothing of a draft that nobody judged before the next text", async () => {
  const drafter = new MergeDrafter([saying({ "": [1, 2] }), saying({ "": [3] })]);
  await drafter.begin(Int32Array.of(0), GREEDY);
  const tree = await drafter.draft(PLAN, chance);
  const weights = drafter.weights;
  await drafter.begin(Int32Array.of(0), GREEDY);
  await drafter.observe(roundOf(tree, [], 9));
  assert.deepEqual(drafter.weights, weights);
});

test("cascade: a drafter is told what the rows cost that are left", async () => {
  const costs: (number | undefined)[] = [];
  const told = (drafter: Drafter): Drafter => ({
    ...drafter,
    draft: (plan, chance) => (costs.push(plan.cost?.(1)), drafter.draft(plan, chance)),
    after: (path, plan, chance) => (costs.push(plan.cost?.(1)), drafter.after!(path, plan, chance)),
  });
  const drafter = new CascadeDrafter([told(saying({ "": [1, 2] })), told(saying({ "1,2": [3] })), told(saying({}))]);
  await drafter.begin(Int32Array.of(0), GREEDY);
  await drafter.draft({ ...PLAN, cost: (rows) => 10 * rows }, chance);
  assert.deepEqual(costs, [10, 30, 40]);
});

test("a drafter as a proposer keeps how likely it finds each child: what is left over is nobody's", async () => {
  const unsure = saying({ "": [1] });
  const drafter: Drafter = {
    ...unsure,
    after: (path, plan, chance) => {
      const tree = unsure.after!(path, plan, chance) as DraftTree;
      return { ...tree, confidence: Float64Array.from(tree.tokens, () => 0.2) };
    },
  };
  const [q] = await new DrafterProposer(drafter, 20).propose({ tokens: new Int32Array(0), parents: new Int32Array(0) });
  assert.equal(probability(q, 1), 0.2);
});

test("a shape learns from the trees that it drew alone, and from parts of them", async () => {
  const learned: number[] = [];
  let forgot = 0;
  const form: TreeShape = {
    name: "chain",
    law: "point",
    grow: () => Promise.resolve(chainTree([1, 2, 3])),
    begin: () => void forgot++,
    observe: ({ tree }) => void learned.push(tree.tokens.length),
  };
  const drafter = new ProposedDrafter("model", new ModelProposer(new TableEngine({ seed: 4, vocab: 20 })), form);
  drafter.begin(Int32Array.of(7), GREEDY);
  const tree = await drafter.draft(PLAN, chance);
  drafter.observe(roundOf(tree, [], 9));
  await drafter.draft(PLAN, chance);
  drafter.observe(roundOf(prune(tree, (node) => node < 2), [0], 9));
  await drafter.draft(PLAN, chance);
  drafter.observe(roundOf(chainTree([1, 5]), [0], 9)); // joined with another's
  drafter.observe(roundOf(tree, [], 9)); // it was not asked
  assert.deepEqual(learned, [3, 2]);
  assert.equal(forgot, 3, "the text's begin, and twice what was kept for a next tree");
  drafter.close();
});
