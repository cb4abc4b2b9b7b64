// Shapes keep to their budgets, and the trees of the papers are the ones that come out.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { Forms } from "../../../plugins/shapes/best-skeleton.ts";
import { dynamic } from "../../../plugins/shapes/dynamic.ts";
import { gumbel } from "../../../plugins/shapes/gumbel.ts";
import { optTree } from "../../../plugins/shapes/opt-tree.ts";
import { Sequoia } from "../../../plugins/shapes/sequoia.ts";
import fixedPlugin, { fixedTree, readSkeleton, usualForm } from "../../../plugins/shapes/static.ts";
import topKPlugin, { topK } from "../../../plugins/shapes/top-k.ts";
import { recursive } from "../../../plugins/rules/recursive.ts";
import { SeededChance } from "../../../src/chance.ts";
import { type Case, contextCount, Rows } from "../../../src/check/case.ts";
import { makeCase, Random } from "../../../src/check/generate-cases.ts";
import { enumerateShape, TableProposer } from "../../../src/check/shapes.ts";
import type { Plan } from "../../../src/controller.ts";
import { dense } from "../../../src/math/distribution.ts";
import type { Proposer } from "../../../src/drafter.ts";
import type { PluginContext } from "../../../src/plugins/plugin.ts";
import type { TreeShape } from "../../../src/shape.ts";
import { depths, type DraftTree, treeFault } from "../../../src/tree.ts";
import { hashed } from "../../support/table-engine.ts";
import { allShapes } from "./all.ts";
import { temporaryFolder } from "../../support/folder.ts";

const folder = temporaryFolder();

/** q is a hash of the path, with zeros; speaks to at most `most` nodes. */
function hashing(seed: number, vocab: number, most = Infinity): Proposer & { nodes: number } {
  let paths: number[][] = [];
  const q = (path: readonly number[]) => {
    const weights = Array.from({ length: vocab }, (_, token) => {
      const u = hashed(seed, ...path, token);
      return u < 0.3 ? 0 : Math.exp(6 * u);
    });
    weights[hashed(seed, ...path) * vocab | 0] += 1; // never nothing
    const sum = weights.reduce((a, b) => a + b, 0);
    return dense(weights.map((weight) => weight / sum));
  };
  return {
    vocab,
    nodes: 0,
    async sync() {
      paths = [];
    },
    async propose({ tokens, parents }) {
      if (tokens.length === 0) return [q([])];
      const first = paths.length;
      tokens.forEach((token, i) => {
        assert.ok(parents[i] >= -1 && parents[i] < paths.length, "the proposer was told of the parent before");
        paths.push([...(parents[i] < 0 ? [] : paths[parents[i]]), token]);
      });
      this.nodes = paths.length;
      return paths.length > most ? [] : paths.slice(first).map(q);
    },
  };
}

async function grown(shape: TreeShape, proposer: Proposer, plan: Plan, seed = 1): Promise<DraftTree> {
  await proposer.sync(new Int32Array(0), undefined as never);
  return await shape.grow(proposer, plan, new SeededChance(seed));
}

test("below a token that the proposer knows nothing after, every shape draws nothing, and goes on elsewhere", async () => {
  const whole = dense([0.5, 0.3, 0.2]);
  for (const shape of allShapes()) {
    const proposer: Proposer = {
      vocab: 3,
      sync: () => Promise.resolve(),
      propose: ({ tokens }) =>
        Promise.resolve(
          tokens.length === 0 ? [whole] : Array.from(tokens, (token) => token === 0 ? dense([0, 0, 0]) : whole),
        ),
    };
    for (let seed = 0; seed < 40; seed++) {
      const { tokens, parents } = await shape.grow(proposer, { nodes: 7, depth: 3 }, new SeededChance(seed));
      assert.ok(tokens.length > 0, shape.name);
      parents.forEach((parent) => assert.notEqual(tokens[parent], 0, shape.name));
    }
  }
});

test("no shape outgrows its plan, whatever the proposer says and wherever its context ends", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.option(fc.nat({ max: 12 }), { nil: Infinity }),
      async (seed, vocab, nodes, deep, most) => {
        const plan = { nodes, depth: Math.min(deep, nodes) };
        for (const shape of allShapes()) {
          const proposer = hashing(seed, vocab, most);
          const tree = await grown(shape, proposer, plan, seed);
          assert.equal(treeFault(tree, { vocab, ...plan }), undefined, shape.name);
          assert.equal(tree.law, shape.law);
          assert.equal(tree.confidence?.length ?? tree.tokens.length, tree.tokens.length);
          if (most === Infinity) assert.ok(tree.tokens.length > 0, shape.name);
          assert.ok(
            proposer.nodes <= Math.max(nodes, 96),
            `${shape.name} told the proposer of ${proposer.nodes} of ${nodes} nodes`,
          );
          // q is told for every place that was drawn from, and only tokens that it has were drawn.
          tree.tokens.forEach((token, node) => {
            const q = tree.q(tree.parents[node]);
            if (shape.law === "point") assert.equal(q, undefined);
            else assert.ok(q!.probabilities[token] > 0);
          });
          if (shape.law === "iid") continue;
          const children = tree.tokens.map((token, node) => tree.parents[node] * vocab + token);
          assert.equal(new Set(children).size, tree.tokens.length, `${shape.name}: no child is there twice`);
        }
      },
    ),
    { numRuns: 150 },
  );
});

