// Attention against its formula in float64, and against itself: a query's bits are the same however many share its
// workgroup, whoever they are, whether the keys are split, and in a tree as in a chain.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Device } from "../../kernels/webgpu/device.ts";
import { quads, SEGMENT } from "../../kernels/webgpu/kernels.ts";
import { uploadFloats } from "../../kernels/webgpu/matrix.ts";
import { attentionSteps, type Heads, Recorder, sharing } from "../../kernels/webgpu/steps.ts";
import { part, PARTLY } from "../support/part.ts";
import { holdGpu, openDevice, readFloats } from "./support/gpu.ts";
import { randomFrom } from "./support/random.ts";

const skip = await holdGpu(after);
let opened: Promise<Device> | undefined;
const gpu = () => opened ??= openDevice();
after(async () => (await opened)?.close());

const random = randomFrom(8);
const SCALE = 0.3;

interface Drawn extends Heads {
  readonly past: number;
  readonly cap?: number;
  /** [heads], a score of each that no value stands for. */
  readonly sinks?: readonly number[];
  /** The rows on each row's path from the root, itself included. */
  readonly paths: readonly (readonly number[])[];
  /** [rows, heads · headSize] */
  readonly query: Float32Array;
  /** [2, past + rows, kvHeads, headSize] */
  readonly cache: Float32Array;
}

type Shape = Omit<Drawn, "query" | "cache">;

function draw(shape: Shape): Drawn {
  const { heads, kvHeads, headSize, past, paths } = shape;
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  return {
    ...shape,
    query: normals(paths.length * heads * headSize),
    cache: normals(2 * (past + paths.length) * kvHeads * headSize),
  };
}

/** Paths of rows whose parents are `parent(row)`. */
function pathsOf(rows: number, parent: (row: number) => number): number[][] {
  const paths = [[0]];
  for (let row = 1; row < rows; row++) paths.push([...paths[parent(row)], row]);
  return paths;
}

const chain = (rows: number) => pathsOf(rows, (row) => row - 1);
const tree = (rows: number) => pathsOf(rows, (row) => random.whole(row));

/** What the device computes, [rows, heads · headSize]: with so many queries a workgroup, whole or split. */
async function attend(drawn: Drawn, queries: number, split: boolean): Promise<Float32Array> {
  const device = await gpu();
  const { heads, kvHeads, headSize, past, cap, paths, sinks } = drawn;
  const [rows, width, stride] = [paths.length, heads * headSize, Math.ceil(heads * headSize / 8) * 8];
  const capacity = past + rows;
  const segments = Math.ceil((past + Math.max(...paths.map((path) => path.length))) / SEGMENT);
  const query = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) query.set(drawn.query.subarray(row * width, (row + 1) * width), row * stride);
  const cache = new Float32Array(2 * capacity * kvHeads * 4 * quads(headSize));
  for (let head = 0; head * headSize < drawn.cache.length; head++) {
    cache.set(drawn.cache.subarray(head * headSize, (head + 1) * headSize), head * 4 * quads(headSize));
  }
  const tree = new Uint32Array(rows + rows * rows);
  paths.forEach((path, row) => {
    tree[row] = path.length - 1;
    tree.set(path, (row + 1) * rows);
  });
  const made: GPUBuffer[] = [];
  const keep = (buffer: GPUBuffer) => (made.push(buffer), buffer);
  const pass = keep(device.uniform(32, "pass"));
  device.write(pass, Uint32Array.of(rows, past, capacity, 0, rows, 0, segments));
  const treeBuffer = keep(device.storage(tree.byteLength, "tree"));
  device.write(treeBuffer, tree);
  const mixed = { buffer: keep(device.storage(rows * stride * 4, "mixed")), stride };
  const steps = attentionSteps(
    { device, pass, nothing: pass },
    {
      ...drawn,
      layer: 0,
      window: drawn.window,
      scale: SCALE,
      cap,
      query: { buffer: keep(uploadFloats(device, query, "query")), stride },
      tree: treeBuffer,
      mixed,
      sinks: sinks && keep(uploadFloats(device, Float32Array.from(sinks), "sinks")),
      parts: { buffer: keep(device.storage(rows * heads * segments * (headSize + 2) * 4, "parts")) },
    },
    () => ({ queries, groups: Math.ceil(rows * heads / kvHeads / queries), split }),
  );
  const told = { rows, scored: rows, segments };
  const needed = Recorder.needed(steps, told);
  assert.equal(needed.length, split ? 2 : 1);
  const recorder = new Recorder(device);
  const pipelines = await recorder.prepare(needed, told);
  const encoder = device.gpu.createCommandEncoder();
  recorder.record(encoder, needed, pipelines, told, [keep(uploadFloats(device, cache, "cache"))]);
  device.submit(encoder);
  const result = await readFloats(device, mixed.buffer, rows * stride);
  for (const buffer of made) device.destroy(buffer);
  return Float32Array.from({ length: rows * width }, (_, i) => result[Math.floor(i / width) * stride + i % width]);
}

