// The matrix product to the bit: it multiplies a file's own numbers, whatever the rows beside a row and whatever the
// adapter has of subgroups and float16.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Device } from "../../kernels/webgpu/device.ts";
import { MOST_ROWS } from "../../kernels/webgpu/kernels.ts";
import { type Features, PLAIN } from "../../kernels/webgpu/features.ts";
import { formOf, packScales, uploadFloats, uploadMatrix, weightBytes } from "../../kernels/webgpu/matrix.ts";
import { selfTest } from "../../kernels/webgpu/self-test.ts";
import { matmulStep, Recorder } from "../../kernels/webgpu/steps.ts";
import { blocks, storedBlocks } from "../../src/model/tensors/blocks.ts";
import { readSafetensors, safeFloats } from "../../src/model/files/safetensors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { TensorType } from "../../src/model/tensors/tensor.ts";
import { blockElements, decode } from "../../src/model/tensors/weights.ts";
import { part } from "../support/part.ts";
import { skippable } from "../support/skip.ts";
import { holdGpu, openDevice, readFloats } from "./support/gpu.ts";
import { memorySource, type MemoryTensor } from "./support/memory-source.ts";
import { pack } from "./support/pack.ts";
import { randomModel } from "./support/random-model.ts";
import { randomFrom } from "./support/random.ts";

const skip = await holdGpu(after);
let opened: Promise<Device> | undefined;
const gpu = () => opened ??= openDevice();
after(async () => (await opened)?.close());

const random = randomFrom(11);
const normals = (length: number) => Float32Array.from({ length }, () => random.normal());

function sourceOf(tensor: MemoryTensor): ModelSource {
  return memorySource(randomModel(1).source.spec, new Map([["m.weight", tensor]]));
}

/** x [rows, columns] times the tensor [outputs, columns], [rows, outputs]. */
async function product(tensor: MemoryTensor, x: Float32Array, features?: Features): Promise<Float32Array> {
  const device = await gpu();
  const [outputs, columns] = tensor.shape;
  const rows = x.length / columns;
  const stride = Math.ceil(columns / 8) * 8;
  const padded = new Float32Array(MOST_ROWS * stride);
  for (let row = 0; row < rows; row++) padded.set(x.subarray(row * columns, (row + 1) * columns), row * stride);
  const pass = device.uniform(32, "pass");
  device.write(pass, Uint32Array.of(rows, 0, 0, 0, rows));
  const bench = { device, pass, nothing: device.storage(16, "nothing"), features };
  const { pieces } = uploadMatrix(device, sourceOf(tensor), [{ name: "m", rows: outputs }], columns, true);
  const y = device.storage(rows * outputs * 4, "y");
  const input = { buffer: uploadFloats(device, padded, "x"), stride };
  const recorder = new Recorder(device);
  const steps = pieces.map((piece) => matmulStep(bench, input, piece, { buffer: y }, outputs));
  const width = { rows, scored: rows };
  const pipelines = await recorder.prepare(steps, width);
  const encoder = device.gpu.createCommandEncoder();
  recorder.record(encoder, steps, pipelines, width, []);
  device.submit(encoder);
  return await readFloats(device, y, rows * outputs);
}

/** The weights themselves: rows of x are 1 in one place and 0 elsewhere. */
async function weightsOf(tensor: MemoryTensor, features?: Features): Promise<Float32Array> {
  const [outputs, columns] = tensor.shape;
  const weights = new Float32Array(outputs * columns);
  for (let from = 0; from < columns; from += 32) {
    const rows = Math.min(32, columns - from);
    const x = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) x[row * columns + from + row] = 1;
    const y = await product(tensor, x, features);
    y.forEach((value, i) => weights[i % outputs * columns + from + Math.floor(i / outputs)] = value);
  }
  return weights;
}

function same(found: Float32Array, wanted: Float32Array): void {
  assert.equal(found.length, wanted.length);
  for (let i = 0; i < found.length; i++) assert.ok(found[i] === wanted[i], `${i}: ${found[i]} instead of ${wanted[i]}`);
}

/** What an engine computes with: of a quantised tensor what its container stands for, in float32. */
function meant(tensor: MemoryTensor): Float32Array {
  const container = blocks(sourceOf(tensor).tensor("m.weight"));
  if (!container) return tensor.values;
  const { bits, block, codes, scales, offsets } = container;
  return tensor.values.map((_, i) => {
    const code = bits === 8 ? codes[i] : i & 1 ? codes[i >> 1] >> 4 : codes[i >> 1] & 15;
    const group = Math.floor(i / block);
    return Math.fround((code - 2 ** (bits - 1)) * scales[group]) + (offsets?.[group] ?? 0);
  });
}

