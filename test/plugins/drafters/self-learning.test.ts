// Drafters that learn which of the target's blocks or layers to leave out: what they find is what their papers define.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { referenceBackend } from "../../../kernels/reference/backend.ts";
import { claspProposer, leastNeeded } from "../../../plugins/drafters/clasp.ts";
import { DelDrafter, ExitRates, exitsOf } from "../../../plugins/drafters/del.ts";
import { skipAfter } from "../../../plugins/drafters/exit.ts";
import { KnnDrafter } from "../../../plugins/drafters/knn-ssd.ts";
import { asEmbeddings, lookBack } from "../../../plugins/drafters/look-back.ts";
import { SwiftSearch } from "../../../plugins/drafters/swift.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import type { Engine, Sequence } from "../../../src/backend.ts";
import { SeededChance } from "../../../src/chance.ts";
import { cosine } from "../../../src/math/cosine.ts";
import { openModel } from "../../../src/model/open.ts";
import { GREEDY } from "../../../src/sampling.ts";
import { EMPTY_TREE } from "../../../src/tree.ts";
import { fixture } from "../../kernels/support/golden.ts";
import { contextOf, storyEngine } from "../../support/inside.ts";
import { saying } from "../../support/rounds.ts";
import { hashed } from "../../support/table-engine.ts";

const engine = await storyEngine();
const LAYERS = engine.source.spec.layers.length;
const TEXT = engine.source.tokenizer.encode(
  "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.",
  { begin: true },
);

async function holding(engine: Engine, tokens: Int32Array): Promise<Sequence> {
  const sequence = engine.open();
  await sequence.forward({ tokens });
  sequence.keep(Int32Array.from(tokens, (_, row) => row));
  return sequence;
}

test("tokens that were taken back are computed again to the last bit, also where looking fails", async () => {
  const target = await holding(engine, TEXT.slice(0, -1));
  const next = async () => [...(await target.forward({ tokens: TEXT.slice(-1) })).logits(0)];
  const before = await next();
  const seen = await lookBack(target, TEXT, 5, async (tokens) => {
    assert.equal(target.length, TEXT.length - 6);
    await target.forward({ tokens: tokens.slice(0, 2), skip: skipAfter(2, LAYERS) });
    target.keep(Int32Array.of(0, 1));
    target.rewind(TEXT.length - 6);
    return tokens;
  });
  assert.deepEqual(seen, TEXT.slice(-6, -1));
  assert.deepEqual(await next(), before);
  await assert.rejects(lookBack(target, TEXT, 3, () => Promise.reject(new Error("failed"))), /failed/);
  assert.deepEqual(await next(), before);
});

for (const model of ["llama", "gpt2", "gemma"]) {
  test(`hidden states of ${model} go in where embeddings do: the rest of the model finds no difference`, async () => {
    const source = await openModel(fixture(`tiny/${model}`));
    const engine = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
    const { layers } = source.spec;
    const target = await holding(engine, Int32Array.of(3, 1, 4));
    const scores = await target.forward({ tokens: Int32Array.of(5), taps: [0, 1, "head"] });
    const [first, second, wanted] = [0, 1, "head"].map((tap) => Float64Array.from(scores.states!(tap as 0)));
    for (const [state, skip] of [[first, []], [second, [0]]] as const) {
      const embeddings = asEmbeddings(engine, state, target.length);
      const rows = { tokens: Int32Array.of(0), embeddings, skip: { attention: skip, feedForward: skip } };
      const again = (await target.forward({ ...rows, taps: ["head"] })).states!("head");
      const most = Math.max(...wanted.map(Math.abs));
      wanted.forEach((value, i) => assert.ok(Math.abs(again[i] - value) < 1e-4 * most, `${i}: ${again[i]}, ${value}`));
    }
    assert.ok(layers.length > 1);
    engine.close();
  });
}