/** Expected accepted nodes where a chosen node is accepted as often as its path is likely. */
function expected(tree: DraftTree): number {
  const value: number[] = [];
  tree.confidence!.forEach((own, node) => value.push(own * (tree.parents[node] < 0 ? 1 : value[tree.parents[node]])));
  return value.reduce((a, b) => a + b, 0);
}

/** The best expected acceptance of any tree, by trying all: the likeliest paths that hang together. */
function bestByForce(of: Case, { nodes, depth }: Plan): number {
  const { vocab, q } = of;
  const value = new Float64Array(contextCount(vocab, depth));
  value[0] = 1;
  const paths = Array.from({ length: value.length - 1 }, (_, i) => i + 1);
  for (const c of paths) {
    const above = Math.floor((c - 1) / vocab);
    const row = q[above];
    value[c] = value[above] * row[(c - 1) % vocab] / row.reduce((a, b) => a + b, 0);
  }
  const best = (chosen: ReadonlySet<number>, from: number, sum: number): number => {
    if (chosen.size === nodes + 1) return sum;
    let most = sum;
    for (let c = from; c <= paths.length; c++) {
      if (!chosen.has(Math.floor((c - 1) / vocab))) continue;
      most = Math.max(most, best(new Set([...chosen, c]), c + 1, sum + value[c]));
    }
    return most;
  };
  return best(new Set([0]), 1, 0);
}

test("opt-tree is the best of all trees, found by trying them all", async () => {
  const random = new Random(new SeededChance(8));
  for (let i = 0; i < 40; i++) {
    const plan = { nodes: 1 + i % 5, depth: 1 + i % 3 };
    const of = makeCase(i % 2 === 0 ? "random" : "ties", "point", 3, [-1, 0, 1], random);
    const tree = await grown(optTree(0), new TableProposer(new Rows(of, false)), plan);
    assert.ok(Math.abs(expected(tree) - bestByForce(of, plan)) < 1e-12);
  }
});

test("opt-tree expects at least what dynamic does, and dynamic at least what the fixed forms do", async () => {
  const sums = { opt: 0, dynamic: 0, fixed: 0, topK: 0 };
  for (let seed = 0; seed < 60; seed++) {
    const plan = { nodes: 4 + seed % 13, depth: 5 };
    const of = async (shape: TreeShape) => expected(await grown(shape, hashing(seed, 10), plan));
    const opt = await of(optTree(0));
    const some = { dynamic: await of(dynamic(4)), fixed: await of(fixedTree(usualForm(), "point")) };
    const more = { ...some, topK: await of(topK([3, 2, 1])) };
    for (const other of Object.values(more)) assert.ok(opt >= other - 1e-12);
    assert.ok(await of(dynamic(16)) > opt - 1e-12, "looking at enough, dynamic finds the best tree as well");
    sums.opt += opt;
    sums.dynamic += more.dynamic;
    sums.fixed += more.fixed;
    sums.topK += more.topK;
  }
  assert.ok(sums.opt >= sums.dynamic && sums.dynamic > sums.fixed && sums.dynamic > sums.topK, JSON.stringify(sums));
});

test("the form of Sequoia's programme is the best of all forms, found by trying them all", () => {
  const acceptance = [0.5, 0.3, 0.1];
  const worth = (parents: readonly number[]) => {
    const value: number[] = [];
    parents.forEach((parent, node) => {
      const rank = parents.slice(0, node).filter((other) => other === parent).length;
      value.push((acceptance[rank] ?? 0) * (parent < 0 ? 1 : value[parent]));
    });
    return value.reduce((a, b) => a + b, 0);
  };
  const deep = (parents: readonly number[]) =>
    depths({ parents: Int32Array.from(parents) } as DraftTree).reduce((a, b) => Math.max(a, b), 0);
  const force = (parents: readonly number[], nodes: number, depth: number): number => {
    if (deep(parents) > depth) return 0;
    let best = worth(parents);
    if (parents.length === nodes) return best;
    for (let parent = -1; parent < parents.length; parent++) {
      best = Math.max(best, force([...parents, parent], nodes, depth));
    }
    return best;
  };
  const forms = new Forms(acceptance, 12, 6);
  for (const [nodes, depth] of [[1, 1], [3, 1], [3, 2], [5, 2], [5, 3], [6, 4]]) {
    const best = force([], nodes, depth);
    const form = forms.skeleton(nodes, depth);
    assert.ok(Math.abs(forms.expected(nodes, depth) - best) < 1e-12);
    assert.ok(Math.abs(worth(form) - best) < 1e-12);
    assert.ok(form.length <= nodes && deep(form) <= depth);
  }
});

