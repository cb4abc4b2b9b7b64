// The original's numbers again, out of converted files: for each tensor what the original file says, to the last bit.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { convertModel } from "../../kernels/onnx/conversion.ts";
import { originalOf } from "../../kernels/original.ts";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { blockForm, blocks } from "../../src/model/tensors/blocks.ts";
import { HunchError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { BLOCK_TYPES, blockModel } from "./support/block-types.ts";
import { fixture } from "./support/golden.ts";
import { holdGpu } from "./support/gpu.ts";
import { randomModel } from "./support/random-model.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();
const path = join(cacheDir, "made.hunch");

/** Models without a file have nothing to make a tokenizer of, and need none here. */
const withTexts = (source: ModelSource): ModelSource => ({ ...source, texts: { kind: "llama2c", files: [] } });

async function convert(source: ModelSource, format: WeightFormat): Promise<ModelSource> {
  await convertModel(source, format, path);
  return await openModel(path);
}

async function comesBack(source: ModelSource, format: WeightFormat): Promise<void> {
  const converted = await convert(source, format);
  const original = originalOf(converted, converted.converted!, format);
  assert.deepEqual(original.names, source.names);
  for (const name of source.names) {
    const [want, got] = [source.tensor(name), original.tensor(name)];
    assert.deepEqual(got.shape, want.shape, name);
    const kept = name === "embed.weight" || name === "positions.weight";
    const rows = want.shape.length === 1 ? 1 : want.shape[0];
    const [from, to] = [Math.floor(rows / 3), Math.ceil(rows * 2 / 3)];
    if (kept) {
      assert.deepEqual(got.bytes(), want.bytes(), name);
    } else if (format === "exact" && blockForm(want)) {
      assert.deepEqual(blocks(got), blocks(want), name);
      assert.deepEqual(blocks(got, from, to), blocks(want, from, to), name);
    } else {
      assert.deepEqual(got.floats(), want.floats(), name);
      if (rows > 1) assert.deepEqual(got.floats(from, to), want.floats(from, to), name);
      if (rows > 1) assert.equal(got.bytes(from, to).length, (to - from) * want.shape[1] * 4);
    }
  }
  converted.close();
}

for (const type of BLOCK_TYPES) {
  test(`a model in ${type} comes back out of both formats`, async () => {
    const { stored } = blockModel(type);
    for (const format of ["exact", "float32"] as const) await comesBack(withTexts(stored), format);
  });
}

test("biases, norms, tied heads and every other part of random models come back", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const type = ([undefined, "Q4_0", "Q4_1", "Q8_0"] as const)[seed % 4];
    const { source } = randomModel(seed, { type });
    for (const format of ["exact", "float32"] as const) await comesBack(withTexts(source), format);
  }
});

test("every tiny architecture comes back", async () => {
  for (const name of ["gemma3", "gpt2", "gpt_neox", "granite", "olmo2", "phi3", "qwen2", "qwen3", "smollm3"]) {
    const source = await openModel(fixture(`tiny/gguf/${name}-f32.gguf`));
    await comesBack(source, "exact");
    source.close();
  }
});

const refused = (kind: HunchError["kind"], pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HunchError, String(error));
  assert.equal(error.kind, kind);
  assert.match(error.line, pattern);
  return true;
};

test("rounded weights, another format, and a weight that is not there are refused in one line", async () => {
  const source = await openModel(fixture("tiny/gguf/llama-f32.gguf"));
  const rounded = await convert(source, "int8");
  const refusals = webgpuBackend.offers!(rounded).map(({ refusal }) => refusal);
  assert.equal(refusals.length, 3);
  assert.ok(refusals.every((refusal) => refusal !== undefined));
  const load = (converted: ModelSource, format: WeightFormat | "auto") =>
    webgpuBackend.load(converted, { format, strict: true, cacheDir });
  await assert.rejects(
    load(rounded, "auto"),
    refused("unavailable", /rounded weights.*open the original/),
  );
  await assert.rejects(load(rounded, "int8"), refused("unavailable", /no format int8/));
  rounded.close();
  const exact = await convert(source, "exact");
  await assert.rejects(load(exact, "float32"), refused("usage", /in exact only/));
  const { places, ...rest } = exact.converted!;
  const lacking = { ...rest, places: new Map([...places].filter(([name]) => !name.includes("gateUp"))) };
  const broken = originalOf(exact, lacking, "exact");
  assert.throws(
    () => broken.tensor("layers.0.feedForward.gate.weight").floats(),
    refused("input", /lacks a weight.*gateUp/),
  );
  exact.close();
  source.close();
});

const skip = await holdGpu(after);

test("WebGPU computes the same scores from a converted file, to the last bit", { skip }, async () => {
  const scores = async (source: ModelSource) => {
    const engine = await webgpuBackend.load(source, { format: "auto", strict: true, cacheDir });
    const tokens = Int32Array.from({ length: 12 }, (_, i) => (i * 37 + 11) % source.spec.vocab);
    const sequence = engine.open();
    try {
      return await runChain(sequence, tokens, tokens.length);
    } finally {
      sequence.close();
      engine.close();
    }
  };
  const source = withTexts(blockModel("Q4_K").stored);
  const want = await scores(source);
  const converted = await convert(source, "exact");
  assert.deepEqual(await scores(converted), want);
  converted.close();
});
