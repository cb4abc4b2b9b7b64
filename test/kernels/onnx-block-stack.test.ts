// Quantised matrices below each other, converted some rows at a time: the same numbers as each of them has as a whole.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BlockStack } from "../../kernels/onnx/block-stack.ts";
import { BinaryFile } from "../../src/model/files/reader.ts";
import { blocks } from "../../src/model/tensors/blocks.ts";
import type { Tensor, TensorType } from "../../src/model/tensors/tensor.ts";
import { bytesOf, computedBytes, FileTensor } from "../../src/model/tensors/weights.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomFrom } from "./support/random.ts";

const COLUMNS = 512;
const folder = temporaryFolder();

/** Random blocks of bytes below 64, so that all scales are finite numbers. */
function bytes(type: TensorType, rows: number): Uint8Array<ArrayBuffer> {
  const random = randomFrom(rows);
  return new Uint8Array(bytesOf(type, rows * COLUMNS)).map(() => random.whole(64));
}

function inFile(type: TensorType, rows: number): Tensor {
  const path = join(folder, `${type} ${rows}`);
  writeFileSync(path, bytes(type, rows));
  return new FileTensor(type, [rows, COLUMNS], type, new BinaryFile(path), 0);
}

/** A tensor that counts how often it is made. */
function made(type: TensorType, rows: number): { readonly tensor: Tensor; readonly times: () => number } {
  let times = 0;
  const tensor = computedBytes(type, [rows, COLUMNS], type, () => {
    times++;
    return bytes(type, rows);
  });
  return { tensor, times: () => times };
}

/** Codes, scales and offsets as whole arrays, and in how many parts codes came. */
function stacked(tensors: readonly Tensor[]) {
  const rows = tensors.reduce((sum, { shape }) => sum + shape[0], 0);
  const stack = new BlockStack(tensors, rows, COLUMNS / blocks(tensors[0], 0, 1)!.block);
  const codes = Array.from(stack.codes(), (part) => part.slice()); // a part is valid until the next is asked for
  return { stack, rows, codes: Buffer.concat(codes), parts: codes.length };
}

test("types that share a form are stacked in parts, in whatever parts each comes", () => {
  const later = made("Q8_0", 3000);
  const tensors = [inFile("Q5_0", 2500), inFile("Q8_0", 7), later.tensor, inFile("IQ4_NL", 2049)];
  const { stack, codes, parts } = stacked(tensors);
  const whole = tensors.map((tensor) => blocks(tensor)!);
  assert.ok(parts > tensors.length, `${parts} parts`);
  assert.ok(codes.equals(Buffer.concat(whole.map(({ codes }) => codes))));
  assert.deepEqual(stack.takeScales(), Float32Array.from(whole.flatMap(({ scales }) => [...scales])));
  assert.throws(() => stack.takeScales(), /each once/);
});

test("offsets come by block and row", () => {
  const tensors = [inFile("Q4_K", 2100), inFile("Q4_1", 33)];
  const { stack, codes, rows } = stacked(tensors);
  const whole = tensors.map((tensor) => blocks(tensor)!);
  assert.ok(codes.equals(Buffer.concat(whole.map(({ codes }) => codes))));
  const [offsets, perRow] = [stack.takeOffsets(), COLUMNS / 32];
  const expected = whole.flatMap(({ offsets }) => [...offsets!]);
  assert.equal(offsets.length, expected.length);
  assert.ok(expected.every((offset, i) => offset === offsets[i % perRow * rows + Math.floor(i / perRow)]));
});

test("what is made as a whole is made once", () => {
  const { tensor, times } = made("AFFINE4", 5000);
  assert.equal(stacked([tensor]).parts, 1);
  assert.equal(times(), 1);
});
