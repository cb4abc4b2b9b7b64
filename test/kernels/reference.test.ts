// The parts of the reference engine against numbers known from elsewhere, and what its backend refuses.
import { test } from "node:test";
import assert from "node:assert/strict";
import type { EngineOptions } from "../../src/backend.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import { activation, erf } from "../../kernels/reference/feed-forward.ts";
import { normalise } from "../../kernels/reference/norm.ts";
import { rotate } from "../../kernels/reference/rope.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { memorySource, type MemoryTensor } from "./support/memory-source.ts";
import { randomModel } from "./support/random-model.ts";

const options: EngineOptions = { format: "float32", strict: true, cacheDir: "" };

function near(actual: ArrayLike<number>, wanted: readonly number[], tolerance = 1e-12): void {
  assert.equal(actual.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(actual[i] - value) <= tolerance, `${actual[i]} is not ${value}`));
}

test("the error function has the values of the tables", () => {
  const table = [[0, 0], [0.1, 0.1124629160182849], [0.5, 0.5204998778130465], [1, 0.8427007929497149]];
  table.push([2, 0.9953222650189527], [3, 0.9999779095030014], [5, 0.9999999999984626], [7, 1]);
  for (const [x, wanted] of table) near([erf(x), erf(-x)], [wanted, -wanted], 2e-15);
});

test("activations have known values at 1 and vanish far below", () => {
  near([activation("silu")(1)], [0.7310585786300049]);
  near([activation("gelu")(1)], [0.8413447460685429]);
  near([activation("gelu-tanh")(1)], [0.8411919906082768]);
  for (const name of ["silu", "gelu", "gelu-tanh"] as const) near([activation(name)(-800)], [0]);
});

test("a norm of a gain's size goes over the stream, one of a head's size head by head", () => {
  const x = Float64Array.of(3, 4, 6, 8);
  const rms = { kind: "rms", epsilon: 0 } as const;
  const size = Math.sqrt((9 + 16 + 36 + 64) / 4);
  near(normalise(x, { gain: Float32Array.of(1, 1, 1, 2) }, rms), [3 / size, 4 / size, 6 / size, 16 / size]);
  const head = Math.sqrt(12.5);
  near(normalise(x, { gain: Float32Array.of(1, 2) }, rms), [3 / head, 8 / head, 3 / head, 8 / head]);
});

test("a layer norm subtracts the mean and adds its bias", () => {
  const norm = { gain: Float32Array.of(1, 1, 2, 2), bias: Float32Array.of(0, 0, 0, 10) };
  near(normalise(Float64Array.of(1, 1, 3, 3), norm, { kind: "layer", epsilon: 0 }), [-1, -1, 2, 12]);
});

test("rotation turns pairs by position, and leaves the rest of a head alone", () => {
  const frequencies = Float64Array.of(Math.PI / 2, Math.PI);
  const heads = () => Float64Array.of(1, 2, 3, 4, 5, 10, 20, 30, 40, 50);
  const halves = heads();
  rotate(halves, 5, { frequencies, magnitude: 1, dimensions: 4, interleaved: false }, 1);
  near(halves, [-3, -2, 1, -4, 5, -30, -20, 10, -40, 50], 1e-13);
  const neighbours = heads();
  rotate(neighbours, 5, { frequencies, magnitude: 2, dimensions: 4, interleaved: true }, 1);
  near(neighbours, [-4, 2, -6, -8, 5, -40, 20, -60, -80, 50], 1e-13);
});

test("formats and providers that it lacks are refused, with what would work", async () => {
  const { source } = randomModel(1);
  for (const format of ["exact", "int8"] as const) {
    await assert.rejects(referenceBackend.load(source, { ...options, format }), (error) => {
      assert.ok(error instanceof UnsupportedError);
      return error.line.includes(format) && error.line.includes("float32");
    });
  }
  await assert.rejects(referenceBackend.load(source, { ...options, provider: "cuda" }), /cuda/);
  assert.equal((await referenceBackend.load(source, { ...options, format: "auto" })).format, "float32");
});

test("a model too large for it is refused by name, before its weights are read", async () => {
  const { source } = randomModel(1);
  const huge = {
    ...source,
    title: "Huge",
    tensor: (name: string) => ({
      ...source.tensor(name),
      shape: [10_000, 10_000],
      floats: () => assert.fail("the weights were read"),
    }),
  };
  await assert.rejects(referenceBackend.load(huge, options), (error) => {
    return error instanceof UnsupportedError && /Huge has \d+ million parameters/.test(error.message);
  });
});

test("a tensor that is missing or of another shape is named", async () => {
  const { source } = randomModel(1);
  const tensors = (change: (all: Map<string, MemoryTensor>) => void) => {
    const all = new Map(source.names.map((name) => {
      const { shape, floats } = source.tensor(name);
      return [name, { shape, values: floats() }];
    }));
    change(all);
    return memorySource(source.spec, all);
  };
  const isInput = (name: string) => (error: unknown) =>
    error instanceof HunchError && error.kind === "input" && error.line.includes(name);
  const missing = tensors((all) => all.delete("layers.0.attention.q.weight"));
  await assert.rejects(referenceBackend.load(missing, options), isInput("layers.0.attention.q.weight"));
  const wrong = tensors((all) => all.set("norm.weight", { shape: [3], values: new Float32Array(3) }));
  await assert.rejects(referenceBackend.load(wrong, options), isInput("norm.weight"));
});

test("a model with learned positions is not run past them, others are", async () => {
  const learned = randomModel(2, { spec: { context: 32 }, extras: { positions: true } }).source;
  await assert.rejects(referenceBackend.load(learned, { ...options, context: 33 }), /learned positions for 32/);
  const rotated = randomModel(2, { spec: { context: 32 }, extras: { positions: false } }).source;
  assert.equal((await referenceBackend.load(rotated, { ...options, context: 33 })).context, 33);
  await assert.rejects(referenceBackend.load(rotated, { ...options, context: 0 }), HunchError);
});

test("scores that outlived their pass say so instead of answering", async () => {
  const engine = await referenceBackend.load(randomModel(3).source, options);
  const sequence = engine.open();
  const scores = await sequence.forward({ tokens: Int32Array.of(1) });
  scores.argmax(0);
  sequence.keep(Int32Array.of(0));
  assert.throws(() => scores.argmax(0), /no longer valid/);
});

test("weights that are not numbers end in one clear line", async () => {
  const { source } = randomModel(4);
  const broken = {
    ...source,
    tensor: (name: string) => {
      const tensor = source.tensor(name);
      return name === "norm.weight" ? { ...tensor, floats: () => tensor.floats().fill(NaN) } : tensor;
    },
  };
  const engine = await referenceBackend.load(broken, options);
  await assert.rejects(engine.open().forward({ tokens: Int32Array.of(1) }), /not finite/);
});
