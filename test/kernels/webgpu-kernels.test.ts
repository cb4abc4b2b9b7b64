// Each kernel against the same formula in float64, over random shapes: odd sizes, one row, many rows, no multiple of any
// tile.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Device } from "../../kernels/webgpu/device.ts";
import {
  compactKernel,
  MOST_ROWS,
  type NormVariant,
  quads,
  SHAPES as STRUCTURES,
} from "../../kernels/webgpu/kernels.ts";
import { uploadFloats, uploadMatrix, uploadPaired } from "../../kernels/webgpu/matrix.ts";
import {
  activateStep,
  matmulStep,
  normStep,
  type Plane,
  Recorder,
  rotateStep,
  type Step,
} from "../../kernels/webgpu/steps.ts";
import { activation } from "../../kernels/reference/feed-forward.ts";
import { normalise } from "../../kernels/reference/norm.ts";
import { rotate } from "../../kernels/reference/rope.ts";
import { part } from "../support/part.ts";
import { holdGpu, openDevice, readFloats } from "./support/gpu.ts";
import { memorySource } from "./support/memory-source.ts";
import { pack, type Packing } from "./support/pack.ts";
import { randomModel } from "./support/random-model.ts";
import { randomFrom } from "./support/random.ts";

const skip = await holdGpu(after);
let opened: Promise<Device> | undefined;
const gpu = () => opened ??= openDevice();
after(async () => (await opened)?.close());

const random = randomFrom(8);
const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
const round8 = (length: number) => Math.ceil(length / 8) * 8;

/** `values` [rows, width] on the device, in rows of a stride. */
function plane(device: Device, values: Float32Array, width: number): Plane {
  const stride = round8(width);
  const out = new Float32Array(MOST_ROWS * stride);
  for (let row = 0; row * width < values.length; row++) {
    out.set(values.subarray(row * width, (row + 1) * width), row * stride);
  }
  return { buffer: uploadFloats(device, out, "test"), stride };
}

interface Told {
  readonly rows: number;
  readonly past?: number;
  readonly capacity?: number;
  readonly first?: number;
  readonly scored?: number;
}

/** A device with a pass uniform that says what is told. */
async function bench({ rows, past = 0, capacity = 0, first = 0, scored = rows }: Told) {
  const device = await gpu();
  const pass = device.uniform(32, "pass");
  device.write(pass, Uint32Array.of(rows, past, capacity, first, scored));
  const run = async (steps: Step | readonly Step[], caches: readonly GPUBuffer[] = []) => {
    const recorder = new Recorder(device);
    const width = { rows, scored };
    const needed = Recorder.needed([steps].flat(), width);
    const pipelines = await recorder.prepare(needed, width);
    const encoder = device.gpu.createCommandEncoder();
    recorder.record(encoder, needed, pipelines, width, caches);
    device.submit(encoder);
  };
  return { device, pass, nothing: device.storage(16, "nothing"), run };
}

/** Compares [rows, width] within a stride with what is wanted. */
function near(actual: Float32Array, stride: number, wanted: readonly ArrayLike<number>[], tolerance: number): void {
  wanted.forEach((row, r) => {
    for (let i = 0; i < row.length; i++) {
      const got = actual[r * stride + i];
      assert.ok(Math.abs(got - row[i]) <= tolerance, `row ${r}, element ${i}: ${got} instead of ${row[i]}`);
    }
  });
}

const SHAPES: readonly (readonly [Packing | "F16" | "BF16", number, number, number])[] = [
  ["F32", 1, 37, 20],
  ["F32", 5, 3, 131],
  ["F32", 64, 18, 9],
  ["F32", 67, 5, 33],
  ["F16", 3, 21, 44],
  ["BF16", 2, 17, 12],
  ["Q4_0", 1, 35, 96],
  ["Q4_1", 4, 19, 160],
  ["Q8_0", 9, 33, 32],
];

