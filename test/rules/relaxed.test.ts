// Relaxed rules: what they promise, and that they are the lossless rule at the end of their range.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Scores } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import { everyBranch } from "../../src/check/every-branch.ts";
import { OnePlace } from "../../src/check/acceptance.ts";
import type { Case } from "../../src/check/case.ts";
import { enumerateRule } from "../../src/check/enumerate.ts";
import { Random } from "../../src/check/generate-cases.ts";
import { proveRule } from "../../src/check/prove.ts";
import { argmax, dense, normalise, point, probability, residual, totalVariation } from "../../src/math/distribution.ts";
import type { Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { HunchError } from "../../src/errors.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import { complete } from "../../src/round/generate.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { SampledScores } from "../../src/round/sampled-scores.ts";
import { chainTree } from "../../src/tree.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { alignment } from "../../plugins/rules/alignment.ts";
import judgePlugin, { judged, readJudge } from "../../plugins/rules/judge.ts";
import { lenient } from "../../plugins/rules/lenient.ts";
import { embeddingLikeness, gather, neighbour } from "../../plugins/rules/neighbour.ts";
import { fuse, PROBE, probing, reflective } from "../../plugins/rules/reflective.ts";
import { typical } from "../../plugins/rules/typical.ts";
import { openModel } from "../../src/model/open.ts";
import { fixture } from "../kernels/support/golden.ts";
import { optionsOf } from "../support/options.ts";
import { temporaryFolder } from "../support/folder.ts";

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

test("neighbour's delta does not bound what is said", () => {
  // Seven rare drafts, each beside a likely word of its own: every draft gathers 1/7, as much as the drafter gives it.
  const rare = 0.003;
  const p = normalise(dense([...new Array(7).fill(rare), ...new Array(7).fill(1 / 7 - rare)]));
  const q = dense([...new Array(7).fill(1 / 7), ...new Array(7).fill(0)]);
  const delta = 0.163;
  const alike = (a: number, b: number) => a % 7 === b % 7 ? 1 : 0;
  for (let x = 0; x < 7; x++) assert.ok(totalVariation(p, gather(p, x, 1, delta, alike)) <= delta);
  const of: Case = {
    kind: "",
    vocab: 14,
    law: "iid",
    parents: [-1],
    p: new Array(15).fill([...p.probabilities]),
    q: [[
      ...q.probabilities,
    ]],
    sparse: false,
  };
  const { perToken } = enumerateRule(of, neighbour(1, delta, alike));
  assert.ok(perToken.totalVariation > 0.97, String(perToken.totalVariation));
});

test("fusing two answers is a mixture of both on what the target allows", () => {
  assert.deepEqual([...fuse(dense([0.5, 0.25, 0.25]), point(3, 2), 0.5).probabilities], [0.25, 0.125, 0.625]);
  assert.deepEqual([...fuse(dense([0.5, 0.5, 0]), point(3, 2), 0.5).probabilities], [0.5, 0.5, 0]);
  assert.deepEqual([...fuse(dense([0.5, 0.5, 0]), point(3, 2), 1).probabilities], [0.5, 0.5, 0]);
});

test("the fusion decides whether a draft stands, and the target's own token comes from p", async () => {
  const [p, reflected, q] = [dense([0.5, 0.3, 0.2, 0]), dense([0.1, 0.1, 0.4, 0.4]), dense([0.1, 0.2, 0.4, 0.3])];
  const rule = reflective(0.5, () => Promise.resolve(new Map([[-1, reflected]])));
  const fused = fuse(p, reflected, 0.5);
  const said = [0, 0, 0, 0];
  for (let x = 0; x < 4; x++) {
    const tree = chainTree([x], "iid", [q]);
    await rule.prepare!(tree, Int32Array.of(0), { ...GREEDY, temperature: 1 });
    for (const { value, probability } of everyBranch((chance) => rule.verify(tree, new OnePlace(p, 2), chance))) {
      said[value.path.length > 0 ? x : value.next] += q.probabilities[x] * probability;
    }
  }
  const kept = q.probabilities.map((value, x) => Math.min(value, fused.probabilities[x]));
  const own = residual(p, q).probabilities;
  const refused = 1 - kept.reduce((a, b) => a + b);
  said.forEach((value, x) => assert.ok(Math.abs(value - kept[x] - refused * own[x]) < 1e-12, `token ${x}: ${value}`));
  assert.equal(said[3], 0, "what the target excludes is not said");
});

/** Rows of raw probabilities, as at temperature 0. */
const raw = (...rows: number[][]): Scores => {
  const scores = new OnePlace(dense(rows[0]), rows.length);
  return Object.assign(scores, {
    distribution: (row: number) => dense(rows[row]),
    argmax: (row: number) => argmax(dense(rows[row])),
  });
};
const greedily = (rule: VerificationRule, drafts: number[], ...rows: number[][]) => {
  const { path, next } = rule.verifyGreedily!(chainTree(drafts), raw(...rows));
  return [...path, next];
};

test("at temperature 0 each relaxed rule keeps drafts that greedy refuses, by its own form", async () => {
  const first = [0.05, 0.55, 0.4];
  const second = [0.7, 0.2, 0.1];
  // Medusa: thresholds on the raw soft-max.
  assert.deepEqual(greedily(typical(0.09, 0.3), [2, 1], first, second, second), [0, 1, 0]);
  assert.deepEqual(greedily(typical(0.45, 1), [2, 1], first, second, second), [1]);
  // Leviathan et al., appendix A.5: p(x) ≥ l · max p; or membership.
  assert.deepEqual(greedily(lenient(0.7, 0), [2, 1], first, second, second), [0, 0]);
  assert.deepEqual(greedily(lenient(0.75, 0), [2, 1], first, second, second), [1]);
  assert.deepEqual(greedily(lenient(0.7, 2), [2, 1], first, second, second), [0, 1, 0]);
  // Alignment: Σ p² is 0.465 at first, 0.54 then.
  assert.deepEqual(greedily(alignment(0.8), [2, 1], first, second, second), [0, 0]);
  assert.deepEqual(greedily(alignment(0.9), [2, 1], first, second, second), [1]);
  // LANTERN: 0.4 + 0.05 stays below 0.55, 0.4 + 0.55 does not.
  const beside = (a: number, b: number) => a + b === 3 ? 1 : 0;
  assert.deepEqual(greedily(neighbour(1, 0.6, beside), [2, 0], first, second, second), [0, 1, 0]);
  assert.deepEqual(greedily(neighbour(1, 0.5, beside), [2, 0], first, second, second), [1]);
  assert.deepEqual(greedily(neighbour(1, 0.6, (a, b) => a + b === 2 ? 1 : 0), [2], first, second), [1]);
  // Reflection: 0.5 · 0.4 + 0.5 · 0.8 is more than 0.5 · 0.55 + 0.5 · 0.2.
  for (const [weight, expected] of [[0.5, [0, 0]], [0.1, [1]]] as const) {
    const rule = reflective(weight, () => Promise.resolve(new Map([[-1, dense([0, 0.2, 0.8])]])));
    const tree = chainTree([2]);
    await rule.prepare!(tree, Int32Array.of(0), { ...GREEDY, temperature: 1 });
    const { path, next } = rule.verifyGreedily!(tree, raw(first, second));
    assert.deepEqual([...path, next], expected);
  }
});

test("at temperature 0 a relaxed rule that forgives nothing says what greedy says", () => {
  const random = new Random(new SeededChance("greedy forms"));
  const none = () => Promise.reject(new Error("not asked"));
  const strict = [lenient(1, 0), lenient(0.1, 1), alignment(100), neighbour(0, 1, near), reflective(0, none)];
  for (let i = 0; i < 200; i++) {
    const rows = Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => random.uniform() + 1e-3));
    const tree = chainTree([random.integer(5), argmax(dense(rows[1])), random.integer(5)]);
    const expected = greedy.verify(tree, raw(...rows), new SeededChance(1));
    for (const rule of strict) assert.deepEqual(rule.verifyGreedily!(tree, raw(...rows)), expected, rule.name);
  }
});

