// Shapes and joined drafters against what their papers say, where they once said or did something else.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GraftDrafter } from "../../../plugins/drafters/graft.ts";
import { SpineDrafter } from "../../../plugins/drafters/spine.ts";
import successors from "../../../plugins/drafters/successors.ts";
import { beam } from "../../../plugins/shapes/beam.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { dynamic } from "../../../plugins/shapes/dynamic.ts";
import { dySpec } from "../../../plugins/shapes/dyspec.ts";
import { endingGumbel, gumbel } from "../../../plugins/shapes/gumbel.ts";
import optTreePlugin, { optTree } from "../../../plugins/shapes/opt-tree.ts";
import { topK } from "../../../plugins/shapes/top-k.ts";
import { SeededChance } from "../../../src/chance.ts";
import type { Plan } from "../../../src/controller.ts";
import { dense, type Distribution } from "../../../src/math/distribution.ts";
import type { Drafter, Proposer } from "../../../src/drafter.ts";
import { LIKELIEST } from "../../../src/draft/proposed.ts";
import type { PluginContext } from "../../../src/plugins/plugin.ts";
import { GREEDY } from "../../../src/sampling.ts";
import type { TreeShape } from "../../../src/shape.ts";
import { chainTree, type DraftTree, EMPTY_TREE } from "../../../src/tree.ts";
import { hashed } from "../../support/table-engine.ts";

/** q by path. Counts passes and rows. */
class PathProposer implements Proposer {
  passes = 0;
  rows = 0;
  #paths: number[][] = [];

  constructor(readonly vocab: number, readonly q: (path: readonly number[]) => Distribution) {}

  async sync() {
    this.#paths = [];
  }