test("sequoia learns ranks, and takes the size that pays by the cost curve", async () => {
  const shape = new Sequoia((width) => width <= 4 ? 1 : 100, 3);
  const proposer = hashing(2, 10);
  const plan = { nodes: 16, depth: 8 };
  const round = async (accept: number) => {
    const tree = await grown(shape, proposer, plan);
    const children = [...tree.parents.keys()].filter((node) => tree.parents[node] < 0);
    const path = children[accept] === undefined ? [] : [children[accept]];
    const verdict = { path: Int32Array.from(path), next: 0 };
    shape.observe({ plan, tree, verdict, committed: Int32Array.of(0), rows: 4, draftMs: 0.01, verifyMs: 1 });
    return tree;
  };
  assert.equal((await round(0)).tokens.length, 3, "a fourth row costs nothing, a fifth a hundred times as much");
  for (let i = 0; i < 200; i++) await round(9); // never any
  assert.ok(shape.acceptance()[0] < 0.3);
  for (let i = 0; i < 300; i++) await round(0);
  assert.ok(shape.acceptance()[0] > 0.3);
  const unknown = new Sequoia(() => NaN, 3);
  assert.ok((await grown(unknown, hashing(2, 10), plan)).tokens.length === 16, "without costs, all that is allowed");
});

test("drawn without replacement more is accepted than with, under the same rule and form", async () => {
  const random = new Random(new SeededChance(12));
  const repeats = (widths: number[]): TreeShape => ({
    name: "repeats",
    law: "iid",
    async grow(proposer, plan, chance) {
      const [q] = await proposer.propose({ tokens: new Int32Array(0), parents: new Int32Array(0) });
      const tokens = Int32Array.from({ length: Math.min(widths[0], plan.nodes) }, () => chance.pick(q));
      return { tokens, parents: tokens.map(() => -1), law: "iid", q: () => q };
    },
  });
  let [without, with_] = [0, 0];
  for (let i = 0; i < 40; i++) {
    const of = makeCase("random", "distinct", 4, [-1], random);
    const plan = { nodes: 2, depth: 1 };
    without += (await enumerateShape(of, gumbel([2]), plan, recursive)).accepted;
    with_ += (await enumerateShape({ ...of, law: "iid" }, repeats([2]), plan, recursive)).accepted;
  }
  assert.ok(without > 1.02 * with_, `${without} and ${with_}`);
});

test("a fixed tree comes from Medusa's paths or Sequoia's successors, and is cut down to the plan", async () => {
  const file = (name: string, value: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
    return path;
  };
  const medusa = file("medusa.json", [[0], [1], [0, 0], [2], [0, 1], [0, 0, 0]]);
  const sequoia = file("sequoia.json", { Successors: [[1, 2, 4], [3, 5], [], [6], [], [], []] });
  assert.deepEqual(readSkeleton(medusa), [-1, -1, 0, -1, 0, 2]);
  assert.deepEqual(readSkeleton(sequoia), [-1, -1, 0, -1, 0, 2]);
  const shape = await fixedPlugin.create({ law: "point" }, medusa, {} as PluginContext);
  const parents = async (plan: Plan) => [...(await grown(shape, hashing(1, 12), plan)).parents];
  assert.deepEqual(await parents({ nodes: 9, depth: 9 }), [-1, -1, -1, 0, 0, 3]);
  assert.deepEqual(await parents({ nodes: 4, depth: 4 }), [-1, -1, -1, 0]);
  assert.deepEqual(await parents({ nodes: 9, depth: 2 }), [-1, -1, -1, 0, 0]);
  const refused: [unknown, RegExp][] = [
    ["{", /not JSON/],
    [7, /neither a list/],
    [[[0], [1, 0]], /entry 1 of the tree, \[1,0\], comes before its parent/],
    [[[1]], /entry 0 of the tree, \[1\], should be child 0/],
    [[[0], [0]], /should be child 1/],
    [[[]], /entry 0 of the tree is no path/],
    [[["0"]], /entry 0/],
    [Array.from({ length: 2000 }, (_, i) => [i]), /2000 nodes/],
    [{ Successors: [[5]] }, /entry 0/],
    [{ Successors: [3] }, /neither a list/],
  ];
  for (const [value, message] of refused) assert.throws(() => readSkeleton(file("bad.json", value)), message);
  assert.throws(() => readSkeleton(join(folder, "none.json")), /cannot be read/);
});

test("widths are numbers with commas", async () => {
  const shape = await topKPlugin.create({ widths: "2,1" }, "", {} as PluginContext);
  assert.deepEqual([...(await grown(shape, hashing(1, 12), { nodes: 9, depth: 3 })).parents], [-1, -1, 0, 1, 2, 3]);
  for (const widths of ["", "2,0", "a", "1.5", "2,,1"]) {
    assert.throws(() => topKPlugin.create({ widths }, "", {} as PluginContext), /top-k\?widths/);
  }
});