/** The formula, in float64. */
function formula({ heads, kvHeads, headSize, past, window, cap, sinks, paths, query, cache }: Drawn): Float64Array {
  const [queries, keys, capacity] = [heads * headSize, kvHeads * headSize, past + paths.length];
  const out = new Float64Array(paths.length * queries);
  paths.forEach((path, row) => {
    const columns = [...Array(past).keys(), ...path.map((node) => past + node)];
    const seen = columns.slice(Math.max(0, columns.length - (window ?? Infinity)));
    for (let head = 0; head < heads; head++) {
      const own = row * queries + head * headSize;
      const kv = Math.floor(head / (heads / kvHeads)) * headSize;
      const weights = seen.map((column) => {
        let dot = 0;
        for (let i = 0; i < headSize; i++) dot += query[own + i] * cache[column * keys + kv + i];
        return Math.exp(cap ? cap * Math.tanh(SCALE * dot / cap) : SCALE * dot);
      });
      const total = weights.reduce((a, b) => a + b, sinks ? Math.exp(sinks[head]) : 0);
      for (let i = 0; i < headSize; i++) {
        seen.forEach((column, n) => out[own + i] += weights[n] / total * cache[(capacity + column) * keys + kv + i]);
      }
    }
  });
  return out;
}

function near(actual: Float32Array, wanted: Float64Array): void {
  wanted.forEach((value, i) =>
    assert.ok(Math.abs(actual[i] - value) <= 1e-5, `${i}: ${actual[i]} instead of ${value}`)
  );
}

// Few sizes of heads: each is eight pipelines, and a software adapter takes long over one.
const SHAPES: readonly (readonly [what: string, Shape])[] = [
  ["a row alone", { heads: 4, kvHeads: 2, headSize: 10, past: 63, paths: chain(1) }],
  ["a first row", { heads: 3, kvHeads: 3, headSize: 10, past: 0, paths: chain(1) }],
  ["a long first chain", { heads: 3, kvHeads: 1, headSize: 10, past: 0, paths: chain(128) }],
  ["a chain", { heads: 6, kvHeads: 2, headSize: 70, past: 130, paths: chain(7) }],
  ["a chain across segments", { heads: 3, kvHeads: 1, headSize: 70, past: 1019, paths: chain(9) }],
  ["a tree", { heads: 4, kvHeads: 2, headSize: 10, past: 130, paths: [[0], [0, 1], [0, 2], [0, 2, 3]] }],
  ["a star", { heads: 2, kvHeads: 2, headSize: 70, past: 100, paths: pathsOf(13, () => 0) }],
  ["a tree across segments", { heads: 5, kvHeads: 1, headSize: 10, past: 1100, paths: tree(11) }],
  ["a wide tree", { heads: 3, kvHeads: 1, headSize: 10, past: 50, paths: tree(64) }],
  ["the widest tree", { heads: 2, kvHeads: 1, headSize: 10, past: 510, paths: tree(128) }],
  ["heads of 256", { heads: 2, kvHeads: 1, headSize: 256, past: 66, paths: tree(3) }],
  ["a capped tree", { heads: 4, kvHeads: 1, headSize: 10, past: 70, cap: 3, paths: tree(10) }],
  ["a window", { heads: 4, kvHeads: 2, headSize: 70, past: 130, window: 70, cap: 3, paths: tree(9) }],
  ["a window of two segments", { heads: 2, kvHeads: 1, headSize: 10, past: 1100, window: 700, paths: chain(5) }],
  ["a window that rows leave", { heads: 2, kvHeads: 1, headSize: 10, past: 9, window: 4, paths: chain(40) }],
  ["a window of one", { heads: 3, kvHeads: 1, headSize: 10, past: 64, window: 1, paths: tree(12) }],
  ["a tree with sinks", { heads: 4, kvHeads: 2, headSize: 10, past: 1100, sinks: [-2, 0.5, 3, 40], paths: tree(5) }],
  ["a wide tree in a window", { heads: 3, kvHeads: 1, headSize: 10, past: 600, window: 90, paths: tree(64) }],
];