test("clasp leaves out what the recurrence of its paper leaves out, written down once more", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 7 }), fc.nat({ max: 7 }), async (seed, layers, skipped) => {
      const move = (layer: number, x: readonly number[]) =>
        x.map((value, i) => value + hashed(seed, layer) ** 2 * Math.sin(3 * x[(i + 1) % 4] + layer));
      const states = [[1, -0.5, 0.3, 0.8]];
      for (let layer = 0; layer < layers; layer++) states.push(move(layer, states[layer]));
      // g(i, j): the better of layer i's g(i − 1, j) and g(i − 1, j − 1).
      const g = (i: number, j: number): { x: readonly number[]; out: readonly number[] } => {
        if (j === 0) return { x: states[i], out: [] };
        const before = g(i - 1, j - 1);
        const left = { x: before.x, out: [...before.out, i - 1] };
        if (j === i) return left;
        const { x, out } = g(i - 1, j);
        const kept = { x: move(i - 1, x), out };
        return cosine(kept.x, states[i]) > cosine(left.x, states[i]) ? kept : left;
      };
      const found = await leastNeeded(
        states,
        Math.min(skipped, layers),
        (layer, before) => Promise.resolve(before.map((x) => move(layer, Array.from(x)))),
      );
      assert.deepEqual(found, g(layers, Math.min(skipped, layers)).out);
    }),
    { numRuns: 60 },
  );
});

test("clasp finds the layers anew for another text, also where it is no shorter", async () => {
  const clasp = await claspProposer.create({ skipped: 1, every: 64 }, "", contextOf(engine));
  const searches = async (text: Int32Array) => {
    const target = await holding(engine, text.slice(0, -1));
    let count = 0;
    const forward = target.forward.bind(target);
    target.forward = (rows) => (count += rows.taps?.includes(0) ? 1 : 0, forward(rows));
    clasp.attach!(target);
    await clasp.sync(text, GREEDY);
    return count;
  };
  assert.equal(await searches(TEXT.slice(0, 12)), 1);
  assert.equal(await searches(TEXT.slice(0, 14)), 0, "it goes on");
  assert.equal(await searches(TEXT.slice(1, 15)), 1);
});

test("swift's best set is the one with the largest share of the last tokens that it finds likeliest", async () => {
  const search = new SwiftSearch(LAYERS, 0.7, 12);
  const target = await holding(engine, TEXT.slice(0, -1));
  const first = await search.next(TEXT.slice(0, 12), await holding(engine, TEXT.slice(0, 11)));
  assert.equal(search.tries, 0, "the text is too short");
  assert.equal(first.attention.length + first.feedForward.length, 4);
  const share = async (skip: typeof first) => {
    const sequence = await holding(engine, TEXT.slice(0, -13));
    const scores = await sequence.forward({ tokens: TEXT.slice(-13, -1), skip });
    return Array.from({ length: 12 }, (_, row) => scores.argmax(row) === TEXT[TEXT.length - 12 + row])
      .filter(Boolean).length / 12;
  };
  let best = -1;
  for (let round = 0; round < 40; round++) {
    const skip = await search.next(TEXT, target);
    assert.equal(target.length, TEXT.length - 1);
    assert.ok(![...skip.attention, ...skip.feedForward].some((layer) => layer === 0 || layer === LAYERS - 1));
    const now = await share(skip);
    assert.ok(now >= best, `${now} after ${best}`);
    best = now;
  }
  assert.equal(search.tries, 40, "four every fourth round");
  // Of all sets of four of the six blocks in the layers between the first and the last: all but two of them.
  const blocks = [1, 2, 3].flatMap((layer) => [[layer, "attention"], [layer, "feedForward"]] as const);
  let most = 0;
  for (const [i, a] of blocks.entries()) {
    for (const b of blocks.slice(i + 1)) {
      const of = (kind: string) =>
        blocks.filter((block) => block !== a && block !== b && block[1] === kind).map(([layer]) => layer);
      most = Math.max(most, await share({ attention: of("attention"), feedForward: of("feedForward") }));
    }
  }
  assert.equal(best, most);
  assert.ok(most < 0.95, "or the search would have ended");
});

test("swift leaves out a block of a model so shallow that its share is less than one", async () => {
  const { attention, feedForward } = await new SwiftSearch(3, 0.45, 12).next(TEXT.slice(0, 12), engine.open());
  assert.deepEqual([...attention, ...feedForward], [1]);
});