test("typical says the likeliest token next where it is asked to, as the paper has it", () => {
  const p = dense([0.05, 0.55, 0.4]);
  const tree = chainTree([2]);
  const nexts = (rule: VerificationRule) =>
    new Set([...everyBranch((chance) => rule.verify(tree, new OnePlace(p, 2), chance))].map(({ value }) => value.next));
  assert.deepEqual(nexts(typical(0.09, 0.3)), new Set([0, 1, 2]));
  assert.deepEqual(nexts(typical(0.09, 0.3, "likeliest")), new Set([1]));
  assert.equal(typical(0.09, 0.3, "likeliest").device, undefined, "the device draws");
});

const load = async (file: string) =>
  await referenceBackend.load(await openModel(fixture(`stories260k/${file}`)), {
    format: "float32",
    strict: true,
    cacheDir: "",
  });

test("relaxed rules have an effect at temperature 0, the same for every seed", async () => {
  const [engine, draft] = [await load("stories260K.bin"), await load("draft41K-tok512.bin")];
  const tell = async (rule: VerificationRule, seed: number, sampling: Partial<Sampling> = {}) => {
    const prompt = engine.source.tokenizer.encode("The cat", { begin: true });
    const drafter = new ProposedDrafter("model", new ModelProposer({ ...draft, open: () => draft.open() }), chain);
    const options = { engine, prompt, rule, seed, drafter, sampling, maxTokens: 40, controller: fixed(4) };
    return (await complete(optionsOf(options))).text;
  };
  const plain = await tell(greedy, 1);
  const rules = [
    typical(0.09, 0.3),
    lenient(0.3, 0),
    lenient(0.3, 3),
    alignment(0.3),
    neighbour(32, 0.5, embeddingLikeness(() => engine)),
    reflective(0.95, probing(() => engine, PROBE)),
  ];
  for (const rule of rules) {
    const text = await tell(rule, 1);
    assert.notEqual(text, plain, `${rule.name} changes nothing`);
    assert.equal(await tell(rule, 2), text, `${rule.name} depends on the seed`);
  }
  assert.notEqual(await tell(rules[1], 1, { repetitionPenalty: 1.5 }), await tell(rules[1], 1), "penalties count");
});