/** A tensor in the file's own bytes. */
function stored(type: TensorType, rows: number, bytes: Uint8Array, columns: number): MemoryTensor {
  return { shape: [rows, columns], values: decode(type, bytes, rows * columns), packed: { type, bytes } };
}

/** All sizes of subgroups that work here. */
async function sizes(): Promise<Features[]> {
  const { features } = await gpu();
  return [1, 2, 4, 8, 16].filter((size) => size <= features.subgroups).map((subgroups) => ({ ...PLAIN, subgroups }));
}

/** All ways that this adapter has to read float16. */
async function unpackings(): Promise<Features[]> {
  const { subnormals, float16 } = (await gpu()).features;
  return [PLAIN, ...subnormals ? [{ ...PLAIN, subnormals }] : [], ...float16 ? [{ ...PLAIN, float16 }] : []];
}

// Each tile of rows has its own division among threads; 67 rows take two workgroups.
for (const rows of part([1, 3, 67, 2, 7, 16, 30, 64], 3)) {
  test(`${rows} rows have the bits that each has alone, with subgroups and without`, { skip }, async () => {
    const [outputs, columns] = [21, 416]; // 52 units: some lanes have more than others, some take four at a time
    const tensor = pack([outputs, columns], normals(outputs * columns), "Q4_0");
    const x = normals(rows * columns);
    const alone = await product(tensor, x.subarray(0, columns), PLAIN);
    const plain = await product(tensor, x, PLAIN);
    same(plain.subarray(0, outputs), alone);
    for (const features of await sizes()) same(await product(tensor, x, features), plain);
  });
}

const fixture = readSafetensors("test/fixtures/tiny/ggml-types.safetensors").tensors;
const types = [...fixture.keys()].filter((name) => name.endsWith(".raw")).map((name) => name.slice(0, -4));

/** The fixture's tensor of a type: three rows, or one where it has no blocks. */
function exampleOf(type: TensorType): MemoryTensor {
  const raw = fixture.get(`${type}.raw`)!;
  const values = safeFloats(fixture.get(`${type}.values`)!);
  const rows = blockElements(type) > 1 ? 3 : 1;
  return stored(type, rows, raw.file.read(raw.offset, raw.bytes, raw.name), values.length / rows);
}

for (const type of part(types as TensorType[], 3)) {
  test(`weights in ${type} are what the file's blocks stand for, to the bit`, { skip }, async () => {
    const tensor = exampleOf(type);
    same(await weightsOf(tensor), meant(tensor));
  });
}

/** float16 numbers: zeros, the smallest, largest and unusual ones of both signs, and some without a pattern. */
const HALVES = [
  ...[0, 1, 2, 0x1ff, 0x3ff, 0x400, 0x401, 0x3bff, 0x3c00, 0x5555, 0x7bff].flatMap((bits) => [bits, bits | 0x8000]),
  ...Array.from({ length: 44 }, (_, i) => i * 40503 % 0x7c00 | (i & 1) << 15),
];

const SCALED = [["Q4_0", 18, 32], ["Q4_1", 20, 32], ["Q8_0", 34, 32], ["Q5_1", 24, 32]] as const;

for (const [type, size, block] of part(SCALED, 1)) {
  test(`scales of every kind in ${type} are kept to the bit, however float16 is unpacked`, { skip }, async () => {
    const perRow = 3; // an odd number: a row's last scale has a word of its own where two share one
    const bytes = Uint8Array.from({ length: HALVES.length * size }, (_, i) => i * 73 + (i >> 3));
    const view = new DataView(bytes.buffer);
    const affine = size === 20 || size === 24;
    HALVES.forEach((bits, i) => {
      view.setUint16(i * size, bits, true);
      if (affine) view.setUint16(i * size + 2, HALVES[(i * 5 + 3) % HALVES.length], true);
    });
    const tensor = stored(type, HALVES.length / perRow, bytes, perRow * block);
    for (const features of await unpackings()) same(await weightsOf(tensor, features), meant(tensor));
  });
}

test("float16 weights are kept to the bit, however they are read", { skip }, async () => {
  const columns = 44; // no whole number of units
  const subnormal = Array.from({ length: 2046 }, (_, i) => (i >> 1) + 1 | (i & 1) << 15);
  const bits = Uint16Array.from([...subnormal, ...HALVES]);
  const tensor = stored("F16", bits.length / columns, new Uint8Array(bits.buffer), columns);
  for (const features of await unpackings()) same(await weightsOf(tensor, features), tensor.values);
});

