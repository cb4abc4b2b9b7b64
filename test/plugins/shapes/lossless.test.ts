// Every shape with every lossless rule for its law: all branches of both together, and the target's own joint law.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Delayed } from "../../../plugins/shapes/delayed.ts";
import { dySpec } from "../../../plugins/shapes/dyspec.ts";
import { gumbel } from "../../../plugins/shapes/gumbel.ts";
import { SeededChance } from "../../../src/chance.ts";
import { Rows } from "../../../src/check/case.ts";
import { makeCase, Random } from "../../../src/check/generate-cases.ts";
import { EXACT } from "../../../src/check/prove.ts";
import { everyTree, proveShape, TableProposer } from "../../../src/check/shapes.ts";
import { entropy } from "../../../src/math/distribution.ts";
import { LIKELIEST } from "../../../src/draft/proposed.ts";
import type { TreeShape } from "../../../src/shape.ts";
import { prune } from "../../../src/draft/tree-edit.ts";
import { losslessRules } from "../../rules/rules.ts";
import { allShapes } from "./all.ts";

const rules = (await losslessRules()).filter((rule) => !rule.greedy);

const SMALL = [{ vocab: 2, nodes: 4, depth: 2 }];
const SIZES = [{ vocab: 3, nodes: 4, depth: 2 }, { vocab: 2, nodes: 5, depth: 3 }];

for (const shape of allShapes()) {
  test(`${shape.name} (${shape.law}) keeps the target's law under every rule for it`, async () => {
    const fitting = rules.filter((rule) => rule.laws.includes(shape.law));
    assert.ok(fitting.length >= 3);
    for (const rule of fitting) {
      const { failure, worst } = await proveShape(shape, rule, { seed: shape.name, sizes: SIZES });
      assert.equal(failure && `${rule.name}: ${failure.exact.broken ?? failure.exact.totalVariation}`, undefined);
      assert.ok(worst <= EXACT);
    }
  });
}

test("shapes that learn stay true to their law after they have learned", async () => {
  const learned = allShapes().filter((shape) => shape.observe !== undefined);
  assert.deepEqual(learned.map(({ name }) => name), ["sequoia", "gumbel", "target-init", "delayed"]);
  for (const shape of learned) {
    const chance = new SeededChance(shape.name);
    const of = makeCase("random", shape.law, 3, [-1, 0], new Random(chance));
    const proposer = new TableProposer(new Rows(of, false));
    const plan = { nodes: 4, depth: 2 };
    for (let round = 0; round < 100; round++) {
      await proposer.sync();
      const tree = await shape.grow(proposer, plan, chance);
      // Second children are the ones accepted, and nothing below them.
      const second = tree.parents.indexOf(-1, tree.parents.indexOf(-1) + 1);
      const verdict = { path: Int32Array.from(second < 0 ? [] : [second]), next: 0 };
      shape.observe!({ plan, tree, verdict, committed: Int32Array.of(0), rows: 5, draftMs: 1, verifyMs: 1 });
    }
    for (const rule of rules.filter((rule) => rule.laws.includes(shape.law))) {
      assert.equal((await proveShape(shape, rule, { seed: "learned", sizes: SMALL })).failure, undefined);
    }
  }
});

test("delayed trees branch at the root for some drafts and further down for others", async () => {
  const random = new Random(new SeededChance(5));
  const plan = { nodes: 6, depth: 3 };
  const forms = new Set<string>();
  for (let i = 0; i < 30; i++) {
    const of = makeCase("mixed", "iid", 2, [-1, 0, 1], random);
    for (const { value } of await everyTree(new Rows(of, false), new Delayed(2), plan)) {
      const branching = [-1, ...value.tokens.keys()].find((node) => value.parents.filter((p) => p === node).length > 1);
      if (branching !== undefined) forms.add(branching < 0 ? "at the root" : "further down");
    }
  }
  assert.deepEqual([...forms].sort(), ["at the root", "further down"]);
});

test("a controller that stops paths by q does no harm to any law", async () => {
  for (const shape of allShapes()) {
    if (shape.name === "chain") continue;
    const stopping: TreeShape = {
      ...shape,
      name: shape.name,
      law: shape.law,
      grow: (proposer, plan, chance) =>
        shape.grow(proposer, { ...plan, goOn: (q, depth) => depth === 1 || entropy(q) < 0.9 }, chance),
    };
    for (const rule of rules.filter((rule) => rule.laws.includes(shape.law))) {
      assert.equal((await proveShape(stopping, rule, { sizes: SMALL, seed: "stop" })).failure, undefined, shape.name);
    }
  }
});

test("a sampled tree that is pruned by how likely its tokens are is caught", async () => {
  const pruned: TreeShape = {
    name: "pruned",
    law: "distinct",
    async grow(proposer, plan, chance) {
      const tree = await gumbel([2, 1]).grow(proposer, plan, chance);
      return prune(tree, (node) => tree.confidence![node] > 0.3);
    },
  };
  for (const rule of rules.filter(({ name }) => name === "recursive" || name === "token")) {
    const { failure } = await proveShape(pruned, rule);
    assert.ok(failure!.exact.totalVariation > 1e-3, rule.name);
  }
});

test("greedy growth is no law with a settled number of draws: the optimal transport finds it out", async () => {
  const claimed: TreeShape = {
    name: "claimed",
    law: "distinct",
    grow: async (...given) => ({ ...await dySpec(0).grow(...given), law: "distinct" }),
  };
  const transport = rules.find(({ name }) => name === "optimal-transport")!;
  assert.ok((await proveShape(claimed, transport)).failure!.exact.totalVariation > 1e-3);
});

test("as the temperature falls to 0, drawn trees become trees of the likeliest", async () => {
  const of = makeCase("random", "distinct", 4, [-1, 0], new Random(new SeededChance(3)));
  const proposer = new TableProposer(new Rows(of, false));
  const grow = async (shape: TreeShape) => {
    await proposer.sync();
    return await shape.grow(proposer, { nodes: 4, depth: 2 }, LIKELIEST);
  };
  const byName = (name: string) => allShapes().find((shape) => shape.name === name)!;
  const [drawn, chosen] = [await grow(byName("gumbel")), await grow(byName("top-k"))];
  assert.deepEqual([drawn.tokens, drawn.parents], [chosen.tokens, chosen.parents]);
});