test("a relaxed rule without a form for temperature 0 is refused before the first token", async () => {
  const engine = await load("stories260K.bin");
  const rule: VerificationRule = { ...typical(0.09, 0.3), name: "mine", verifyGreedily: undefined };
  await assert.rejects(
    complete(optionsOf({ engine, rule, maxTokens: 1 })),
    (error: unknown) =>
      error instanceof HunchError && /relaxed rule mine has no effect at temperature 0/.test(error.line),
  );
  assert.equal(
    (await complete(optionsOf({ engine, rule, maxTokens: 1, sampling: { temperature: 1 } }))).tokens.length,
    1,
  );
});

test("under reflective nothing outside the target's own sampling is said", async () => {
  const [engine, draft] = [await load("stories260K.bin"), await load("draft41K-tok512.bin")];
  const prompt = engine.source.tokenizer.encode("Lily was very", { begin: true });
  const sampling = { ...GREEDY, temperature: 1, topK: 5 };
  const { tokens, stats } = await complete(optionsOf({
    engine,
    prompt,
    sampling,
    maxTokens: 60,
    controller: fixed(4),
    rule: reflective(0.7, probing(() => engine, PROBE)),
    drafter: new ProposedDrafter("model", new ModelProposer({ ...draft, open: () => draft.open() }), chain),
  }));
  assert.ok(stats.accepted > 5);
  const text = Int32Array.of(...prompt, ...tokens);
  const scores = await engine.open().forward({ tokens: text });
  const sampled = new SampledScores(scores, sampling, new Int32Array(0), chainTree(text.subarray(1)));
  tokens.forEach((token, i) => {
    assert.ok(probability(sampled.distribution(prompt.length - 1 + i), token) > 0, `token ${i} is not among the five`);
  });
});

test("the reflection is sampled as the target is: temperature, truncation and penalties", async () => {
  const engine = await load("stories260K.bin");
  const encode = (text: string, begin: boolean) => engine.source.tokenizer.encode(text, { begin, special: false });
  const [text, drafted, words] = [
    encode("One day, Tom was", true),
    encode(" very happy", false),
    encode(" So:", false),
  ];
  const sampling = { ...GREEDY, temperature: 0.7, topK: 4, repetitionPenalty: 1.3 };
  const reflected = await probing(() => engine, " So:")(chainTree(drafted), text, sampling);
  // By the definition: one text, its logits, and the words that were said but not the probe's count for less.
  const all = Int32Array.of(...text, ...drafted, ...words, ...drafted);
  const scores = await engine.open().forward({ tokens: all });
  for (let i = 0; i < drafted.length; i++) {
    const logits = Float64Array.from(scores.logits(text.length + drafted.length + words.length - 1 + i));
    for (const said of new Set([...text, ...drafted.subarray(0, i)])) {
      logits[said] = logits[said] > 0 ? logits[said] / 1.3 : logits[said] * 1.3;
    }
    const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a]).slice(0, 4);
    const weights = order.map((token) => Math.exp((logits[token] - logits[order[0]]) / 0.7));
    const sum = weights.reduce((a, b) => a + b);
    const d = reflected.get(i - 1)!;
    assert.equal(d.probabilities.length, 4);
    order.forEach((token, k) => assert.ok(Math.abs(probability(d, token) - weights[k] / sum) < 1e-6));
  }
});

