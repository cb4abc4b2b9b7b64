// A tiny Llama in each of GGML's block types, in the weight format `exact`, against its dequantised float32 form.
//
// `exact` computes the file's own numbers, and rounds the rows that they are multiplied with to 8 bits in blocks, as
// llama.cpp does. The three tests of each type keep the two apart: without the rounding the weights are float32's; one
// product is that of rounded rows; and the whole is no further off than such rounding makes it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import type { Engine } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { blockForm, blocks } from "../../src/model/tensors/blocks.ts";
import type { Blocks } from "../../src/model/tensors/tensor.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { part } from "../support/part.ts";
import { BLOCK_TYPES, blockModel } from "./support/block-types.ts";
import { withFloatActivations } from "./support/float-activations.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();

/** What rounding of rows may do to logits, as a fraction of the largest: 0.004 to 0.017 on these models. */
const ROUNDING = 0.03;

const load = (source: ModelSource, format: WeightFormat) =>
  onnxBackend.load(source, { format, strict: true, threads: 1, cacheDir });

async function logits(engine: Engine): Promise<readonly ArrayLike<number>[]> {
  const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 37 + 11) % engine.source.spec.vocab);
  const sequence = engine.open();
  try {
    return await runChain(sequence, tokens, tokens.length);
  } finally {
    sequence.close();
    engine.close();
  }
}

/** Largest difference, as a fraction of the largest expected value. */
function farOff(rows: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): number {
  let [worst, largest] = [0, 0];
  expected.forEach((row, r) => {
    for (let i = 0; i < row.length; i++) {
      worst = Math.max(worst, Math.abs(rows[r][i] - row[i]));
      largest = Math.max(largest, Math.abs(row[i]));
    }
  });
  return worst / largest;
}

test("fifteen block types are checked", () => assert.equal(BLOCK_TYPES.length, 15));

for (const type of part(BLOCK_TYPES, 4)) {
  const { stored, plain } = blockModel(type);
  const expected = load(plain, "float32").then(logits);

  test(`the weights of a Llama in ${type} are computed within 1e-5 of its float32 form`, async () => {
    const off = farOff(await logits(await withFloatActivations(stored, cacheDir)), await expected);
    assert.ok(off <= 1e-5, `${off} off`);
  });

  test(`a Llama in ${type} with rows rounded to 8 bits stays within ${ROUNDING} of its float32 form`, async () => {
    const off = farOff(await logits(await load(stored, "exact")), await expected);
    assert.ok(off <= ROUNDING, `${off} off`);
  });

  test(`one product in ${type} is within 1e-3 of float32 weights times rows rounded to 8 bits in blocks`, async () => {
    const rows = await logits(await load(headOnly(stored), "exact"));
    const tokens = Array.from(rows, (_, i) => (i * 37 + 11) % stored.spec.vocab);
    const off = farOff(rows, tokens.map((token) => roundedHead(stored, token)));
    assert.ok(off <= 1e-3, `${off} off`);
  });
}

/** The model with layers that add nothing: its logits are the head times the normalised embedding. */
function headOnly(source: ModelSource): ModelSource {
  const silent = (name: string) => /(attention\.output|feedForward\.down)\.weight$/.test(name);
  return {
    ...source,
    hash: async () => `head of ${await source.hash("")}`,
    tensor: (name) => {
      const tensor = source.tensor(name);
      if (!silent(name)) return tensor;
      const zeros = new Float32Array(tensor.shape[0] * tensor.shape[1]);
      const part = (from = 0, to = tensor.shape[0]) => zeros.subarray(from * tensor.shape[1], to * tensor.shape[1]);
      return {
        ...tensor,
        type: "F32",
        floats: part,
        bytes: (from, to) => new Uint8Array(part(from, to).slice().buffer),
      };
    },
  };
}

/** Logits after `token` by the formula: norm, rounding of blocks to 8 bits, product in float64. */
function roundedHead(source: ModelSource, token: number): number[] {
  const { width, vocab, norm } = source.spec;
  const embedding = source.tensor("embed.weight").floats(token, token + 1);
  const gains = source.tensor("norm.weight").floats();
  const mean = embedding.reduce((sum, value) => sum + value * value, 0) / width;
  const row = embedding.map((value, i) => value / Math.sqrt(mean + norm.epsilon) * gains[i]);
  const head = source.tensor("output.weight");
  const { block } = blockForm(head)!;
  const offsets = blockForm(head)!.affine;
  const rounded = Float64Array.from(row);
  for (let from = 0; from < width; from += block) {
    const part = row.subarray(from, from + block);
    const scale = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127 || 1; // a block of zeros
    part.forEach((value, i) => rounded[from + i] = Math.round(value / scale) * scale);
  }
  const weights = head.floats();
  return Array.from({ length: vocab }, (_, out) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += weights[out * width + i] * rounded[i];
    return offsets ? sum + offsetRest(source, row, rounded, out) : sum;
  });
}

/** Offsets are multiplied with sums of the rows as they are, so what rounding changed does not count for them. */
function offsetRest(source: ModelSource, row: Float32Array, rounded: Float64Array, out: number): number {
  const { offsets, block } = headBlocks(source);
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    sum += offsets![out * row.length / block + Math.floor(i / block)] * (row[i] - rounded[i]);
  }
  return sum;
}

const known = new WeakMap<ModelSource, Blocks>();

function headBlocks(source: ModelSource): Blocks {
  let found = known.get(source);
  if (!found) known.set(source, found = blocks(source.tensor("output.weight"))!);
  return found;
}
