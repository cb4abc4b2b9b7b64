// rest and rasd: what a store says, against counting it by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RasdDrafter } from "../../../plugins/drafters/rasd.ts";
import rest, { RestDrafter } from "../../../plugins/drafters/rest.ts";
import { optTree } from "../../../plugins/shapes/opt-tree.ts";
import { match } from "../../../plugins/rules/match.ts";
import { token } from "../../../plugins/rules/token.ts";
import { proveDrafter } from "../../../src/check/drafters.ts";
import { SeededChance } from "../../../src/chance.ts";
import { dense, type Distribution } from "../../../src/math/distribution.ts";
import type { Proposer } from "../../../src/drafter.ts";
import type { PluginContext } from "../../../src/plugins/plugin.ts";
import { GREEDY } from "../../../src/sampling.ts";
import { IndexedCorpus, indexOf } from "../../../src/store/corpus.ts";
import type { DraftTree } from "../../../src/tree.ts";
import { slowly } from "../../store/support/memory.ts";

const VOCAB = 4;
const ALL = { longest: 16, shortest: 1, tokens: 10 };

function corpusOf(texts: readonly (readonly number[])[]) {
  const corpus = new IndexedCorpus(VOCAB);
  corpus.indexes = [indexOf(texts, VOCAB)];
  return corpus;
}

function draftOf(texts: readonly (readonly number[])[], prompt: readonly number[], nodes: number, depth: number) {
  const drafter = new RestDrafter(corpusOf(texts), ALL);
  drafter.begin(Int32Array.from(prompt));
  return drafter.draft({ nodes, depth });
}

/** The path to each node, as text. */
function pathsOf({ tokens, parents }: DraftTree): string[] {
  const paths: string[] = [];
  tokens.forEach((token, node) => paths.push(`${paths[parents[node]] ?? ""}${token}`));
  return paths;
}

test("rest drafts the most frequent beginnings of what followed the longest match", () => {
  const text = fc.array(fc.nat({ max: VOCAB - 1 }), { maxLength: 10 });
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 5 }),
      text,
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (texts, prompt, nodes, depth) => {
        const paths = pathsOf(draftOf(texts, [2, ...prompt], nodes, depth));
        const counts = new Map<string, number>();
        for (const after of slowly(texts, [2, ...prompt], 16).after) {
          for (let size = 1; size <= Math.min(depth, after.length); size++) {
            const path = after.slice(0, size).join("");
            counts.set(path, (counts.get(path) ?? 0) + 1);
          }
        }
        assert.equal(paths.length, Math.min(nodes, counts.size));
        assert.equal(new Set(paths).size, paths.length, "no path twice");
        const weights = [...counts.values()].sort((a, b) => b - a).slice(0, nodes);
        assert.deepEqual(paths.map((path) => counts.get(path)).sort((a, b) => b! - a!), weights);
      },
    ),
    { numRuns: 400 },
  );
});

test("rest believes no match that is too short, and no continuation goes on for ever", () => {
  const drafter = new RestDrafter(corpusOf([[0, 1, 2, 3, 0, 1, 2, 3, 3, 3]]), { longest: 4, shortest: 3, tokens: 2 });
  drafter.begin(Int32Array.of(3, 1, 2));
  assert.deepEqual(pathsOf(drafter.draft({ nodes: 9, depth: 9 })), []);
  drafter.observe({ committed: Int32Array.of(0, 1, 2) } as never);
  assert.deepEqual(pathsOf(drafter.draft({ nodes: 9, depth: 9 })), ["3", "33", "30"]);
  assert.deepEqual(pathsOf(drafter.after(Int32Array.of(3), { nodes: 9, depth: 1 })), ["3", "0"]);
});

test("without a store rest is refused, with what to do", () => {
  const create = (argument: string, corpus?: PluginContext["corpus"]) =>
    rest.create({ ...ALL }, argument, { corpus } as PluginContext);
  assert.throws(() => create(""), /rest drafts from a store, and none is named/);
  assert.throws(() => create("", () => undefined), /none is named/);
  const asked: (string | undefined)[] = [];
  const corpus = (name?: string) => {
    asked.push(name);
    return corpusOf([]);
  };
  create("notes", corpus);
  create("", corpus);
  assert.deepEqual(asked, ["notes", undefined]);
});

/** Says the same after every token but one. */
class Saying implements Proposer {
  readonly vocab = VOCAB;
  asked = 0;
  #tokens: number[] = [];
  constructor(private readonly q: (token: number) => Distribution) {}
  sync(): Promise<void> {
    this.#tokens = [];
    return Promise.resolve();
  }
  propose({ tokens }: { readonly tokens: Int32Array }): Promise<Distribution[]> {
    this.asked++;
    this.#tokens.push(...tokens);
    return Promise.resolve(tokens.length === 0 ? [this.q(-1)] : [...tokens].map((token) => this.q(token)));
  }
}

