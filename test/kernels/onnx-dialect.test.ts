// The graph as ONNX Runtime's WebGPU provider needs it, which ignores the positions that its attention is given.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockAttention } from "../../kernels/onnx/attention/blocks.ts";
import { groupedAttention } from "../../kernels/onnx/attention/grouped.ts";
import { decoderOf, dialectOf } from "../../kernels/onnx/conversion.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { blockModel } from "./support/block-types.ts";
import { withFloatActivations } from "./support/float-activations.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();
const { stored } = blockModel("Q4_1");

test("a graph for the WebGPU provider rotates before attention and rounds no rows", () => {
  const all = (provider: string, op: string, attribute: string) =>
    new Set(
      decoderOf(stored, "exact", dialectOf(provider)).nodes.filter((node) => node.op === op)
        .map(({ attributes }) => (attributes[attribute] as { int: number }).int),
    );
  assert.deepEqual(all("webgpu", "GroupQueryAttention", "do_rotary"), new Set([0]));
  assert.deepEqual(all("webgpu", "MatMulNBits", "accuracy_level"), new Set([1]));
  assert.deepEqual(all("cuda", "GroupQueryAttention", "do_rotary"), new Set([1]));
  assert.deepEqual(all("cpu", "GroupQueryAttention", "do_rotary"), new Set());
  assert.deepEqual(all("cpu", "MatMulNBits", "accuracy_level"), new Set([4]));
});

test("no way of attending changes a score by more than 1e-5 of the largest, in chains and trees", async () => {
  const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 37 + 11) % stored.spec.vocab);
  const scores = [];
  for (const attention of [blockAttention, groupedAttention(true), groupedAttention(false)]) {
    const engine = await withFloatActivations(stored, cacheDir, attention);
    const sequence = engine.open();
    const rows = (await runChain(sequence, tokens, 8)).map((row) => Float64Array.from(row));
    const tree = await sequence.forward({ tokens: tokens.subarray(0, 4), parents: Int32Array.of(-1, 0, 0, 1) });
    for (let row = 0; row < 4; row++) rows.push(Float64Array.from(tree.logits(row)));
    scores.push(rows);
    sequence.close();
    engine.close();
  }
  const [blocks, ...others] = scores;
  const largest = Math.max(...blocks.flatMap((row) => row.reduce((most, x) => Math.max(most, Math.abs(x)), 0)));
  for (const other of others) {
    blocks.forEach((row, r) => row.forEach((x, i) => assert.ok(Math.abs(x - other[r][i]) <= 1e-5 * largest)));
  }
});
