// Rules that ONNX Runtime runs give the verdict of the rule in TypeScript for the same uniform numbers, and take as many.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Capabilities } from "../../src/backend.ts";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { libraryPath } from "../../kernels/onnx/library.ts";
import { OnnxScores } from "../../kernels/onnx/results.ts";
import { OnnxRules } from "../../kernels/onnx/rules.ts";
import { Runtime } from "../../kernels/onnx/runtime.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { recursive } from "../../plugins/rules/recursive.ts";
import { token } from "../../plugins/rules/token.ts";
import { typical } from "../../plugins/rules/typical.ts";
import { SeededChance, UniformChance } from "../../src/chance.ts";
import { type DeviceRule, mostUniforms, requestVerdict } from "../../src/device-rule.ts";
import { dense, type Distribution, sparse, without } from "../../src/distribution.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { type DraftLaw, type DraftTree, EMPTY_TREE } from "../../src/tree.ts";
import { expectOwnVerdicts } from "./support/own-verdicts.ts";
import { temporaryCache } from "./support/cache.ts";
import { randomModel } from "./support/random-model.ts";
import { type Random, randomFrom } from "./support/random.ts";

const runtime = await Runtime.load(await libraryPath(""));
const engines = new Map<number, OnnxRules>();
after(() => engines.forEach((rules) => rules.close()));

const ENDS = [0, 2 ** -53, 0.5, 1 - 2 ** -53, 1];

interface Case {
  readonly tree: DraftTree;
  readonly rows: Float32Array; // [nodes + 1, vocab]
  readonly uniforms: Float64Array;
}

/** A distribution with zeros, ties, or all on one token, now and then. In float32, as from a device. */
function random(vocab: number, dice: Random): Float32Array {
  const kind = dice.whole(6);
  const values = Float64Array.from({ length: vocab }, () => {
    if (kind === 0) return dice.whole(3); // ties and zeros
    if (kind === 1) return 1;
    if (kind === 2) return dice.chance(0.5) ? 0 : dice.next();
    return Math.exp(8 * dice.next() * dice.next());
  });
  if (kind === 3) values.fill(0);
  values[dice.whole(vocab)] += kind === 1 ? 0 : 1;
  const sum = values.reduce((a, b) => a + b, 0);
  return Float32Array.from(values, (value) => value / sum);
}

function randomCase(vocab: number, nodes: number, law: DraftLaw, dice: Random): Case {
  const tokens: number[] = [];
  const parents: number[] = [];
  const rows = new Float32Array((nodes + 1) * vocab);
  const draws = new Map<number, Distribution>();
  const fanned = new Map<number, number[]>();
  for (let row = 0; row <= nodes; row++) rows.set(random(vocab, dice), row * vocab);
  for (let node = 0; node < nodes; node++) {
    const parent = dice.whole(Math.min(node + 1, 4)) - 1 + Math.max(0, node - 3) * Number(dice.chance(0.3));
    const q = draws.get(parent) ?? like(rows.subarray((parent + 1) * vocab, (parent + 2) * vocab), dice);
    draws.set(parent, q);
    const elder = fanned.get(parent) ?? [];
    const from = law === "iid" ? q : without(q, elder);
    const x = from === undefined || law === "point" ? dice.whole(vocab) : new UniformChance(dice.next).pick(from);
    if (law !== "iid" && elder.includes(x)) continue;
    fanned.set(parent, [...elder, x]);
    tokens.push(x);
    parents.push(parent < tokens.length - 1 ? parent : tokens.length - 2);
  }
  const tree: DraftTree = {
    tokens: Int32Array.from(tokens),
    parents: Int32Array.from(parents),
    law,
    q: (node) => law === "point" ? undefined : draws.get(node) ?? dense(new Float64Array(vocab).fill(1 / vocab)),
  };
  const uniforms = Float64Array.from(
    { length: mostUniforms(tree) },
    () => dice.chance(0.2) ? ENDS[dice.whole(ENDS.length)] : dice.next(),
  );
  return { tree, rows, uniforms };
}

/** What a drafter may believe: the same, something else, few tokens of it, or with another sum. */
function like(p: Float32Array, dice: Random): Distribution {
  const vocab = p.length;
  switch (dice.whole(4)) {
    case 0:
      return dense(p);
    case 1:
      return sparse(vocab, [0, vocab - 1], [0.25, 0.75]);
    default:
      return dense(random(vocab, dice));
  }
}

