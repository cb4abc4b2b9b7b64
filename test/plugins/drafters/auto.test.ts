// auto: what it drafts, how much, and what it learns.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MarginalController } from "../../../plugins/controllers/marginal.ts";
import { AutoDrafter } from "../../../plugins/drafters/auto.ts";
import { match } from "../../../plugins/rules/match.ts";
import type { Round } from "../../../src/controller.ts";
import { complete } from "../../../src/round/generate.ts";
import { IndexedCorpus, indexOf } from "../../../src/store/corpus.ts";
import { type DraftTree, EMPTY_TREE } from "../../../src/tree.ts";
import { prune } from "../../../src/draft/tree-edit.ts";
import { optionsOf } from "../../support/options.ts";
import { TableEngine } from "../../support/table-engine.ts";

const flat = { nodes: 8, depth: 8, cost: () => 10 };
const tokensOf = (text: string) => Int32Array.from(text, (letter) => letter.charCodeAt(0));

/** The draft after a text, as paths of letters. */
function pathsAfter(text: string, plan = flat): string[] {
  const drafter = new AutoDrafter();
  drafter.begin(tokensOf(text));
  const { tokens, parents } = drafter.draft(plan);
  const paths: string[] = [];
  tokens.forEach((token, node) => paths.push((paths[parents[node]] ?? "") + String.fromCharCode(token)));
  return paths;
}

test("what followed the same words before is drafted, every continuation a branch", () => {
  const paths = pathsAfter("the cat sat. the dog ran. the ");
  assert.ok(paths.includes("c") && paths.includes("d"), paths.join());
  assert.ok(paths.some((path) => path.startsWith("cat")) || paths.some((path) => path.startsWith("dog")));
});

test("where the end of the text repeats itself the draft goes on repeating", () => {
  assert.deepEqual(pathsAfter("abababab").filter((path) => path.length === 8), ["abababab"]);
});

test("a text that never said its last word drafts nothing", () => {
  assert.deepEqual(pathsAfter("abcdefg"), []);
});

test("where rows are dear only what is likely is drafted", () => {
  const dear = pathsAfter(
    "the cat sat. the dog ran. the ",
    { ...flat, cost: (rows: number = 1) => 10 * rows } as never,
  );
  assert.ok(dear.length < pathsAfter("the cat sat. the dog ran. the ").length);
});

test("guesses that are refused again and again are drafted no more, and again once they are accepted", () => {
  const drafter = new AutoDrafter();
  const plan = { nodes: 4, depth: 4, cost: (rows: number) => 10 + 3 * rows };
  drafter.begin(tokensOf("xyxyxyxyxy"));
  const play = (right: boolean) => {
    const tree = drafter.draft(plan);
    const path = right ? Int32Array.from(tree.tokens, (_, node) => node) : new Int32Array(0);
    const committed = right ? tree.tokens : new Int32Array(0);
    drafter.observe({ tree, verdict: { path, next: 0 }, committed } as unknown as Round);
    return tree.tokens.length;
  };
  const sizes = Array.from({ length: 60 }, () => play(false));
  assert.ok(sizes[0] >= 1 && sizes[59] === 0, sizes.join());
});

test("text is that of plain decoding, greedy and by seed, and passes are fewer", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(0, 0.7), async (seed, temperature) => {
      const engine = new TableEngine({ seed, vocab: 12 });
      const common = { engine, seed, sampling: { temperature }, ...(temperature > 0 && { rule: match }) };
      const plain = await complete(optionsOf(common));
      const controller = new MarginalController(24);
      const drafted = await complete(optionsOf({ ...common, drafter: new AutoDrafter(), controller }));
      assert.deepEqual(drafted.tokens, plain.tokens);
    }),
    { numRuns: 30 },
  );
});

test("what the target found likely after the same words is drafted though the text never said it", () => {
  const drafter = new AutoDrafter();
  drafter.begin(tokensOf("ab"));
  const likely = (letter: string) => ({ tokens: tokensOf(letter), probabilities: Float32Array.of(0.9) });
  drafter.observe({
    tree: EMPTY_TREE,
    verdict: { path: new Int32Array(0), next: 99 },
    committed: tokensOf("cdab"),
    candidates: [likely("z")],
  } as unknown as Round);
  const { tokens } = drafter.draft(flat);
  assert.ok(tokens.includes("c".charCodeAt(0)) && tokens.includes("z".charCodeAt(0)), tokens.join());
});

test("what a refused node's row found likely is kept as well", () => {
  const drafter = new AutoDrafter();
  drafter.begin(tokensOf("abxab"));
  const tree = drafter.draft(flat);
  const node = tree.tokens.indexOf("x".charCodeAt(0));
  assert.equal(tree.parents[node], -1);
  const nothing = { tokens: new Int32Array(0), probabilities: new Float32Array(0) };
  const candidates = Array.from({ length: tree.tokens.length + 1 }, () => nothing);
  candidates[node + 1] = { tokens: tokensOf("z"), probabilities: Float32Array.of(0.9) };
  const round = { tree, verdict: { path: new Int32Array(0), next: 0 }, committed: tokensOf("qbx"), candidates };
  drafter.observe(round as unknown as Round);
  assert.ok(drafter.draft(flat).tokens.includes("z".charCodeAt(0)));
});

test("what followed the same words in the store is drafted, and told as the store's", () => {
  const corpus = new IndexedCorpus(128);
  corpus.indexes = [indexOf([[..."the moon rose"].map((letter) => letter.charCodeAt(0))], 128)];
  const drafter = new AutoDrafter(corpus);
  drafter.begin(tokensOf("see the mo"));
  const { tokens, sources } = drafter.draft(flat);
  assert.match(String.fromCharCode(...tokens), /^on( r?o?s?e?)$/);
  assert.deepEqual(sources, Array.from(tokens, () => "store"));
});

test("where a part of the draft was verified, it learns from that part", () => {
  const drafter = new AutoDrafter();
  drafter.begin(tokensOf("the cat sat. the dog ran. the "));
  const tree = drafter.draft(flat);
  assert.ok(tree.parents.filter((parent) => parent < 0).length > 1, "there are branches");
  const part = prune(tree, (node) => node !== 0);
  const path = Int32Array.of(0);
  drafter.observe({ tree: part, verdict: { path, next: 0 }, committed: Int32Array.of(part.tokens[0], 0) } as never);
  drafter.observe(
    { tree: EMPTY_TREE, verdict: { path: new Int32Array(0), next: 1 }, committed: Int32Array.of(1) } as never,
  );
});

test("it learns nothing from a tree that it did not draw: another drafter's round, or a text after one that was cut off", () => {
  const drafter = new AutoDrafter();
  const text = tokensOf("the cat sat. the dog ran. the ");
  const weights = drafter.weights;
  const refused = (tree: DraftTree) =>
    drafter.observe({ tree, verdict: { path: new Int32Array(0), next: 0 }, committed: tokensOf("q") } as never);
  drafter.begin(text);
  const tree = drafter.draft(flat);
  drafter.begin(text); // nobody judged the draft
  refused(tree);
  assert.deepEqual(drafter.weights, weights);
  drafter.draft(flat);
  refused(EMPTY_TREE);
  refused(tree); // another drafter's, as it happens the same
  assert.deepEqual(drafter.weights, weights);
});