  async propose({ tokens, parents }: { readonly tokens: Int32Array; readonly parents: Int32Array }) {
    this.passes++;
    this.rows += Math.max(1, tokens.length);
    if (tokens.length === 0) return [this.q([])];
    return Array.from(tokens, (token, i) => {
      const path = [...(parents[i] < 0 ? [] : this.#paths[parents[i]]), token];
      this.#paths.push(path);
      return this.q(path);
    });
  }
}

const hashing = (seed: number, vocab: number, sharpness = 6) =>
  new PathProposer(vocab, (path) => {
    const weights = Array.from({ length: vocab }, (_, token) => Math.exp(sharpness * hashed(seed, ...path, token)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return dense(weights.map((weight) => weight / sum));
  });

async function grown(shape: TreeShape, proposer: Proposer, plan: Plan, seed?: number): Promise<DraftTree> {
  await proposer.sync(new Int32Array(0), GREEDY);
  return await shape.grow(proposer, plan, seed === undefined ? LIKELIEST : new SeededChance(seed));
}

const pathOf = (tree: DraftTree, node: number): number[] =>
  node < 0 ? [] : [...pathOf(tree, tree.parents[node]), tree.tokens[node]];
const pathsOf = (tree: DraftTree) => [...tree.tokens.keys()].map((node) => pathOf(tree, node).join()).sort();

test("a beam wider than the tokens that an urn keeps apart goes on at temperature 0", async () => {
  const proposer = hashing(3, 90, 3);
  const width = 80;
  const tree = await grown(beam(width), proposer, { nodes: 160, depth: 2 });
  // Plain beam search: of all sequences of the level, the likeliest.
  let level: { path: readonly number[]; value: number }[] = [{ path: [], value: 1 }];
  const wanted: string[] = [];
  for (let depth = 0; depth < 2; depth++) {
    level = level.flatMap(({ path, value }) =>
      Array.from(proposer.q(path).probabilities, (p, token) => ({ path: [...path, token], value: value * p }))
    ).sort((a, b) => b.value - a.value).slice(0, width);
    wanted.push(...level.map(({ path }) => path.join()));
  }
  assert.deepEqual(pathsOf(tree), wanted.sort());
});

test("dyspec draws where it is likeliest to be come to: the path stands and the elder siblings are refused", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (seed, n, depth) => {
        const proposer = hashing(seed, 5);
        const tree = await grown(dySpec(0), proposer, { nodes: n, depth }, seed);
        const likely = (path: readonly number[]) =>
          path.reduce((product, token, i) => product * proposer.q(path.slice(0, i)).probabilities[token], 1);
        for (let next = 0; next < tree.tokens.length; next++) {
          const s = (parent: number) => {
            const path = pathOf(tree, parent);
            if (path.length === depth) return 0;
            const elders = [...tree.tokens.subarray(0, next)].filter((_, node) => tree.parents[node] === parent);
            const q = proposer.q(path).probabilities;
            return likely(path) * (1 - elders.reduce((sum, token) => sum + q[token], 0));
          };
          const most = Math.max(...Array.from({ length: next + 1 }, (_, i) => s(i - 1)));
          assert.ok(s(tree.parents[next]) >= most - 1e-12, `node ${next} of ${[...tree.parents]}`);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("opt-tree?gain ends with the first level that adds no more to the expected acceptance, as the paper's does", async () => {
  const value = (tree: DraftTree) => {
    const values: number[] = [];
    tree.confidence!.forEach((own, node) => values.push(own * (values[tree.parents[node]] ?? 1)));
    return values.reduce((a, b) => a + b, 0);
  };
  const depths = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    const proposer = hashing(seed, 6, 8);
    const nodes = 3 + seed % 6;
    const best = async (depth: number) => await grown(optTree(0), proposer, { nodes, depth });
    let depth = 1; // by the definition, with the best trees of each depth
    while (depth < 6 && value(await best(depth)) - (depth > 1 ? value(await best(depth - 1)) : 0) > 0.3) depth++;
    const tree = await grown(optTree(0, 0.3), proposer, { nodes, depth: 6 });
    assert.ok(Math.abs(value(tree) - value(await best(depth))) < 1e-12);
    depths.add(depth);
  }
  assert.ok(depths.size > 1, "not always the same depth");
  assert.throws(() => optTreePlugin.create({ threshold: 0.1, gain: 0.1 }, "", {} as PluginContext), /not both/);
});

/** A source that always finds the same. */
const finds = (tree: DraftTree): Drafter => ({
  name: "finds",
  laws: ["point"],
  begin() {},
  draft: ({ nodes, depth }) =>
    tree.tokens.length === 0 ? EMPTY_TREE : chainTree(tree.tokens.slice(0, Math.min(nodes, depth))),
  observe() {},
});

test("graft prunes what retrieval fills and nothing else", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const nodes = 4 + seed % 7;
    const plan = { nodes, depth: 6 };
    const threshold = [0.05, 0.2, 1][seed % 3];
    const proposer = hashing(seed, 8, 5);
    const draft = async (found: DraftTree) => {
      const drafter = new GraftDrafter(proposer, finds(found), threshold);
      await drafter.begin(Int32Array.of(1), GREEDY);
      return await drafter.draft(plan, new SeededChance(1));
    };
    const full = await grown(optTree(0), proposer, plan);
    assert.deepEqual(pathsOf(await draft(EMPTY_TREE)), pathsOf(full), "nothing found, nothing pruned");
    const found = chainTree(Int32Array.of(full.tokens[0], 6, 7, 7)); // begins as the tree does
    const tree = await draft(found);
    assert.equal(tree.tokens.length, nodes, "no place is left empty");
    const retrieved = new Set([1, 2, 3, 4].map((length) => [...found.tokens.subarray(0, length)].join()));
    const gone = pathsOf(full).filter((path) => !pathsOf(tree).includes(path));
    const likely = (path: string) => {
      const tokens = path.split(",").map(Number);
      return tokens.reduce((p, token, i) => p * proposer.q(tokens.slice(0, i)).probabilities[token], 1);
    };
    for (const path of gone) assert.ok(likely(path) < threshold, "what is likely stays");
    const came = pathsOf(tree).filter((path) => !pathsOf(full).includes(path));
    for (const path of came) assert.ok(retrieved.has(path));
    assert.equal(gone.length, came.length);
    // As many of the unlikely give way as were found and are not there, and of them the least likely.
    const unlikely = pathsOf(full).filter((path) => likely(path) < threshold && !retrieved.has(path));
    const lacking = [...retrieved].filter((path) => !pathsOf(full).includes(path)).length;
    assert.equal(gone.length, Math.min(unlikely.length, lacking));
    const kept = unlikely.filter((path) => !gone.includes(path));
    for (const path of gone) for (const other of kept) assert.ok(likely(path) <= likely(other) + 1e-12);
  }
});

test("spine keeps at least what its spine would, and with equal nodes not always what its proposer would", async () => {
  const text = [1, 2, 3, 4];
  const accepted = (tree: DraftTree) => {
    const paths = pathsOf(tree);
    return text.filter((_, i) => paths.includes(text.slice(0, i + 1).join())).length;
  };
  // The proposer is right four tokens deep; the spine is wrong from its first token on.
  const proposer = new PathProposer(
    8,
    (path) => dense(Array.from({ length: 8 }, (_, token) => token === text[path.length] ? 0.93 : 0.01)),
  );
  const plan = { nodes: 4, depth: 4 };
  const spine = async (found: DraftTree) => {
    const drafter = new SpineDrafter(proposer, finds(found), 2);
    await drafter.begin(Int32Array.of(0), GREEDY);
    return accepted(await drafter.draft(plan, new SeededChance(1)));
  };
  const alone = accepted(await grown(chain, proposer, plan));
  assert.equal(alone, 4);
  assert.ok(await spine(chainTree(Int32Array.of(7, 7, 7))) < alone);
  for (let right = 0; right <= 4; right++) {
    const found = chainTree(Int32Array.from(text, (token, i) => i < right ? token : 7));
    assert.ok(await spine(found) >= right);
  }
});

test("successors cites no paper: it counts what the text said", () => {
  assert.equal(successors.paper, undefined);
});

test("gumbel?threshold ends paths that are unlikely to stand; without it the tree is as wide and deep as it may", async () => {
  const plan = { nodes: 40, depth: 4 };
  let [ending, all] = [0, 0];
  for (let seed = 0; seed < 20; seed++) {
    const tree = await grown(gumbel([2]), hashing(seed, 9), plan, seed);
    assert.equal(tree.tokens.length, 2 + 4 + 8 + 16);
    const ended = await grown(endingGumbel([2], 0.2), hashing(seed, 9), plan, seed);
    all += tree.tokens.length;
    ending += ended.tokens.length;
    assert.ok(ended.tokens.length >= 2);
  }
  assert.ok(ending < 0.6 * all, `${ending} of ${all}`);
});

test("where a plan says `last`, children are drawn and nothing below them, and no pass is run for that", async () => {
  for (const shape of [chain, topK([2]), gumbel([2]), beam(2), dySpec(0), optTree(0), optTree(0, 1e-9), dynamic(3)]) {
    const proposer = hashing(5, 6);
    const asked: number[] = [];
    const goOn = (_: Distribution, depth: number) => {
      asked.push(depth);
      return depth < 2 || "last";
    };
    const tree = await grown(shape, proposer, { nodes: 12, depth: 5, goOn }, 1);
    const deep = pathsOf(tree).map((path) => path.split(",").length);
    assert.equal(Math.max(...deep), 2, shape.name);
    assert.equal(Math.max(...asked), 2, shape.name);
  }
});