for (const [type, rows, outputs, columns] of part(SHAPES, 2)) {
  test(`${rows} rows times ${outputs} × ${columns} in ${type} is the product in float64`, { skip }, async () => {
    const { spec } = randomModel(1).source;
    const drawn = normals(outputs * columns);
    const tensor = type === "F16" || type === "BF16"
      ? half(type, drawn, [outputs, columns])
      : pack([outputs, columns], drawn, type);
    const bias = normals(outputs);
    const source = memorySource(
      spec,
      new Map([["m.weight", tensor], ["m.bias", { shape: [outputs], values: bias }]]),
    );
    const { device, run, ...rest } = await bench({ rows });
    const matrix = uploadMatrix(device, source, [{ name: "m", rows: outputs }], columns, true);
    const x = normals(rows * columns);
    const y = device.storage(rows * outputs * 4, "y");
    const input = plane(device, x, columns);
    for (const piece of matrix.pieces) {
      await run(matmulStep({ device, ...rest }, input, piece, { buffer: y }, outputs));
    }
    const wanted = Array.from({ length: rows }, (_, r) =>
      Float64Array.from(bias, (start, o) => {
        let sum = start;
        for (let k = 0; k < columns; k++) sum += tensor.values[o * columns + k] * x[r * columns + k];
        return sum;
      }));
    near(await readFloats(device, y, rows * outputs), outputs, wanted, 1e-6 * columns);
  });
}

