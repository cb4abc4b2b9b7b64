// Relaxed rules: what they promise, and that they are the lossless rule at the end of their range.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { proveRule } from "../../src/check/prove.ts";
import { OnePlace } from "../../src/check/acceptance.ts";
import { SeededChance } from "../../src/chance.ts";
import { dense, normalise, point, totalVariation } from "../../src/distribution.ts";
import { HunchError } from "../../src/errors.ts";
import { chainTree } from "../../src/tree.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { alignment } from "../../plugins/rules/alignment.ts";
import { judged, readJudge } from "../../plugins/rules/judge.ts";
import { lenient } from "../../plugins/rules/lenient.ts";
import { embeddingLikeness, gather, neighbour } from "../../plugins/rules/neighbour.ts";
import { fuse, probing, reflective } from "../../plugins/rules/reflective.ts";
import { typical } from "../../plugins/rules/typical.ts";
import { openModel } from "../../src/model/open.ts";
import { fixture } from "../kernels/support/golden.ts";

const near = (a: number, b: number) => -Math.abs(a - b);
const distance = (rule: ReturnType<typeof lenient>) => {
  const { laws } = proveRule(rule, { quick: true, laws: ["iid", "distinct"] });
  return laws.map(({ perToken }) => perToken);
};

test("lenient, neighbour and reflective are lossless where they forgive nothing", () => {
  const none = () => Promise.reject(new Error("not asked"));
  for (const rule of [lenient(1, 0), neighbour(0, 1, near), neighbour(3, 0, near), reflective(0, none)]) {
    assert.equal(rule.lossless, false);
    for (const { worst } of distance(rule)) assert.ok(worst < 1e-12, `${rule.name}: ${worst}`);
  }
});

test("the more a relaxed rule forgives, the further it is from the target", () => {
  const ladders = [
    [lenient(0.8, 0), lenient(0.4, 0), lenient(0.1, 0)],
    [alignment(4), alignment(1), alignment(0.1)],
    [neighbour(1, 0.05, near), neighbour(2, 0.2, near), neighbour(3, 0.8, near)],
    [typical(0.9, 0.9), typical(0.3, 0.5), typical(0.01, 0.1)],
  ];
  for (const ladder of ladders) {
    const means = ladder.map((rule) => distance(rule)[0].mean);
    assert.ok(means[0] < means[1] && means[1] < means[2], `${ladder[0].name}: ${means}`);
  }
});

test("neighbour moves no more probability than its total variation allows", () => {
  const p = normalise(dense([0.1, 0.2, 0.3, 0.25, 0.15]));
  for (const delta of [0, 0.1, 0.2, 0.5, 1]) {
    for (let x = 0; x < 5; x++) {
      const moved = gather(p, x, 4, delta, near);
      assert.ok(totalVariation(p, moved) <= delta + 1e-12);
      assert.ok(moved.probabilities[x] >= p.probabilities[x]);
    }
  }
});

test("typical keeps the longest plausible path and then draws from the target", () => {
  const p = dense([0.05, 0.55, 0.4]);
  const tree = chainTree(Int32Array.of(1, 2, 0));
  const { path } = typical(0.09, 0.3).verify(tree, new OnePlace(p, 4), new SeededChance(1));
  assert.deepEqual([...path], [0, 1]);
});

test("the k likeliest tokens stand under lenient, whatever was drawn", () => {
  const p = dense([0.05, 0.55, 0.4]);
  const tree = chainTree(Int32Array.of(2, 2, 0));
  assert.deepEqual([...lenient(0.5, 2).verify(tree, new OnePlace(p, 4), new SeededChance("a")).path].slice(0, 2), [
    0,
    1,
  ]);
  assert.equal(lenient(0.5, 3).verify(tree, new OnePlace(p, 4), new SeededChance("b")).path.length, 3);
});

test("fusing two answers is a mixture of both", () => {
  const fused = fuse(dense([0.5, 0.5, 0]), point(3, 2), 0.25);
  assert.deepEqual([...fused.probabilities], [0.375, 0.375, 0.25]);
});

test("reflective asks the target again after a probe, and neighbour reads its embedding", async () => {
  const engine = await referenceBackend.load(await openModel(fixture("stories260k/stories260K.bin")), {
    format: "float32",
    strict: true,
    cacheDir: "",
  });
  const encode = (text: string) => engine.source.tokenizer.encode(text, { begin: true });
  const text = encode("Once upon a time, there was a");
  const draft = chainTree(encode(" little girl").slice(1));
  const reflect = probing(() => engine, " Again:");
  const reflected = await reflect(draft, text);
  assert.equal(reflected.size, draft.tokens.length);
  for (const d of reflected.values()) assert.ok(Math.abs(d.probabilities.reduce((a, b) => a + b) - 1) < 1e-6);
  // The same question again, after a longer and after another text, comes from a cache that must be right.
  await reflect(draft, encode("Once upon a time, there was a big dog"));
  const again = await reflect(draft, text);
  for (const [node, d] of reflected) assert.ok(totalVariation(normalise(d), normalise(again.get(node)!)) < 1e-9);

  const alike = embeddingLikeness(() => engine);
  assert.ok(Math.abs(alike(7, 7) - 1) < 1e-6);
  assert.ok(Math.abs(alike(7, 9)) <= 1);
  assert.equal(alike(7, 9), alike(9, 7));
});

test("a judge is read from its file and keeps what it likes; what is wrong is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "hunch-judge-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "judge.json");
  const read = (json: unknown) => {
    writeFileSync(file, typeof json === "string" ? json : JSON.stringify(json));
    return readJudge(file, 2);
  };
  const good = { format: "hunch-judge", version: 1, weights: [1, -1], bias: 0, threshold: 0.5 };
  const judge = read(good);
  const hidden = [[0, 0], [3, 0], [0, 3]];
  const scores = Object.assign(new OnePlace(point(4, 3), 3), {
    hidden: (row: number) => Float64Array.from(hidden[row]),
  });
  const tree = chainTree(Int32Array.of(0, 1));
  const { path, next } = judged(judge).verify(tree, scores, new SeededChance(1));
  assert.deepEqual([...path, next], [0, 3]); // likes the first draft, not the second

  const wrong: [unknown, RegExp][] = [
    ["{", /cannot be read/],
    [{ ...good, format: "x" }, /field format/],
    [{ ...good, version: 2 }, /field version/],
    [{ ...good, weights: [1] }, /1 weights for a model of width 2.*field weights/],
    [{ ...good, weights: [1, null] }, /field weights/],
    [{ ...good, bias: "0" }, /field bias/],
    [{ ...good, threshold: 2 }, /field threshold/],
  ];
  for (const [json, line] of wrong) {
    assert.throws(() => read(json), (error: unknown) => error instanceof HunchError && line.test(error.line));
  }
  assert.throws(() => judged(undefined).verify(tree, scores, new SeededChance(1)), HunchError);
  assert.throws(() => judged(judge).verify(tree, new OnePlace(point(4, 3), 3), new SeededChance(1)), /hidden states/);
});
