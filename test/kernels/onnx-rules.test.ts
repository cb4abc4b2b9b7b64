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
import type { DeviceRule } from "../../src/device-rule.ts";
import { requestVerdict } from "../../src/round/request-verdict.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { dense } from "../../src/math/distribution.ts";
import { type DraftLaw, type DraftTree, EMPTY_TREE } from "../../src/tree.ts";
import { expectOwnVerdicts } from "./support/own-verdicts.ts";
import { randomModel } from "./support/random-model.ts";
import { randomFrom } from "./support/random.ts";
import { randomCase, type RuleCase } from "./support/rule-cases.ts";
import { temporaryFolder } from "../support/folder.ts";

const runtime = await Runtime.load(await libraryPath(""));
const engines = new Map<number, OnnxRules>();
after(() => engines.forEach((rules) => rules.close()));

function compare(rule: VerificationRule, device: DeviceRule, { tree, rows, uniforms }: RuleCase, vocab: number): void {
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
    states: () => new Float32Array(0),
  };
  const scores = new OnnxScores(count, vocab, 1, results, () => {}, rules);
  let used = 0;
  const verdict = rule.verify(tree, scores, new UniformChance(() => uniforms[used++]));
  scores.verify({ rule: device, tree, uniforms });
  assert.deepEqual(scores.verified, { verdict, used }, `${rule.name} on ${tree.law}`);
  if (rule.name === "greedy") return;
  const row = verdict.path.length === 0 ? 0 : verdict.path[verdict.path.length - 1] + 1;
  assert.ok(rows[row * vocab + verdict.next] > 0, "a token without probability was said");
}

const RULES: readonly [VerificationRule, DeviceRule][] = [
  [greedy, { name: "greedy" }],
  [token, { name: "token" }],
  [recursive, { name: "recursive" }],
  [typical(0.09, 0.3), { name: "typical", parameters: { epsilon: 0.09, delta: 0.3 } }],
  [typical(1, 0.61), { name: "typical", parameters: { epsilon: 1, delta: 0.61 } }],
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

test("a peak may leave any power of ten to the others, down to denormals", () => {
  const vocab = 4;
  const row = Float32Array.of(0.1, 0.2, 0.3, 0.4);
  const rows = new Float32Array(4 * vocab).map((_, i) => row[i % vocab]);
  for (let power = 1; power <= 323; power += power < 20 ? 1 : 7) {
    const rest = Number(`1e-${power}`);
    const q = dense([rest, 1 - rest, 3 * rest, 2 * rest]);
    for (const law of ["distinct", "top-and-one"] as const) {
      const tokens = law === "distinct" ? Int32Array.of(1, 3, 2) : Int32Array.of(1, 2, 3);
      const tree: DraftTree = { tokens, parents: new Int32Array(3).fill(-1), law, q: () => q };
      for (const u of [0.2, 0.6, 0.95]) {
        const uniforms = Float64Array.of(0.9, 0.9, 0.8, u, u, u, u, u);
        for (const rule of [token, recursive]) {
          if (rule.laws.includes(law)) compare(rule, rule.device!, { tree, rows, uniforms }, vocab);
        }
      }
    }
  }
});

test("an engine's verdicts on its own scores are the rules', and take as much from the chance", async () => {
  const { source } = randomModel(5, { spec: { context: 64 } });
  const cacheDir = temporaryFolder();
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
    deviceRules: ["greedy", "token", "recursive"],
    rewind: "truncate",
  };
  const ask = (rule: VerificationRule, change: Partial<Sampling>) =>
    requestVerdict(rule, EMPTY_TREE, { ...GREEDY, ...change }, can, new SeededChance(1))?.rule;
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
  const engine = await onnxBackend.load(source, { format: "float32", strict: true, cacheDir: temporaryFolder() });
  after(() => engine.close());
  const verify = { rule: { name: "block" }, tree: EMPTY_TREE, uniforms: new Float64Array(1) } as const;
  const scores = await engine.open().forward({ tokens: Int32Array.of(1), verify });
  assert.equal(scores.verified, undefined);
  assert.ok(scores.argmax(0) >= 0, "what was asked for besides is there");
});
