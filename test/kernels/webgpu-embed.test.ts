// Tokens become rows of the stream: on the device as in JavaScript, and both are the file's own numbers to the bit.
// Skipped where no adapter works.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Device } from "../../kernels/webgpu/device.ts";
import { Embedding } from "../../kernels/webgpu/embed.ts";
import { MOST_ROWS } from "../../kernels/webgpu/kernels.ts";
import { uploadFloats, uploadMatrix } from "../../kernels/webgpu/matrix.ts";
import { Recorder } from "../../kernels/webgpu/steps.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { BLOCK_TYPES, blockModel } from "./support/block-types.ts";
import { holdGpu, openDevice, readFloats } from "./support/gpu.ts";
import { memorySource, type MemoryTensor } from "./support/memory-source.ts";
import { randomModel } from "./support/random-model.ts";
import { randomFrom } from "./support/random.ts";

const skip = await holdGpu(after);
let opened: Promise<Device> | undefined;
const gpu = () => opened ??= openDevice();
after(async () => (await opened)?.close());

const random = randomFrom(21);
const PAST = 3;

interface Case {
  readonly source: ModelSource;
  readonly width: number;
  readonly rows: number;
  /** Bytes of the largest binding; the adapter's where absent. */
  readonly binding?: number;
  readonly pieces?: number;
}

/** Holds rows embedded on the device, and by JavaScript from the file, to the numbers of the file. */
async function check({ source, width, rows, binding, pieces = 1 }: Case): Promise<void> {
  const device = await gpu();
  const table = source.tensor("embed.weight");
  const [vocab] = table.shape;
  const scale = Math.fround(source.spec.embeddingScale);
  const positions = source.has("positions.weight") ? source.tensor("positions.weight") : undefined;
  const tokens = Int32Array.from({ length: rows }, (_, row) => row === 0 ? vocab - 1 : random.whole(vocab));
  const depths = Uint32Array.from(tokens, (_, row) => row % 5);
  const wanted = Array.from(tokens, (token, row) => {
    const at = PAST + depths[row];
    const learned = positions?.floats(at, at + 1);
    return table.floats(token, token + 1).map((value, i) => Math.fround(value * scale) + (learned?.[i] ?? 0));
  });

  const small = new Proxy(device, {
    get(target, name) {
      if (name === "largestBinding" && binding) return binding;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const matrix = (name: string, rows: number) => uploadMatrix(small, source, [{ name, rows }], width, true);
  const onDevice = matrix("embed", vocab);
  assert.equal(onDevice.pieces.length, pieces);
  const stride = Math.ceil(width / 8) * 8;
  const pass = device.uniform(32, "pass");
  device.write(pass, Uint32Array.of(rows, PAST, 0, 0, rows));
  const bench = { device, pass, nothing: device.storage(16, "nothing") };
  for (const used of [onDevice, undefined]) {
    const untouched = new Float32Array((rows + 1) * stride).fill(7);
    const stream = { buffer: uploadFloats(device, untouched, "stream"), stride };
    const tree = device.storage(depths.byteLength, "tree");
    device.write(tree, depths);
    const embedding = new Embedding(bench, source, stream, tree, {
      table: used,
      positions: positions && matrix("positions", positions.shape[0]),
    });
    const before = device.counts.writtenBytes;
    embedding.write({ tokens });
    assert.equal(device.counts.writtenBytes - before, rows * (used ? 1 : stride) * 4);
    const recorder = new Recorder(device);
    const pipelines = await recorder.prepare(embedding.steps, { rows, scored: rows });
    const encoder = device.gpu.createCommandEncoder();
    recorder.record(encoder, embedding.steps, pipelines, { rows, scored: rows }, []);
    device.submit(encoder);
    const got = await readFloats(device, stream.buffer, untouched.length);
    for (const [at, value] of got.entries()) {
      const [row, i] = [Math.floor(at / stride), at % stride];
      const right = row === rows ? 7 : wanted[row][i] ?? 0;
      assert.ok(
        value === right,
        `row ${row}, element ${i} from ${used ? "there" : "here"}: ${value} instead of ${right}`,
      );
    }
  }
}

const normals = (length: number) => Float32Array.from({ length }, () => random.normal());

/** Tables of embeddings, and of positions where `context` is told, with numbers that need no block types. */
function tables(vocab: number, width: number, type: "F32" | "F16" | "BF16", scale = 1, context = 0): ModelSource {
  const table = (rows: number): MemoryTensor => {
    const shape = [rows, width];
    const bits = Uint16Array.from({ length: rows * width }, () => random.whole(65536) & 0xbfff | 0x100); // finite and normal
    const bytes = new Uint8Array(bits.buffer);
    if (type === "F16") {
      return { shape, values: Float32Array.from(new Float16Array(bits.buffer)), packed: { type, bytes } };
    }
    if (type === "F32") return { shape, values: normals(rows * width) };
    const words = Uint32Array.from(bits, (word) => word << 16);
    return { shape, values: new Float32Array(words.buffer), packed: { type, bytes } };
  };
  const named = new Map([["embed.weight", table(vocab)]]);
  if (context > 0) named.set("positions.weight", table(context));
  return memorySource({ ...randomModel(1).source.spec, embeddingScale: scale }, named);
}

for (const type of BLOCK_TYPES) {
  test(`tokens of a table in ${type} are embedded as the file has them`, { skip }, async () => {
    await check({ source: blockModel(type).stored, width: 256, rows: 64 });
  });
}

for (const type of ["F32", "F16", "BF16"] as const) {
  for (const [rows, width] of [[1, 1], [64, 20], [MOST_ROWS, 515]]) {
    test(
      `${rows} tokens of a table of width ${width} in ${type} are embedded as the file has them`,
      { skip },
      async () => {
        await check({ source: tables(11, width, type), width, rows });
      },
    );
  }
}

test("tokens are scaled and learned positions added in float32", { skip }, async () => {
  await check({ source: tables(11, 36, "F32", Math.sqrt(48), 9), width: 36, rows: 9 });
});

test("tables larger than a binding are looked up piece by piece", { skip }, async () => {
  await check({ source: tables(23, 40, "F32", 3, 9), width: 40, rows: 64, binding: 4 * 40 * 4, pieces: 6 });
  await check({ source: blockModel("Q8_0").stored, width: 256, rows: 7, binding: 10 * 256, pieces: 7 });
});