function compare(rule: VerificationRule, device: DeviceRule, { tree, rows, uniforms }: Case, vocab: number): void {
  let rules = engines.get(vocab);
  if (rules === undefined) engines.set(vocab, rules = new OnnxRules(runtime, vocab));
  const count = tree.tokens.length + 1;
  const results = {
    logits: rows,
    probabilities: rows,
    tokens: BigInt64Array.from({ length: 2 * count }, (_, i) => {
      const row = rows.subarray((i >> 1) * vocab, ((i >> 1) + 1) * vocab);
      return BigInt(row.indexOf(row.reduce((a, b) => Math.max(a, b), 0)));
    }),
    likelihoods: new Float32Array(2 * count),
    top: 2,
  };
  const scores = new OnnxScores(count, vocab, 1, results, () => {}, rules);
  let used = 0;
  const verdict = rule.verify(tree, scores, new UniformChance(() => uniforms[used++]));
  scores.judge({ rule: device, tree, uniforms });
  assert.deepEqual(scores.judged, { verdict, used }, `${rule.name} on ${tree.law}`);
  if (rule.name === "greedy") return;
  const row = verdict.path.length === 0 ? 0 : verdict.path[verdict.path.length - 1] + 1;
  assert.ok(rows[row * vocab + verdict.next] > 0, "a token without probability was said");
}

const RULES: readonly [VerificationRule, DeviceRule][] = [
  [greedy, { name: "greedy" }],
  [token, { name: "token" }],
  [recursive, { name: "recursive" }],
  [typical(0.09, 0.3), { name: "typical", epsilon: 0.09, delta: 0.3 }],
  [typical(1, 0.61), { name: "typical", epsilon: 1, delta: 0.61 }],
];

for (const [seed, [rule, device]] of RULES.entries()) {
  for (const law of rule.laws) {
    test(`the device's ${rule.name} ${JSON.stringify(device)} agrees with TypeScript on small ${law} drafts`, () => {
      const dice = randomFrom(1000 * seed + rule.laws.indexOf(law));
      for (let i = 0; i < 300; i++) {
        const vocab = 2 + dice.whole(7);
        compare(rule, device, randomCase(vocab, dice.whole(8), law, dice), vocab);
      }
    });
  }
}

test("the device's rules agree with TypeScript at a vocabulary of 49,152", () => {
  const dice = randomFrom(7);
  for (const [rule, device] of RULES) {
    for (const law of rule.laws) compare(rule, device, randomCase(49_152, 4, law, dice), 49_152);
  }
});

test("an engine's verdicts on its own scores are the rules', and take as much from the chance", async () => {
  const { source } = randomModel(5, { spec: { context: 64 } });
  const cacheDir = temporaryCache(after);
  const engine = await onnxBackend.load(source, { format: "float32", strict: true, cacheDir });
  after(() => engine.close());
  const dice = randomFrom(11);
  for (const [rule, device] of RULES) assert.deepEqual(rule.device, device);
  const draft = (law: DraftLaw) => randomCase(source.spec.vocab, 6, law, dice).tree;
  await expectOwnVerdicts(engine, RULES.map(([rule]) => rule), draft);
});

test("where tokens are left out or penalised, no engine is asked to judge", () => {
  const can: Capabilities = {
    tree: true,
    exact: "trees",
    taps: false,
    layerSkip: false,
    deviceRules: ["greedy", "token", "recursive"],
    rewind: "truncate",
  };
  const ask = (rule: VerificationRule, change: Partial<Sampling>) =>
    requestVerdict(rule, EMPTY_TREE, { ...GREEDY, ...change }, can, new SeededChance(1))?.request.rule;
  assert.deepEqual(ask(token, { temperature: 1 }), { name: "token" });
  assert.deepEqual(ask(greedy, {}), { name: "greedy" });
  for (const change of [{ topK: 5 }, { topP: 0.9 }, { minP: 0.1 }, { typical: 0.9 }, { repetitionPenalty: 1.1 }]) {
    assert.equal(ask(token, { temperature: 1, ...change }), undefined, JSON.stringify(change));
  }
  assert.deepEqual(ask(greedy, { topK: 5 }), { name: "greedy" }, "greedy decoding leaves nothing out");
  assert.equal(ask(greedy, { repetitionPenalty: 1.1 }), undefined);
  assert.equal(ask(recursive, {}), undefined, "a rule that draws, at temperature 0");
  assert.equal(ask(typical(0.1, 0.1), { temperature: 1 }), undefined, "the engine does not have it");
});

test("an engine gives no verdict by a rule that it does not have", async () => {
  const { source } = randomModel(5, { spec: { context: 64 } });
  const engine = await onnxBackend.load(source, { format: "float32", strict: true, cacheDir: temporaryCache(after) });
  after(() => engine.close());
  const judge = { rule: { name: "block" }, tree: EMPTY_TREE, uniforms: new Float64Array(1) } as const;
  const scores = await engine.open().forward({ tokens: Int32Array.of(1), judge });
  assert.equal(scores.judged, undefined);
  assert.ok(scores.argmax(0) >= 0, "what was asked for besides is there");
});
