// The graph that passes of ONNX Runtime can look inside of: it takes the plain one's place, with its bits, in every weight
// format, and hands out what the model's file would have.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { convertModel } from "../../kernels/onnx/conversion.ts";
import { Rotation } from "../../kernels/onnx/hadamard.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import type { Rows } from "../../src/backend.ts";
import { allLogits, patternless, wholePath } from "../../src/check/conformance/engine-bench.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { temporaryFolder } from "../support/folder.ts";
import { fixture } from "./support/golden.ts";
import { randomModel, type RandomModelOptions } from "./support/random-model.ts";

const cacheDir = temporaryFolder();
const load = (source: ModelSource, format: WeightFormat) =>
  onnxBackend.load(source, { format, strict: true, threads: 1, cacheDir });

const experts: RandomModelOptions = { feedForward: { experts: { count: 6, used: 2, share: "all" } } };
const plain: RandomModelOptions = {
  spec: { norm: { kind: "rms", epsilon: 1e-5 } },
  extras: { norms: "before", normBias: false },
};

const MODELS: readonly (readonly [WeightFormat, number, RandomModelOptions])[] = [
  ["float32", 9, {}], // layer norms, biases
  ["float32", 25, experts],
  ["exact", 3, { type: "Q4_1", ...experts }],
  ["exact", 19, { type: "Q8_0", ...experts }], // parallel blocks
  ["exact", 13, { type: "Q4_1" }],
  ["int8", 24, { type: "Q4_1", ...plain }],
];

for (const [format, seed, options] of MODELS) {
  test(`${format}, random model ${seed}: texts go on with the same bits when one of them is looked into`, async () => {
    const { source } = randomModel(seed, { ...options, spec: { context: 96, ...options.spec } });
    const text = patternless(30, source.spec.vocab, seed);
    const rows = (from: number, to: number): Rows => ({ tokens: text.slice(from, to) });
    const engine = await load(source, format);
    const [looked, other] = [engine.open(), engine.open()];
    for (const sequence of [looked, other]) {
      await sequence.forward(rows(0, 9));
      sequence.keep(wholePath(rows(0, 9)));
    }
    const before = allLogits(await other.forward(rows(9, 30)));
    await looked.forward({ ...rows(9, 12), taps: ["head"] });
    looked.keep(wholePath(rows(9, 12)));
    assert.deepEqual(allLogits(await looked.forward(rows(12, 30))), before.slice(3));
    assert.deepEqual(allLogits(await other.forward(rows(9, 30))), before);
    engine.close();
  });
}

test("a file converted to int8 hands out the original's hidden states, though its head has taken in the last gain", async () => {
  const source = await openModel(fixture("tiny/gguf/llama-f32.gguf"));
  const path = join(cacheDir, "llama.hunch");
  await convertModel(source, "int8", path);
  const converted = await openModel(path);
  const rows: Rows = { tokens: patternless(6, source.spec.vocab, 1), taps: [0, 1, "head"] };
  const engines = [
    await load(converted, "int8"),
    await load(source, "int8"),
    await referenceBackend.load(source, { format: "float32", strict: true, cacheDir }),
  ];
  const states = [];
  for (const engine of engines) {
    const scores = await engine.open().forward(rows);
    states.push(rows.taps!.map((tap) => [...scores.states!(tap)]));
    engine.close();
  }
  const [own, same, wanted] = states;
  assert.deepEqual(own, same);
  wanted.forEach((state, i) => {
    const largest = Math.max(...state.map(Math.abs));
    const off = Math.max(...state.map((value, at) => Math.abs(value - own[i][at])));
    const allowed = i === 0 ? 1e-5 : 0.1; // the embeddings are not rounded, all else is
    assert.ok(off <= allowed * largest, `${rows.taps![i]}: off by ${off} of ${largest}`);
  });
  converted.close();
  source.close();
});

test("a rotation is undone, whatever its factors", () => {
  for (const size of [8, 12, 36, 48, 20, 7, 576]) {
    const rotation = Rotation.random(size);
    const rows = Float32Array.from({ length: 3 * size }, (_, i) => Math.sin(i * i + size));
    const turned = rows.slice();
    rotation.rotateRows(turned);
    rotation.rotateRowsBack(turned);
    rows.forEach((value, i) => assert.ok(Math.abs(value - turned[i]) < 1e-5, `${size}`));
  }
});