test("del takes the exit and the length with the most tokens for each layer, by its formula", () => {
  const rates = new ExitRates([2, 5, 8], 10);
  assert.deepEqual(rates.rates, [0.5, 0.5, 0.5]);
  rates.see([1, 3, 4], 4);
  const seen = 0.95 + 4;
  const alphas = [1, 3, 4].map((right) => (0.95 * 0.5 + right) / seen);
  rates.rates.forEach((rate, i) => assert.ok(Math.abs(rate - alphas[i]) < 1e-12));
  let best = { exit: 0, length: 0, tokens: 1 / 10 };
  [2, 5, 8].forEach((exit, i) => {
    for (let length = 1; length <= 16; length++) {
      const tokens = (1 - alphas[i] ** (length + 1)) / ((1 - alphas[i]) * (length * exit + 10));
      if (tokens > best.tokens) best = { exit, length, tokens };
    }
  });
  const { exit, length } = rates.best();
  assert.deepEqual({ exit, length }, { exit: best.exit, length: best.length });
  for (let i = 0; i < 40; i++) rates.see([0, 0, 0], 1);
  assert.equal(rates.best().length, 0, "nothing is right: nothing is drafted");
  assert.deepEqual(exitsOf(30, 4), [7, 15, 22, 29]);
  assert.deepEqual([exitsOf(5, 1000), exitsOf(2, 8), exitsOf(1, 8)], [[1, 2, 3, 4], [1], [1]]);
});

test("del's shadow tokens are those that a draft of each exit would say", async () => {
  const exits = exitsOf(LAYERS, 1000);
  const drafter = new DelDrafter(engine, chain, exits);
  const start = TEXT.length - 8;
  const { width } = engine.source.spec;
  drafter.begin(TEXT.slice(0, start), GREEDY);
  const target = await holding(engine, TEXT.slice(0, start - 1));
  drafter.attach(target);
  const wanted = new ExitRates(exits, LAYERS);
  // The rounds accept three, none and two tokens.
  for (const [from, count] of [[start, 4], [start + 4, 1], [start + 5, 3]]) {
    const tokens = TEXT.slice(from - 1, from - 1 + count);
    const said = TEXT.slice(from, from + count);
    const right: number[] = [];
    for (const exit of exits) {
      const scores = await target.forward({ tokens, skip: skipAfter(exit, LAYERS) });
      right.push(said.filter((token, row) => scores.argmax(row) === token).length);
    }
    const scores = await target.forward({ tokens, taps: exits });
    const states = new Map(exits.map((tap) => [tap, Float32Array.from(scores.states!(tap))]));
    assert.equal(states.get(exits[0])!.length, count * width);
    target.keep(Int32Array.from(tokens, (_, row) => row));
    const tree = { ...EMPTY_TREE, tokens: said.slice(0, -1), parents: Int32Array.from(said.slice(1), (_, i) => i - 1) };
    drafter.observe({
      ...saying([...said]),
      tree,
      verdict: { path: Int32Array.from(tree.tokens, (_, node) => node), next: said[count - 1] },
      states,
    });
    await drafter.draft({ nodes: 4, depth: 4 }, new SeededChance(1));
    wanted.see(right, count);
    assert.deepEqual(drafter.rates, wanted.rates);
    assert.equal(target.length, from - 1 + count);
  }
});

test("knn-ssd leaves out what suits the nearest kind, and begins anew with each text", () => {
  const kind = (layer: number, ...anchors: number[][]) => ({ attention: [layer], feedForward: [], anchors });
  const { width } = engine.source.spec;
  const axis = (i: number, sign = 1) => Array.from({ length: width }, (_, j) => i === j ? sign : 0);
  const drafter = new KnnDrafter(engine, chain, [kind(1, axis(0), axis(1)), kind(2, axis(2)), kind(3, axis(3, -1))]);
  const sees = (...rows: number[][]) => {
    drafter.observePrompt(0, [], new Map([["head", Float32Array.from(rows.flat())]]));
    return drafter.skip.attention[0];
  };
  const begin = () => drafter.begin(TEXT, GREEDY);
  begin();
  assert.equal(sees(axis(2), axis(2), axis(1)), 2);
  assert.equal(sees(axis(1), axis(1)), 1, "three of the prompt's five rows");
  begin();
  assert.equal(drafter.skip.attention[0], 1, "nothing was told yet");
  assert.equal(sees(axis(3)), 1, "the wrong way: anything is nearer");
  begin();
  assert.equal(sees(axis(3, -1)), 3);
});
