// Drafters of phrases: hierarchy, lookahead, ouroboros.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { HierarchyDrafter } from "../../../plugins/drafters/hierarchy.ts";
import { LookaheadDrafter } from "../../../plugins/drafters/lookahead.ts";
import { LookupDrafter } from "../../../plugins/drafters/lookup.ts";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { OuroborosDrafter } from "../../../plugins/drafters/ouroboros.ts";
import { prune } from "../../../src/draft/tree-edit.ts";
import { reviewedChain } from "../../../src/draft/reviewed.ts";
import { SeededChance } from "../../../src/chance.ts";
import type { Proposer } from "../../../src/drafter.ts";
import { point } from "../../../src/math/distribution.ts";
import { complete } from "../../../src/round/generate.ts";
import { GREEDY } from "../../../src/sampling.ts";
import type { DraftTree } from "../../../src/tree.ts";
import { optionsOf } from "../../support/options.ts";
import { paths, roundOf, saying } from "../../support/rounds.ts";
import { hashed, TableEngine } from "../../support/table-engine.ts";

const chance = new SeededChance(1);
const leaves = (tree: DraftTree) => paths(tree).filter((_, node) => !tree.parents.includes(node));

test("hierarchy asks this text first, then earlier answers by frequency, then the last drafter", async () => {
  const drafter = new HierarchyDrafter(2, 3, new LookupDrafter(8, 1));
  const plan = { nodes: 12, depth: 4 };
  await drafter.begin(Int32Array.of(8, 8), GREEDY);
  await drafter.observe(saying([1, 4, 5, 1, 6, 7, 1, 4, 5, 1, 9, 9]));
  await drafter.begin(Int32Array.of(1, 2, 3, 0, 1), GREEDY);
  assert.deepEqual(leaves(await drafter.draft(plan, chance)), [[2, 3], [4, 5], [9, 9]], "three are enough");
  assert.deepEqual(leaves(await drafter.after(Int32Array.of(6), plan, chance)), [[7, 1]]);
  await drafter.observe(saying([2, 9, 5, 1]));
  assert.deepEqual(leaves(await drafter.draft(plan, chance)), [[2, 9], [2, 3], [4, 5]], "the latest first");
  await drafter.begin(Int32Array.of(30, 30), GREEDY);
  assert.deepEqual(leaves(await drafter.draft(plan, chance)), [[30]], "too short for a phrase, long enough for lookup");
});

test("lookahead: columns hang below the first level, step on with every pass, and become n-grams", () => {
  const drafter = new LookaheadDrafter(2, 3, 2);
  const plan = { nodes: 16, depth: 8 };
  drafter.begin(Int32Array.of(1, 2, 3, 4, 5, 6, 7)); // no n-gram begins with 7: only the window is drafted
  const tree = drafter.draft(plan);
  assert.deepEqual([...tree.parents], [-1, -1, 1]);
  const [zeroth, first, second] = tree.tokens;
  // The target says 50 after 7, 60 at the end of the first column and 62 at the end of the second.
  drafter.observe(roundOf(tree, [], 50, [[50], [60], [61], [62]]));
  assert.deepEqual(paths(drafter.draft(plan)), [[60], [second], [second, 62]]);
  const drafted = () => paths(drafter.draft(plan)).map((path) => path.join());
  drafter.observe(saying([7]));
  assert.deepEqual(
    drafted().slice(0, 4),
    ["50", "50,7", `${zeroth}`, `${zeroth},60`],
    "the text's own, and column one",
  );
  drafter.observe(saying([first]));
  assert.deepEqual(drafted().filter((path) => path === `${second},62`).length, 1, "column two is an n-gram as well");
});

test("lookahead: the window moves on by what was committed", () => {
  const drafter = new LookaheadDrafter(3, 3, 1);
  const plan = { nodes: 16, depth: 8 };
  drafter.begin(Int32Array.of(1, 2, 3, 4, 5, 6, 7));
  const tree = drafter.draft(plan);
  assert.deepEqual([...tree.parents], [-1, -1, 1, 1, 3]);
  // Column ends are nodes 0, 2 and 4; the trunk is nodes 1 and 3. Node 1 is accepted, and 9 follows.
  const rows = [[tree.tokens[1]], [40], [9], [41], [43], [42]];
  drafter.observe(roundOf(tree, [1], 9, rows));
  const [next] = [drafter.draft(plan)];
  const trunk = tree.tokens[4]; // level 1 of the last column is where the first level of the second now stands
  assert.deepEqual(paths(next).slice(0, 3), [[41], [trunk], [trunk, 42]]);
});

test("lookahead drafts from what the target guessed ahead alone: fewer passes, the same text", async () => {
  const engine = new TableEngine({ order: 1, vocab: 60, seed: 2 });
  const options = () => optionsOf({ engine, maxTokens: 60, prompt: [1, 2, 3] });
  const plain = await complete(options());
  const drafter = new LookaheadDrafter(5, 4, 5);
  const ahead = await complete({ ...options(), drafter, controller: fixed(29, 6) });
  assert.deepEqual(ahead.tokens, plain.tokens);
  assert.ok(ahead.stats.passes < 40, `${ahead.stats.passes} passes`);
  const narrow = await complete({ ...options(), drafter, controller: fixed(2, 1) });
  assert.deepEqual(narrow.tokens, plain.tokens);
});