for (const [what, shape] of part(SHAPES, 2)) {
  test(`attention of ${what} is the formula, to the same bits however it is shared out`, { skip }, async () => {
    const drawn = draw(shape);
    const alone = await attend(drawn, 1, false);
    near(alone, formula(drawn));
    const others = shape.headSize > 128
      ? [[4, false]] as const
      : [[1, true], [2, false], [4, false], [8, true]] as const;
    for (const [queries, split] of others) {
      assert.deepEqual(await attend(drawn, queries, split), alone, `${queries} queries, ${split ? "split" : "whole"}`);
    }
  });
}

test("attention of random shapes has the same bits however it is shared out", { skip }, async () => {
  for (let trial = 0; trial < (PARTLY ? 4 : 40); trial++) {
    const kvHeads = random.of([1, 2, 3]);
    const rows = random.of([1, 2, 3, 5, 8, 17, 33]);
    const shape: Shape = {
      heads: kvHeads * random.of([1, 2, 3, 5]),
      kvHeads,
      headSize: 10,
      past: random.chance(0.3) ? 500 + random.whole(600) : random.whole(150),
      window: random.maybe(0.4, () => 1 + random.whole(200)),
      cap: random.maybe(0.3, () => 2),
      paths: random.chance(0.3) ? chain(rows) : tree(rows),
    };
    const drawn = draw(shape);
    const queries = random.of([2, 4, 8]);
    const split = random.chance(0.5);
    assert.deepEqual(await attend(drawn, queries, split), await attend(drawn, 1, false), JSON.stringify(shape));
  }
});

test("a node of a tree has the bits of its chain, whoever shares its workgroup", { skip }, async () => {
  for (const window of [undefined, 30]) {
    const [heads, kvHeads, headSize, past] = [6, 2, 10, 90];
    const nodes = draw({ heads, kvHeads, headSize, past, window, paths: tree(24) });
    const all = await attend(nodes, 8, false);
    for (const row of [5, 16, 23]) {
      const path = nodes.paths[row];
      const columns = [...Array(past).keys(), ...path.map((node) => past + node)];
      const part = (array: Float32Array, width: number, at: readonly number[]) =>
        Float32Array.from(at.flatMap((n) => [...array.subarray(n * width, (n + 1) * width)]));
      const capacity = past + nodes.paths.length;
      const alone = await attend(
        {
          ...nodes,
          paths: chain(path.length),
          query: part(nodes.query, heads * headSize, path),
          cache: part(nodes.cache, kvHeads * headSize, [...columns, ...columns.map((column) => capacity + column)]),
        },
        1,
        true,
      );
      assert.deepEqual(part(all, heads * headSize, [row]), part(alone, heads * headSize, [path.length - 1]));
    }
  }
});

test("what a row does not see does not touch it, though its neighbour sees it", { skip }, async () => {
  const [heads, kvHeads, headSize, past, window] = [2, 1, 10, 200, 100];
  const drawn = draw({ heads, kvHeads, headSize, past, window, paths: chain(4) });
  const before = await attend(drawn, 8, false);
  const oldest = past + 1 - window; // of row 0: row 1's window starts behind it
  const unseen = oldest - 1; // by anybody
  for (const half of [0, past + 4]) {
    drawn.cache.fill(Infinity, (half + oldest) * headSize, (half + oldest + 1) * headSize);
    drawn.cache.fill(NaN, (half + unseen) * headSize, (half + unseen + 1) * headSize);
  }
  const after = await attend(drawn, 8, false);
  const row = heads * headSize;
  assert.deepEqual(after.subarray(row), before.subarray(row));
  assert.notDeepEqual(after.subarray(0, row), before.subarray(0, row));
});

test("queries share a workgroup where enough workgroups are left", () => {
  const small = { heads: 9, kvHeads: 3, headSize: 64 };
  const large = { heads: 32, kvHeads: 8, headSize: 128 };
  const at = (rows: number, segments: number, heads: Heads) => {
    const { queries, groups, split } = sharing({ rows, scored: rows, segments }, heads);
    assert.equal(groups, Math.ceil(rows * heads.heads / heads.kvHeads / queries));
    return [queries, split];
  };
  assert.deepEqual(at(1, 1, small), [1, false]);
  assert.deepEqual(at(1, 3, small), [1, true]);
  assert.deepEqual(at(8, 3, small), [2, true]);
  assert.deepEqual(at(8, 1, small), [1, false]);
  assert.deepEqual(at(32, 3, small), [8, true]);
  assert.deepEqual(at(1, 64, large), [4, true], "no more than there are");
  assert.deepEqual(at(64, 1, large), [8, false]);
  assert.deepEqual(at(64, 1, { ...large, headSize: 256 }), [4, false], "as many as fit in registers");
  assert.deepEqual(
    [at(4, 64, large), at(4, 64, { ...large, window: 512 })],
    [[8, true], [4, true]],
    "what a window sees",
  );
});