test("matrices larger than a binding are split by rows and multiply as before", { skip }, async () => {
  const [rows, width, columns] = [2, 50, 64];
  const { spec } = randomModel(1).source;
  const tensors = ["a", "b"].map((name) => [name, pack([width, columns], normals(width * columns), "Q4_1")] as const);
  const bias = normals(width);
  const source = memorySource(
    spec,
    new Map([...tensors.map(([name, tensor]) => [`${name}.weight`, tensor] as const), [
      "b.bias",
      { shape: [width], values: bias },
    ]]),
  );
  const { device, run, ...rest } = await bench({ rows });
  const small = new Proxy(device, {
    get(target, name) {
      if (name === "largestBinding") return 20 * columns / 2; // 20 rows of codes
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const matrix = uploadMatrix(small, source, tensors.map(([name]) => ({ name, rows: width })), columns, true);
  assert.deepEqual(matrix.pieces.map(({ from, outputs }) => [from, outputs]), [
    [0, 20],
    [20, 20],
    [40, 10],
    [50, 20],
    [70, 20],
    [90, 10],
  ]);
  assert.equal(uploadPaired(small, source, ["a", "b"], width, columns, true), undefined);
  const x = normals(rows * columns);
  const y = device.storage(rows * 2 * width * 4, "y");
  const input = plane(device, x, columns);
  for (const piece of matrix.pieces) await run(matmulStep({ device, ...rest }, input, piece, { buffer: y }, 2 * width));
  const wanted = Array.from({ length: rows }, (_, r) =>
    Float64Array.from({ length: 2 * width }, (_, o) => {
      const { values } = tensors[Math.floor(o / width)][1];
      let sum = o < width ? 0 : bias[o - width];
      for (let k = 0; k < columns; k++) sum += values[o % width * columns + k] * x[r * columns + k];
      return sum;
    }));
  near(await readFloats(device, y, rows * 2 * width), 2 * width, wanted, 1e-4);
});

for (const [type, rows] of [["Q4_1", 3], ["F32", 40]] as const) {
  test(`gate and up of ${rows} rows in ${type} are multiplied and activated in one go`, { skip }, async () => {
    const [hidden, columns] = [21, 64];
    const { spec } = randomModel(1).source;
    const [gate, up] = [0, 1].map(() => pack([hidden, columns], normals(hidden * columns), type));
    const bias = normals(hidden);
    const source = memorySource(
      spec,
      new Map([["g.weight", gate], ["u.weight", up], ["g.bias", { shape: [hidden], values: bias }]]),
    );
    const { device, run, ...rest } = await bench({ rows });
    const pair = uploadPaired(device, source, ["g", "u"], hidden, columns, true)!;
    const x = normals(rows * columns);
    const y = device.storage(rows * hidden * 4, "y");
    const step = matmulStep({ device, ...rest }, plane(device, x, columns), pair, { buffer: y }, hidden, {
      paired: "gelu-tanh",
    });
    await run(step);
    const act = activation("gelu-tanh");
    const wanted = Array.from({ length: rows }, (_, r) =>
      Float64Array.from({ length: hidden }, (_, o) => {
        const sum = ({ values }: { values: Float32Array }) => {
          let sum = 0;
          for (let k = 0; k < columns; k++) sum += values[o * columns + k] * x[r * columns + k];
          return sum;
        };
        return act(sum(gate) + bias[o]) * sum(up);
      }));
    near(await readFloats(device, y, rows * hidden), hidden, wanted, 1e-3);
  });
}

/** Numbers that float16 and bfloat16 both hold exactly: few bits, moderate size. */
function half(type: "F16" | "BF16", drawn: Float32Array, shape: readonly number[]) {
  const values = drawn.map((value) => Math.round(value * 16) / 16);
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    const single = new DataView(new ArrayBuffer(4));
    single.setFloat32(0, value);
    const bits = single.getUint32(0);
    const exponent = ((bits >>> 23) & 255) - 127 + 15;
    const f16 = value === 0 ? 0 : (bits >>> 16 & 0x8000) | exponent << 10 | (bits >>> 13 & 0x3ff);
    view.setUint16(2 * i, type === "BF16" ? bits >>> 16 : f16, true);
  });
  return { shape, values, packed: { type, bytes } };
}

for (const kind of ["rms", "layer"] as const) {
  test(`a residual with a norm of its own, then a ${kind} norm, is the formula in float64`, { skip }, async () => {
    const [rows, width, epsilon] = [3, 75, 1e-5];
    const { device, run, ...rest } = await bench({ rows });
    const [x, delta] = [normals(rows * width), normals(rows * width)];
    const [post, gain, bias] = [normals(width), normals(width), normals(width)];
    const variant: NormVariant = { delta: true, post: true, norm: true, layer: kind === "layer", final: false };
    const [stream, out] = [plane(device, x, width), plane(device, new Float32Array(0), width)];
    await run(normStep({ device, ...rest }, {
      variant,
      width,
      epsilon,
      x: stream,
      delta: { plane: plane(device, delta, width), post: uploadFloats(device, post, "post"), scale: 0.75 },
      gain: uploadFloats(device, gain, "gain"),
      bias: uploadFloats(device, bias, "bias"),
      out,
    }));
    const part = (values: Float32Array, r: number) => Float64Array.from(values.subarray(r * width, (r + 1) * width));
    const streams = Array.from({ length: rows }, (_, r) => {
      const added = normalise(part(delta, r), { gain: post }, { kind, epsilon });
      return part(x, r).map((value, i) => value + 0.75 * added[i]);
    });
    near(await readFloats(device, stream.buffer, rows * stream.stride), stream.stride, streams, 1e-5);
    const wanted = streams.map((row) => normalise(row, { gain, bias }, { kind, epsilon }));
    near(await readFloats(device, out.buffer, rows * out.stride), out.stride, wanted, 2e-5);
  });
}

test("queries and keys are normalised, rotated and put in their places", { skip }, async () => {
  const [rows, heads, kvHeads, headSize, past, capacity, epsilon] = [3, 4, 2, 10, 5, 9, 1e-5];
  const { device, run, ...rest } = await bench({ rows, past, capacity });
  const [queries, keys] = [heads * headSize, kvHeads * headSize];
  const width = queries + 2 * keys;
  const x = normals(rows * width);
  const [gainQuery, gainKey] = [normals(headSize), normals(headSize)];
  const rope = { frequencies: Float64Array.of(1, 0.3, 0.1), magnitude: 1.2, dimensions: 6, interleaved: true };
  const angles = Float32Array.from({ length: rows * 6 }, (_, at) => {
    const angle = (past + Math.floor(at / 6)) * rope.frequencies[at % 3];
    return 1.2 * (at % 6 < 3 ? Math.cos(angle) : Math.sin(angle));
  });
  const query = plane(device, new Float32Array(0), queries);
  const inCache = kvHeads * 4 * quads(headSize);
  const cache = device.storage(2 * capacity * inCache * 4, "cache");
  await run(
    rotateStep({ device, ...rest }, {
      variant: { headSize, normed: "head", layer: false, rope: true },
      layer: 0,
      heads,
      kvHeads,
      packed: plane(device, x, width),
      query,
      angles: uploadFloats(device, angles, "angles"),
      anglesOfKeys: 0,
      anglesOfQueries: 0,
      half: 3,
      interleaved: true,
      epsilon,
      gainQuery: uploadFloats(device, gainQuery, "gain"),
      gainKey: uploadFloats(device, gainKey, "gain"),
    }),
    [cache],
  );
  const wanted = (from: number, length: number, gain: Float32Array | undefined) =>
    Array.from({ length: rows }, (_, r) => {
      const part = Float64Array.from(x.subarray(r * width + from, r * width + from + length));
      if (!gain) return part;
      const out = normalise(part, { gain }, { kind: "rms", epsilon });
      rotate(out, headSize, rope, past + r);
      return out;
    });
  near(await readFloats(device, query.buffer, rows * query.stride), query.stride, wanted(0, queries, gainQuery), 1e-5);
  const stored = await readFloats(device, cache, 2 * capacity * inCache);
  const filledUp = (rows: readonly Float64Array[]) =>
    rows.map((row) => {
      const filled = new Float64Array(inCache);
      row.forEach((value, i) => filled[Math.floor(i / headSize) * 4 * quads(headSize) + i % headSize] = value);
      return filled;
    });
  near(stored.subarray(past * inCache), inCache, filledUp(wanted(queries, keys, gainKey)), 1e-5);
  near(stored.subarray((capacity + past) * inCache), inCache, filledUp(wanted(queries + keys, keys, undefined)), 0);
});

for (const [name, gated] of [["silu", true], ["gelu", false], ["gelu-tanh", true]] as const) {
  test(`${gated ? "gated " : ""}${name} is the formula in float64, also far out`, { skip }, async () => {
    const [rows, hidden] = [2, 70];
    const { device, run, ...rest } = await bench({ rows });
    const width = gated ? 2 * hidden : hidden;
    const x = normals(rows * width).map((value) => 8 * value);
    x.set([1000, -1000, 0, 1e-4], 0);
    const out = plane(device, new Float32Array(0), hidden);
    await run(activateStep({ device, ...rest }, name, gated, hidden, plane(device, x, width), out));
    const act = activation(name);
    const wanted = Array.from({ length: rows }, (_, r) =>
      Float64Array.from(
        { length: hidden },
        (_, i) => act(x[r * width + i]) * (gated ? x[r * width + hidden + i] : 1),
      ));
    const largest = wanted.reduce((most, row) => row.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0);
    near(await readFloats(device, out.buffer, rows * out.stride), out.stride, wanted, 1e-6 * Math.max(100, largest));
  });
}

test("a path of the cache moves together, keys and values", { skip }, async () => {
  const [past, capacity, width] = [3, 12, 70];
  const device = await gpu();
  const cache = normals(2 * capacity * width);
  const buffer = uploadFloats(device, cache, "cache");
  const path = device.storage(16, "path");
  device.write(path, Uint32Array.of(0, 2, 3, 7));
  const kernel = await device.pipeline(compactKernel());
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const shape = STRUCTURES.compact.uniform(device, { past, capacity, steps: 4, width });
  pass.setPipeline(kernel.pipeline);
  pass.setBindGroup(0, device.bind(kernel, [shape, path, buffer]));
  pass.dispatchWorkgroups(Math.ceil(width / 64), 2);
  pass.end();
  device.submit(encoder);
  const moved = await readFloats(device, buffer, cache.length);
  for (const half of [0, capacity]) {
    for (const [to, from] of [[0, 0], [1, 2], [2, 3], [3, 7], [-1, -1], [8, 8]]) {
      const column = (at: number, of: Float32Array) => [
        ...of.subarray((half + past + at) * width, (half + past + at + 1) * width),
      ];
      assert.deepEqual(column(to, moved), column(from, cache));
    }
  }
});
