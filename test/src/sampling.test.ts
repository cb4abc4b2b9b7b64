// The sampling distribution of a row: the quick ways give what the definition gives.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Distribution, probability } from "../../src/math/distribution.ts";
import { checkSampling, GREEDY, type Sampling } from "../../src/sampling.ts";
import { sampledPass } from "../../src/round/sampled-scores.ts";
import { chainTree, type DraftTree, EMPTY_TREE } from "../../src/tree.ts";
import { truncate } from "../../src/math/truncation.ts";
import { TableEngine } from "../support/table-engine.ts";

const VOCAB = 300;

/** The definition in Sampling, word for word: sorts everything at every step. */
function naive(logits: ArrayLike<number>, recent: ReadonlySet<number>, sampling: Sampling): Map<number, number> {
  const { temperature, topK, topP, minP, typical, repetitionPenalty } = sampling;
  let all = Array.from(logits, (logit, token) => {
    const penalised = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
    return { token, p: recent.has(token) ? penalised : logit };
  });
  const most = Math.max(...all.map(({ p }) => p));
  if (temperature === 0) return new Map([[all.find(({ p }) => p === most)!.token, 1]]);
  type Entry = { token: number; p: number };
  const renormalise = (entries: Entry[]) => {
    const sum = entries.reduce((total, { p }) => total + p, 0);
    return entries.map(({ token, p }) => ({ token, p: p / sum }));
  };
  const untilMass = (entries: Entry[], mass: number) => {
    let sum = 0;
    return entries.filter(({ p }) => {
      const wanted = sum < mass - 1e-6;
      sum += p;
      return wanted;
    });
  };
  all = renormalise(all.map(({ token, p }) => ({ token, p: Math.exp((p - most) / temperature) })));
  all.sort((a, b) => b.p - a.p || a.token - b.token);
  if (topK > 0) all = renormalise(all.slice(0, topK));
  if (topP < 1) all = renormalise(untilMass(all, topP));
  if (minP > 0) all = renormalise(all.filter(({ p }) => p >= minP * all[0].p));
  if (typical < 1) {
    const entropy = all.reduce((sum, { p }) => p > 0 ? sum - p * Math.log(p) : sum, 0);
    const distance = ({ p }: Entry) => Math.abs(-Math.log(p) - entropy);
    all = renormalise(untilMass(all.sort((a, b) => distance(a) - distance(b) || a.token - b.token), typical));
  }
  return new Map(all.map(({ token, p }) => [token, p]));
}

function assertSame(actual: Distribution, expected: ReadonlyMap<number, number>, what: string): void {
  let sum = 0;
  for (let token = 0; token < actual.vocab; token++) {
    const [p, q] = [probability(actual, token), expected.get(token) ?? 0];
    assert.ok(Math.abs(p - q) < 1e-5, `${what}: token ${token} has ${p}, not ${q}`);
    sum += p;
  }
  assert.ok(Math.abs(sum - 1) < 1e-9, `${what}: sums to ${sum}`);
  for (let i = 1; i < (actual.tokens?.length ?? 0); i++) assert.ok(actual.tokens![i] > actual.tokens![i - 1]);
}

/** Between two values that no probability meets by accident. */
const share = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((x) => x * 0.99987 + 0.0000613);
const samplings: fc.Arbitrary<Sampling> = fc.record({
  temperature: fc.oneof(fc.constant(0), fc.double({ min: 0.2, max: 2, noNaN: true })),
  topK: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 120 })),
  topP: fc.oneof(fc.constant(1), share(0.05, 0.99)),
  minP: fc.oneof(fc.constant(0), share(0.001, 0.5)),
  typical: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: share(0.1, 0.95) }),
  repetitionPenalty: fc.constantFrom(1, 1, 1.1, 1.7, 0.8),
  repetitionWindow: fc.constantFrom(0, 2, 64),
});

