// Draft trees on ONNX Runtime, where scores beside branches are a little off: the text is that of plain decoding, to the
// last token, greedy and sampled, in every weight format.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { match } from "../../plugins/rules/match.ts";
import { complete } from "../../src/round/generate.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { KnowingDrafter } from "../support/drafters.ts";
import { optionsOf } from "../support/options.ts";
import { randomModel, type RandomModelOptions } from "./support/random-model.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();

const SETTINGS: readonly (readonly [WeightFormat, number, RandomModelOptions])[] = [
  ["float32", 2, {}],
  ["float32", 9, {}],
  ["exact", 5, { type: "Q4_1" }],
  ["exact", 16, { type: "Q8_0" }],
  ["int8", 24, {
    type: "Q4_1",
    spec: { norm: { kind: "rms", epsilon: 1e-5 } },
    extras: { norms: "before", normBias: false },
  }],
];

for (const [format, seed, options] of SETTINGS) {
  test(`${format}: text with draft trees is plain text on random model ${seed}`, async () => {
    const { source } = randomModel(seed, { ...options, spec: { context: 160, ...options.spec } });
    const engine = await onnxBackend.load(source, { format, strict: true, cacheDir, threads: 2 });
    try {
      for (const text of [1, 2, 3, 4]) {
        const sampling = text % 2 === 0 ? { temperature: 0.8 } : {};
        const rule = text % 2 === 0 ? match : greedy;
        const prompt = Array.from({ length: 20 }, (_, i) => (i * 7919 + text * 131) % source.spec.vocab);
        const common = { engine, rule, sampling, seed: text, prompt, maxTokens: 100 };
        const plain = await complete(optionsOf(common));
        const drafted = await complete(optionsOf({ ...common, drafter: new KnowingDrafter(plain.tokens, text) }));
        assert.deepEqual(drafted.tokens, plain.tokens);
        assert.ok(drafted.stats.passes < 0.6 * plain.stats.passes, `${drafted.stats.passes} passes`);
      }
    } finally {
      engine.close();
    }
  });
}

test("rows of a chain that a pass begins with have the bits they have without branches behind them", async () => {
  for (const [format, seed, options] of SETTINGS) {
    const { source } = randomModel(seed, { ...options, spec: { context: 160, ...options.spec } });
    const engine = await onnxBackend.load(source, { format, strict: true, cacheDir, threads: 2 });
    const sequence = engine.open();
    try {
      const token = (i: number) => (i * 7919 + 5) % source.spec.vocab;
      await sequence.forward({ tokens: Int32Array.from({ length: 37 }, (_, i) => token(i)), score: "last" });
      sequence.keep(Int32Array.from({ length: 37 }, (_, i) => i));
      const tokens = Int32Array.from({ length: 12 }, (_, i) => token(100 + i));
      for (const chain of [1, 2, 5, 8]) {
        const alone = await sequence.forward({ tokens: tokens.slice(0, chain) });
        const bits = Array.from({ length: chain }, (_, row) => [...alone.logits(row)]);
        const parents = Int32Array.from(tokens, (_, row) => row < chain ? row - 1 : row % chain);
        const beside = await sequence.forward({ tokens, parents });
        for (let row = 0; row < chain; row++) assert.deepEqual([...beside.logits(row)], bits[row]);
      }
    } finally {
      sequence.close();
      engine.close();
    }
  }
});