test("float16 scales take half the bytes, and others stay float32", () => {
  const source = (type: TensorType, bytes: number, rows: number, columns: number) =>
    sourceOf(stored(type, rows, new Uint8Array(rows * columns / blockElements(type) * bytes), columns));
  assert.equal(weightBytes(source("Q4_0", 18, 5, 96), true), 5 * (96 / 2 + 2 * 4)); // three scales, two words
  assert.equal(weightBytes(source("Q4_1", 20, 5, 96), true), 5 * (96 / 2 + 3 * 4));
  assert.equal(weightBytes(source("Q8_0", 34, 5, 96), true), 5 * (96 + 2 * 4));
  assert.equal(weightBytes(source("AFFINE4", 24, 5, 96), true), 5 * (96 / 2 + 3 * 8));
  assert.equal(weightBytes(source("Q4_K", 144, 5, 256), true), 5 * (256 / 2 + 8 * 8));
  assert.equal(weightBytes(source("Q6_K", 210, 5, 256), true), 5 * (256 + 16 * 4));
  assert.equal(weightBytes(source("F16", 2, 5, 12), true), 5 * 32); // rows are filled up to whole units
});

test("types whose scales are float16 have no others, and scales are packed as they are", () => {
  for (const type of types as TensorType[]) {
    const tensor = sourceOf(exampleOf(type)).tensor("m.weight");
    const [rows, columns] = tensor.shape;
    const form = formOf(tensor, true);
    if (!("block" in form)) continue;
    const found = form.half ? storedBlocks(tensor)! : blocks(tensor)!;
    const words = packScales(found, form);
    const perRow = columns / form.block;
    const numbers = form.half ? new Float16Array(words.buffer) : new Float32Array(words.buffer);
    const stride = numbers.length / rows;
    found.scales.forEach((scale, i) => {
      const at = form.affine ? 2 * i : Math.floor(i / perRow) * stride + i % perRow;
      assert.equal(numbers[at], scale, `${type}, scale ${i}`);
      if (form.affine) assert.equal(numbers[2 * i + 1], found.offsets![i], `${type}, offset ${i}`);
    });
  }
});

test("scales beyond float16 stay float32", { skip }, async () => {
  const bytes = Uint8Array.from({ length: 6 * 24 }, (_, i) => i * 91 + 7);
  const view = new DataView(bytes.buffer);
  [1 / 3, -1e-30, 7e20, 0, 65536, -0.1].forEach((scale, i) => {
    view.setFloat32(24 * i, scale, true);
    view.setFloat32(24 * i + 4, scale / 7, true);
  });
  const tensor = stored("AFFINE4", 2, bytes, 96);
  const found = await weightsOf(tensor);
  // Here code times scale is not exact in float32, and WGSL lets fma round it.
  tensor.values.forEach((value, i) => {
    const size = Math.abs(view.getFloat32(24 * Math.floor(i / 32), true)) * 16;
    assert.ok(Math.abs(found[i] - value) <= size * 2 ** -23, `${i}: ${found[i]} instead of ${value}`);
  });
});

test(
  "what SwiftShader and Mesa's processor driver offer is used",
  { skip },
  skippable(async () => {
    // Here it is known to work, so that a kernel that is wrong is not taken for an adapter that is.
    const { adapterName, features, offered } = await gpu();
    if (!/swiftshader|llvmpipe/i.test(adapterName)) return `the adapter is ${adapterName}`;
    assert.deepEqual(features, { ...offered, subnormals: true });
  }),
);

/** The device with some of its answers changed. */
function changed(device: Device, answers: Readonly<Record<string, unknown>>): Device {
  return new Proxy(device, {
    get(target, name) {
      if (typeof name === "string" && name in answers) return answers[name];
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("subgroups that are not what an adapter tells are found out and not used", { skip }, async () => {
  const device = await gpu();
  const { features, offered } = device;
  const told = await selfTest(changed(device, { offered: { ...offered, subgroups: 16 } }));
  // Shuffles over 16 threads work where subgroups are that large; elsewhere they meet nobody, or do not compile.
  const size = features.subgroups === 16 ? 16 : 1;
  assert.deepEqual(told, { exact: true, features: { ...features, subgroups: size } });
});

test("an adapter whose float16 numbers are flushed gets kernels that put them right", { skip }, async () => {
  const device = await gpu();
  const flushing = changed(device, {
    pipeline: (kernel: Parameters<Device["pipeline"]>[0]) =>
      device.pipeline({
        ...kernel,
        code: kernel.code.replace(
          "let unpacked = unpack2x16float(word);",
          "let all = unpack2x16float(word); let unpacked = select(all, vec2f(0), abs(all) < vec2f(6.1e-5));",
        ),
      }),
    compiled: () => undefined,
  });
  const told = await selfTest(flushing);
  assert.deepEqual(told.features, { ...device.features, subnormals: false });
});