/** Scores over a text and a tree, and which tokens each row penalises. */
async function scored(engine: TableEngine, sampling: Sampling, text: readonly number[], tree: DraftTree) {
  const sequence = engine.open();
  await sequence.forward({ tokens: Int32Array.from(text.slice(0, -1)), score: "last" });
  sequence.keep(Int32Array.from(text.slice(0, -1), (_, row) => row));
  const tokens = Int32Array.from([text[text.length - 1], ...tree.tokens]);
  const parents = Int32Array.from([-1, ...Array.from(tree.parents, (parent) => parent + 1)]);
  const scores = await sampledPass(sequence, { tokens, parents }, sampling, Int32Array.from(text), tree);
  const rows = Array.from(tokens, (_, row) => {
    const path: number[] = [];
    for (let node = row - 1; node >= 0; node = tree.parents[node]) path.unshift(tree.tokens[node]);
    const all = [...text, ...path];
    const { repetitionWindow: window } = sampling;
    return { logits: engine.logits(all), recent: new Set(window === 0 ? [] : all.slice(-window)) };
  });
  return { scores, rows };
}

test("every setting gives the distribution that its definition gives, in every row of a tree", async () => {
  const tree: DraftTree = {
    tokens: Int32Array.of(5, 9, 5, 200),
    parents: Int32Array.of(-1, 0, -1, 2),
    law: "point",
    q: () => undefined,
  };
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 50 }), fc.constantFrom(2, 6, 20), samplings, async (seed, spread, sampling) => {
      const engine = new TableEngine({ vocab: VOCAB, seed, spread });
      const { scores, rows } = await scored(engine, sampling, [7, 200, 7, 31, 2], tree);
      rows.forEach(({ logits, recent }, row) => {
        const expected = naive(logits, recent, sampling);
        assertSame(scores.distribution(row), expected, `row ${row}`);
        const best = Math.max(...expected.values());
        assert.ok(Math.abs((expected.get(scores.argmax(row)) ?? 0) - best) < 1e-6);
        const token = scores.argmax(row);
        assert.ok(Math.abs(scores.probability(row, token) - best) < 1e-5);
        if (!expected.has(299)) assert.equal(scores.probability(row, 299), 0);
      });
    }),
    { numRuns: 300 },
  );
});

test("equal tokens are taken by ascending id", async () => {
  const engine = new TableEngine({ vocab: 8, spread: 0 });
  for (
    const [setting, kept] of [[{ topK: 3 }, 3], [{ topP: 0.5 }, 4], [{ typical: 0.25 }, 2], [{ minP: 0.9 }, 8]] as const
  ) {
    const { scores } = await scored(engine, { ...GREEDY, temperature: 1, ...setting }, [1, 2], EMPTY_TREE);
    assert.deepEqual([...scores.distribution(0).tokens!], Array.from({ length: kept }, (_, token) => token));
  }
  const { scores } = await scored(engine, GREEDY, [1, 2], EMPTY_TREE);
  assert.equal(scores.argmax(0), 0);
});

test("the smallest settings leave one token, the likeliest", () => {
  const d: Distribution = { vocab: 3, probabilities: Float64Array.of(0.2, 0.5, 0.3) };
  for (const setting of [{ topK: 1 }, { topP: 1e-9 }, { minP: 0.99 }]) {
    assert.deepEqual([...truncate(d, { ...GREEDY, temperature: 1, ...setting }).tokens!], [1]);
  }
  assert.equal(truncate(d, { ...GREEDY, typical: 1e-9 }).tokens!.length, 1);
});

test("penalties count drafted tokens of the row's own path only", async () => {
  const engine = new TableEngine({ vocab: VOCAB });
  const sampling = { ...GREEDY, repetitionPenalty: 2, repetitionWindow: 3 };
  const { scores } = await scored(engine, sampling, [1, 2, 3, 4], chainTree([10, 11]));
  const changed = (row: number, text: number[]) =>
    [...scores.logits(row)].flatMap((logit, token) => logit === engine.logits(text)[token] ? [] : [token]);
  assert.deepEqual(changed(0, [3, 4]), [2, 3, 4]);
  assert.deepEqual(changed(1, [4, 10]), [3, 4, 10]);
  assert.deepEqual(changed(2, [10, 11]), [4, 10, 11]);
});

test("settings out of range are named", () => {
  checkSampling(GREEDY);
  for (
    const [name, value] of [["temperature", -1], ["topK", 1.5], ["topP", 1.1], ["minP", 1], ["typical", 0]] as const
  ) {
    assert.throws(() => checkSampling({ ...GREEDY, [name]: value }), new RegExp(`${name} ${value} is out of range`));
  }
});