test("a reviewed chain is the proposer's own, whatever is guessed, and right guesses save passes", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const engine = new TableEngine({ seed, vocab: 12, order: 2 });
    const text = [1, 2, 3];
    const want: number[] = [];
    for (let i = 0; i < 7; i++) want.push(engine.likeliest([...text, ...want]));
    const skill = seed / 19;
    const proposer = new ModelProposer(engine);
    await proposer.sync(Int32Array.from(text), { ...GREEDY, temperature: 1 });
    const before = engine.passes;
    const chain = await reviewedChain(
      proposer,
      7,
      (path) =>
        want.slice(path.length, path.length + 3).map((token, i) =>
          hashed(seed, path.length, i) < skill ? token : 11 - token
        ),
    );
    assert.deepEqual(chain, want);
    if (skill === 1) assert.ok(engine.passes - before <= 3, `${engine.passes - before} passes`);
    proposer.close();
  }
});

/** After t comes t + 1. */
const counting: Proposer = {
  vocab: 40,
  sync: () => Promise.resolve(),
  propose: ({ tokens }) =>
    Promise.resolve(Array.from(tokens.length > 0 ? tokens : [last], (token) => point(40, token + 1))),
};
let last = 0;

test("ouroboros goes on from the model's last token with phrases of what the target said at refused ones", async () => {
  const drafter = new OuroborosDrafter(counting, 3, 2, 2);
  const plan = { nodes: 12, depth: 6 };
  drafter.begin(Int32Array.of(3), GREEDY);
  last = 3;
  const tree = await drafter.draft(plan);
  assert.deepEqual(paths(tree), [[4], [4, 5], [4, 5, 6]]);
  // 4 stands; then the target goes its own way, and says 31 and 32 after what the model drafted.
  drafter.observe(roundOf(tree, [0], 30, [[4], [30], [31], [32]]));
  drafter.observe(saying([27]));
  last = 27;
  assert.deepEqual(leaves(await drafter.draft(plan)), [[28, 29, 30, 31, 32]]);
  assert.deepEqual(leaves(await drafter.draft({ nodes: 4, depth: 4 })), [[28, 29, 30, 31]]);
  drafter.begin(Int32Array.of(9, 27), GREEDY); // another text: the phrases stay
  const cut = await drafter.draft(plan);
  assert.deepEqual(leaves(cut), [[28, 29, 30, 31, 32]]);
  // Where a pass leaves nodes out, nothing is known of them: 28 is refused, 29 and what stands below were never scored.
  drafter.observe(roundOf(prune(cut, (node) => node < 1), [], 30, [[30], [33]]));
  drafter.observe(saying([27]));
  assert.deepEqual(leaves(await drafter.draft(plan)), [[28, 29, 30, 31, 32]]);
});

test("ouroboros says what plain decoding says", async () => {
  const target = new TableEngine({ seed: 8, vocab: 40, order: 1 });
  const drafter = new OuroborosDrafter(new ModelProposer(new TableEngine({ seed: 8, vocab: 40, order: 1 })), 2, 2, 2);
  const options = () => optionsOf({ engine: target, maxTokens: 50, prompt: [1, 2, 3] });
  const plain = await complete(options());
  const drafted = await complete({ ...options(), drafter, controller: fixed(12, 6) });
  assert.deepEqual(drafted.tokens, plain.tokens);
  assert.ok(drafted.stats.passes <= 17, `${drafted.stats.passes} passes: phrases make more than the model's two`);
  drafter.close();
});

test("hierarchy: a phrase that both pools have counts once, and the last drafter gets the nodes that are left", async () => {
  const plans: number[] = [];
  const last = new LookupDrafter(8, 1);
  const draft = last.draft.bind(last);
  last.draft = (plan) => (plans.push(plan.nodes), draft(plan));
  const drafter = new HierarchyDrafter(2, 2, last);
  await drafter.begin(Int32Array.of(8, 8), GREEDY);
  await drafter.observe(saying([1, 2, 3, 1, 2, 3, 1, 4, 5]));
  await drafter.begin(Int32Array.of(1, 2, 3, 0, 1), GREEDY);
  assert.deepEqual(leaves(await drafter.draft({ nodes: 12, depth: 4 }, chance)), [[2, 3], [4, 5]]);
  await drafter.begin(Int32Array.of(6, 2, 3, 0, 6), GREEDY);
  await drafter.draft({ nodes: 12, depth: 4 }, chance);
  assert.deepEqual(plans, [10]);
});

test("lookahead: the window gets its nodes in small plans as well, beside n-grams", () => {
  const drafter = new LookaheadDrafter(5, 4, 5);
  drafter.begin(Int32Array.of(7, 1, 2, 3, 7, 4, 5, 6, 7));
  for (const nodes of [4, 5, 6, 9]) {
    const { sources } = drafter.draft({ nodes, depth: 6 });
    assert.ok(sources!.filter((source) => source === "window").length >= 2, `${nodes}: ${sources}`);
    assert.ok(sources!.includes("n-gram"), `${nodes}: ${sources}`);
  }
});

test("ouroboros learns nothing of a draft that nobody judged before the next text", async () => {
  const proposer: Proposer = {
    vocab: 20,
    sync: () => Promise.resolve(),
    propose: ({ tokens }) => Promise.resolve(Array.from({ length: Math.max(1, tokens.length) }, () => point(20, 15))),
  };
  const phrases = async (cutOff: boolean) => {
    const drafter = new OuroborosDrafter(proposer, 2, 2, 2);
    drafter.begin(Int32Array.of(1, 2), GREEDY);
    const tree = await drafter.draft({ nodes: 8, depth: 8 });
    if (cutOff) drafter.begin(Int32Array.of(1, 2), GREEDY);
    drafter.observe(roundOf(tree, [], 15, [[15], ...Array.from(tree.tokens, () => [16])]));
    drafter.begin(Int32Array.of(1, 2), GREEDY);
    return paths(await drafter.draft({ nodes: 8, depth: 8 })).filter((path) => path.includes(16));
  };
  assert.deepEqual(await phrases(false), [[15, 15, 16], [15, 15, 16, 16]]);
  assert.deepEqual(await phrases(true), []);
});
