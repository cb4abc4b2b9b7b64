// A model with one broken number, wherever it stands, is refused by name: whatever it would say is without meaning.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { scoreTokens } from "../../src/round/perplexity.ts";
import { brokenModel, refusesAll, soundModel, TENSORS } from "./support/broken-model.ts";
import { WEIGHT_FORMATS } from "../../src/weight-format.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();

test("reference refuses it", () => refusesAll(referenceBackend, "float32", cacheDir));

for (const format of WEIGHT_FORMATS) {
  test(`onnx refuses it in ${format}`, () => refusesAll(onnxBackend, format, cacheDir));
}

for (const format of ["exact", "int8"] as const) {
  test(`onnx refuses a broken scale in ${format}, which rounding rows to whole numbers would hide`, async () => {
    const matrices = TENSORS.filter((name) => !name.includes("orm.")); // norms are in F32
    await refusesAll(onnxBackend, format, cacheDir, matrices, "Q8_0");
  });
}

test("a broken model is refused where a text is scored, and a sound one is not", async () => {
  for (const source of [soundModel(), brokenModel("output.weight", NaN)]) {
    const engine = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir });
    const scoring = scoreTokens(engine, Int32Array.of(1, 5, 3));
    if (source.path.startsWith("broken")) await assert.rejects(scoring, /scores are not finite numbers/);
    else assert.ok(Number.isFinite((await scoring).perplexity));
    engine.close();
  }
});

test("a row of zeros has finite scores in int8, and leaves those beside it alone", async () => {
  const source = soundModel();
  const engine = await onnxBackend.load(source, { format: "int8", strict: true, threads: 1, cacheDir });
  const { width } = source.spec;
  const some = Float32Array.from({ length: width }, (_, i) => Math.sin(i + 1));
  const firstRow = async (second: Float32Array) => {
    const sequence = engine.open();
    const embeddings = Float32Array.of(...some, ...second);
    const scores = await sequence.forward({ tokens: Int32Array.of(0, 0), embeddings, need: "logits" });
    assert.ok(scores.logits(1).every(Number.isFinite));
    const first = scores.logits(0).slice();
    sequence.close();
    return first;
  };
  assert.deepEqual(await firstRow(new Float32Array(width)), await firstRow(some));
  engine.close();
});
