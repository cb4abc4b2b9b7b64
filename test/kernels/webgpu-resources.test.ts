// What a pass takes of a device, and which adapters are refused. Skipped where no adapter works.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { findAdapter } from "../../kernels/webgpu/adapter.ts";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import type { Device } from "../../kernels/webgpu/device.ts";
import type { WebGpuEngine } from "../../kernels/webgpu/engine.ts";
import { selfTest } from "../../kernels/webgpu/self-test.ts";
import { NEEDS } from "../../src/backend.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import { holdGpu, openDevice } from "./support/gpu.ts";
import { randomModel } from "./support/random-model.ts";

const skip = await holdGpu(after);
const { source } = randomModel(2, { spec: { context: 600 }, extras: { positions: false } });
const load = () => webgpuBackend.load(source, { format: "auto", strict: true, cacheDir: "" }) as Promise<WebGpuEngine>;

test("a cache that grows in the middle of a text keeps what is in it", { skip }, async () => {
  const engine = await load();
  const tokens = Int32Array.from({ length: 300 }, (_, i) => (i * 31) % source.spec.vocab);
  const logits = async (widths: readonly number[]) => {
    const sequence = engine.open();
    let from = 0;
    for (const width of widths) {
      await sequence.forward({ tokens: tokens.slice(from, from + width), score: "last" });
      sequence.keep(Int32Array.from({ length: width }, (_, row) => row));
      from += width;
    }
    const scores = await sequence.forward({ tokens: tokens.slice(from), score: "last" });
    const row = [...scores.logits(0)];
    sequence.close();
    return row;
  };
  assert.deepEqual(await logits([250, 20]), await logits([290])); // as chunks, and as a prompt
  engine.close();
});

test("a pass is one submit and one read of what it was asked for", { skip }, async () => {
  const engine = await load();
  const sequence = engine.open();
  const row = 4 * source.spec.vocab;
  const wanted = { argmax: 32, candidates: 32 + 512, probabilities: 32 + 512 + row, logits: 32 + 512 + 2 * row };
  for (const need of NEEDS) {
    for (const rows of [1, 2]) {
      await sequence.forward({ tokens: Int32Array.of(1, 2).slice(0, rows), need });
      const { submits, readBytes } = { ...engine.counts };
      const scores = await sequence.forward({ tokens: Int32Array.of(1, 2).slice(0, rows), need });
      assert.equal(engine.counts.submits - submits, 1);
      assert.equal(engine.counts.readBytes - readBytes, rows * wanted[need], `${rows} rows for ${need}`);
      await scores.load!();
      assert.equal(engine.counts.submits - submits, need === "logits" ? 1 : 2);
    }
  }
  engine.close();
});

test("a pass uploads tokens where the table of embeddings is the matrix of logits, and rows where it is not", {
  skip,
}, async () => {
  const uploaded = async (tied: boolean) => {
    const model = randomModel(2, { spec: { context: 16, width: 32 }, extras: { positions: false, tied } });
    assert.equal(model.source.has("output.weight"), !tied);
    const engine = await webgpuBackend.load(model.source, {
      format: "auto",
      strict: true,
      cacheDir: "",
    }) as WebGpuEngine;
    const { writtenBytes } = { ...engine.counts };
    await engine.open().forward({ tokens: Int32Array.of(1, 2, 3), need: "argmax" });
    engine.close();
    return engine.counts.writtenBytes - writtenBytes;
  };
  assert.equal(await uploaded(false) - await uploaded(true), 3 * 32 * 4 - 3 * 4);
});

test("an adapter that computes nothing is refused by name", { skip }, async () => {
  const device = await openDevice();
  const mute = new Proxy(device, {
    get(target, name) {
      if (name === "adapterName") return "Null Adapter";
      if (name === "read") {
        return async (staging: GPUBuffer, bytes: number) => {
          await target.read(staging, bytes);
          return new ArrayBuffer(bytes);
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as Device;
  await assert.rejects(selfTest(mute), (error: unknown) => {
    assert.ok(error instanceof UnsupportedError);
    assert.match(error.line, /Null Adapter computes other numbers/);
    return true;
  });
  device.close();
});

test("an unknown provider is refused, naming those there are", async () => {
  await assert.rejects(findAdapter("metal", ""), (error: unknown) => {
    assert.ok(error instanceof HunchError);
    assert.match(error.line, /no WebGPU provider metal.*dawn, builtin/);
    return true;
  });
});