test("rasd drops what the draft model finds unlikely, joins the rest where prefixes agree, and nothing stands twice", async () => {
  const q = dense([0.6, 0.3, 0.08, 0.02]);
  const texts = [[1, 0, 0, 2], [1, 3, 3], [1, 2, 1, 1]];
  const retrieval = () => new RestDrafter(corpusOf(texts), ALL);
  const draft = async (threshold: number, nodes = 12) => {
    const drafter = new RasdDrafter(new Saying(() => q), retrieval(), threshold, 0.5);
    await drafter.begin(Int32Array.of(1), GREEDY);
    return pathsOf(await drafter.draft({ nodes, depth: 4 }, new SeededChance(1)));
  };
  const all = await draft(0);
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.includes("0") && all.includes("00") && all.includes("1"), `${all}`);
  assert.ok(all.includes("3") && all.includes("21"), "retrieved ones beside the model's own");
  const some = await draft(0.05);
  assert.ok(some.includes("2") && !some.includes("3") && !some.includes("33"), `${some}`);
  assert.ok((await draft(1)).every((path) => /^[01]+$/.test(path)), "nothing but the draft model's tree");
  for (const nodes of [1, 2, 3, 7]) assert.ok((await draft(0, nodes)).length <= nodes);
  const greedy = new RasdDrafter(new Saying(() => q), retrieval(), 0.05, 1); // all nodes may be the retrieval's
  await greedy.begin(Int32Array.of(1), GREEDY);
  const pruned = pathsOf(await greedy.draft({ nodes: 3, depth: 4 }, new SeededChance(1)));
  assert.ok(!pruned.some((path) => path.startsWith("3")), `${pruned}`);
});

test("rasd has the model's own tree and the likely of what was retrieved, and nothing else", async () => {
  const text = fc.array(fc.nat({ max: VOCAB - 1 }), { minLength: 1, maxLength: 8 });
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: VOCAB, maxLength: VOCAB });
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { minLength: 1, maxLength: 4 }),
      weights,
      fc.integer({ min: 2, max: 14 }),
      fc.constantFrom(0, 0.1, 0.3),
      async (texts, weights, nodes, threshold) => {
        const sum = weights.reduce((a, b) => a + b);
        const q = dense(weights.map((weight) => weight / sum));
        const likelihood = (path: string) => [...path].reduce((all, token) => all * weights[Number(token)] / sum, 1);
        const plan = { nodes, depth: 3 };
        const retrieval = new RestDrafter(corpusOf(texts), ALL);
        retrieval.begin(Int32Array.of(1));
        const retrieved = pathsOf(retrieval.draft(plan));
        const drafter = new RasdDrafter(new Saying(() => q), new RestDrafter(corpusOf(texts), ALL), threshold, 0.5);
        await drafter.begin(Int32Array.of(1), GREEDY);
        const paths = pathsOf(await drafter.draft(plan, new SeededChance(1)));
        const room = Math.min(Math.floor(nodes / 2), retrieved.length);
        const own = pathsOf(
          await optTree(0).grow(new Saying(() => q), { ...plan, nodes: nodes - room }, new SeededChance(1)),
        );
        assert.equal(new Set(paths).size, paths.length);
        assert.deepEqual(paths.slice(0, own.length), own);
        for (const path of paths.slice(own.length)) {
          assert.ok(retrieved.includes(path) && likelihood(path[0]) >= threshold, path);
        }
        const due = retrieved.filter((path) => likelihood(path) >= threshold && !own.includes(path));
        assert.ok(paths.length === nodes || due.every((path) => paths.includes(path)), `${due} in ${paths}`);
      },
    ),
    { numRuns: 150 },
  );
});

test("what rest draws is lossless in sampling, by following every branch, with every rule for chosen tokens", async () => {
  const texts = (vocab: number) =>
    Array.from(
      { length: vocab ** 3 },
      (_, i) => [i % vocab, Math.floor(i / vocab) % vocab, Math.floor(i / vocab ** 2)],
    );
  const make = (target: { readonly source: { readonly spec: { readonly vocab: number } } }) => {
    const { vocab } = target.source.spec;
    const corpus = new IndexedCorpus(vocab);
    corpus.indexes = [indexOf(texts(vocab), vocab)];
    return Promise.resolve(new RestDrafter(corpus, ALL));
  };
  const reports = await proveDrafter(make, [match, token], { kinds: ["random", "peaked q"] });
  assert.deepEqual(reports.map(({ rule, failure }) => [rule, failure]), [["match", undefined], ["token", undefined]]);
  assert.ok(reports.every(({ accepted }) => accepted > 0.2), JSON.stringify(reports));
});