test("reflective asks the target again after a probe, and neighbour reads its embedding", async () => {
  const engine = await load("stories260K.bin");
  const encode = (text: string) => engine.source.tokenizer.encode(text, { begin: true });
  const text = encode("Once upon a time, there was a");
  const draft = chainTree(encode(" little girl").slice(1));
  const reflect = probing(() => engine, " Again:");
  const sampling = { ...GREEDY, temperature: 1 };
  const reflected = await reflect(draft, text, sampling);
  assert.equal(reflected.size, draft.tokens.length);
  for (const d of reflected.values()) assert.ok(Math.abs(d.probabilities.reduce((a, b) => a + b) - 1) < 1e-6);
  // The same question again, after a longer and after another text, comes from a cache that must be right.
  await reflect(draft, encode("Once upon a time, there was a big dog"), sampling);
  const again = await reflect(draft, text, sampling);
  for (const [node, d] of reflected) assert.ok(totalVariation(normalise(d), normalise(again.get(node)!)) < 1e-9);

  const alike = embeddingLikeness(() => engine);
  assert.ok(Math.abs(alike(7, 7) - 1) < 1e-6);
  assert.ok(Math.abs(alike(7, 9)) <= 1);
  assert.equal(alike(7, 9), alike(9, 7));
});

test("a judge is read from its file and keeps what it likes; what is wrong is named", () => {
  const folder = temporaryFolder();
  const file = join(folder, "judge.json");
  const read = (json: unknown) => {
    writeFileSync(file, typeof json === "string" ? json : JSON.stringify(json));
    return readJudge(file, 2);
  };
  const good = { format: "hunch-judge", version: 1, weights: [1, -1], bias: 0, threshold: 0.5 };
  const judge = read(good);
  const hidden = [[0, 0], [3, 0], [0, 3]];
  const scores = Object.assign(new OnePlace(point(4, 3), 3), {
    states: () => Float64Array.from(hidden.flat()),
  });
  const tree = chainTree(Int32Array.of(0, 1));
  const { path, next } = judged(() => judge).verify(tree, scores, new SeededChance(1));
  assert.deepEqual([...path, next], [0, 3]); // likes the first draft, not the second
  const strict = judged(() => ({ ...judge, threshold: 0.99 })).verify(tree, scores, new SeededChance(1));
  assert.deepEqual([...strict.path, strict.next], [3]);

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
  const blind = new OnePlace(point(4, 3), 3);
  assert.throws(() => judged(() => judge).verify(tree, blind, new SeededChance(1)), /hidden states/);
});

test("a judge of a model's own keeps drafts by their hidden states; another model's is refused before the first token", async () => {
  const engine = await load("stories260K.bin");
  const { width } = engine.source.spec;
  const file = join(temporaryFolder(), "judge.json");
  const prompt = engine.source.tokenizer.encode("Once upon a time", { begin: true });
  // The second likeliest token of every place; a judge of the first number of its state.
  const second: Drafter = {
    ...{ name: "second", laws: ["point"], candidates: 2, begin: () => {} },
    draft: () => chainTree([next], "point"),
    observe: ({ candidates = [], verdict }) => void (next = candidates[verdict.path.length].tokens[1]),
  };
  let next = 0;
  const context = { target: engine } as PluginContext;
  const tell = async (rule: VerificationRule) => {
    const rounds: Round[] = [];
    const onRound = ({ round }: { readonly round: Round }) => void rounds.push(round);
    const made = await complete(optionsOf({ engine, prompt, drafter: second, rule, maxTokens: 30, onRound }));
    return { rounds, tokens: made.tokens };
  };
  const weights = Array.from({ length: width }, (_, i) => i === 0 ? 1 : 0);
  const judges = [0.5, 1].map((threshold) => {
    writeFileSync(file, JSON.stringify({ format: "hunch-judge", version: 1, weights, bias: 0, threshold }));
    return judgePlugin.create({ threshold: -1 }, file, context);
  });
  const [half, nothing] = [await tell(await judges[0]), await tell(await judges[1])];
  const plain = await complete(optionsOf({ engine, prompt, maxTokens: 30 }));
  assert.deepEqual(nothing.tokens, plain.tokens);
  let at = prompt.length;
  let [kept, left] = [0, 0];
  for (const { tree, verdict, committed } of half.rounds) {
    const text = Int32Array.of(...prompt, ...half.tokens.subarray(0, at - prompt.length), ...tree.tokens);
    const scores = await engine.open().forward({ tokens: text, taps: ["head"] });
    const liked = scores.states!("head")[(text.length - 1) * width] > 0 ||
      scores.argmax(text.length - 2) === tree.tokens[0];
    assert.equal(verdict.path.length, liked ? 1 : 0);
    liked ? kept++ : left++;
    at += committed.length;
  }
  assert.ok(kept > 3 && left > 3, `${kept} kept, ${left} left`);
  assert.throws(() => judgePlugin.create({ threshold: -0.5 }, "", context), { kind: "usage" });
  const foreign = await judgePlugin.create({ threshold: -1 }, "", context);
  await assert.rejects(() => tell(foreign), /no judge is trained for/);
});
