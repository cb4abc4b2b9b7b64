// What engines do on a real device that fails them: while they load, while a cache grows, in the middle of a pass. Each
// failure is one line, nothing hangs, and the process goes on with a fresh engine. Skipped where no adapter works.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import { Device } from "../../kernels/webgpu/device.ts";
import type { WebGpuEngine } from "../../kernels/webgpu/engine.ts";
import { HunchError } from "../../src/errors.ts";
import { part } from "../support/part.ts";
import { type Counts, faultyAdapter, type GpuEvent } from "./support/faulty-gpu.ts";
import { lackOfGpu, openDevice } from "./support/gpu.ts";
import { randomModel } from "./support/random-model.ts";

const skip = await lackOfGpu();
const { source } = randomModel(2, { spec: { context: 600 }, extras: { positions: false } });
const provider = process.env.HUNCH_TEST_WEBGPU;
const load = () =>
  webgpuBackend.load(source, { format: "auto", strict: true, cacheDir: "", provider }) as Promise<WebGpuEngine>;
const chain = (length: number) => Int32Array.from({ length }, (_, i) => (i * 31) % source.spec.vocab);

async function fails(work: Promise<unknown>, pattern: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof HunchError, String(error));
    assert.equal(error.exitCode, 4);
    assert.match(error.line, pattern);
    assert.ok(!error.line.includes("\n"));
    return true;
  });
}

async function worksAfresh(): Promise<void> {
  const engine = await load();
  const scores = await engine.open().forward({ tokens: Int32Array.of(1, 2) });
  assert.ok(scores.logits(1).every(Number.isFinite));
  engine.close();
}

/** Loads work on a device that refuses the buffers that `refuses` names, as long as `use` runs. */
async function onFaulty(
  refuses: (label: string, size: number) => boolean,
  use: (device: Device, counts: Counts) => Promise<void>,
  meets?: (event: GpuEvent) => void,
): Promise<void> {
  const { found, counts } = await faultyAdapter(refuses, meets);
  const device = await Device.open(found); // which loads then share
  try {
    await use(device, counts);
  } finally {
    device.close();
  }
}

for (const label of part(["layers.0.feedForward.down.weight", "norm.weight", "logits"], 1)) {
  test(`a load that finds no memory for ${label} says so, frees all, and the device goes on`, { skip }, async () => {
    let refusing = true;
    await onFaulty((name) => refusing && name === label, async (device, counts) => {
      await fails(load(), new RegExp(`no memory left for ${label}, 1 MB; .*use a smaller model`));
      assert.ok(counts.made > 0);
      assert.equal(counts.destroyed, counts.made);
      refusing = false;
      await device.settle();
      const engine = await load(); // on the same device: it was not the device that failed
      await engine.open().forward({ tokens: chain(2) });
      engine.close();
    });
  });
}

test("a cache that finds no memory to grow ends its text in one line", { skip }, async () => {
  let refusing = false;
  await onFaulty((name) => refusing && name === "keys and values", async (device) => {
    const [engine, other] = [await load(), await load()];
    const [sequence, beside] = [engine.open(), other.open()];
    await beside.forward({ tokens: chain(2) });
    await sequence.forward({ tokens: chain(100), score: "last" });
    sequence.keep(Int32Array.from(chain(100).keys()));
    await sequence.forward({ tokens: chain(100), score: "last" });
    sequence.keep(Int32Array.from(chain(100).keys()));
    refusing = true;
    const line = /no memory left for keys and values, 1 MB/;
    await fails(sequence.forward({ tokens: chain(100), score: "last" }), line);
    await fails(sequence.forward({ tokens: chain(1) }), line);
    refusing = false;
    await beside.forward({ tokens: chain(2) });
    sequence.close();
    engine.close();
    other.close();
    device.check();
  });
});

test("a fork that finds no memory is told by its first pass", { skip }, async () => {
  let refusing = false;
  await onFaulty((name) => refusing && name === "keys and values", async (device) => {
    const engine = await load();
    const sequence = engine.open();
    await sequence.forward({ tokens: chain(3) });
    sequence.keep(Int32Array.of(0, 1, 2));
    refusing = true;
    const fork = sequence.fork();
    await fails(fork.forward({ tokens: chain(1) }), /no memory left for keys and values/);
    engine.close();
    await device.settle();
  });
});

test("the largest buffer that an adapter allows is had, or refused in one line", { skip }, async () => {
  const device = await openDevice();
  try {
    device.storage(device.gpu.limits.maxBufferSize, "everything");
    await device.settle();
  } catch (error) {
    await fails(Promise.reject(error), /no memory left for everything, \d+ MB/);
  }
  device.close();
});

const LOSSES: Readonly<Record<string, GpuEvent | undefined>> = {
  "as a pass begins": undefined,
  "while kernels are compiled": "compile",
  "in a pass": "submit",
};
for (const [when, event] of Object.entries(LOSSES)) {
  test(`a device that is lost ${when} is told in one line`, { skip }, async () => {
    let lose: ((event: GpuEvent | undefined) => void) | undefined;
    await onFaulty(() => false, async (device) => {
      const engine = await load();
      const sequence = engine.open();
      await sequence.forward({ tokens: chain(1) });
      let lost = false;
      lose = (met) => {
        if (lost || met !== event) return;
        lost = true;
        device.gpu.destroy();
      };
      const pass = sequence.forward({ tokens: chain(60) }); // what that needs is not compiled yet
      lose(undefined);
      const line = /^the graphics device was lost: /;
      await fails(pass, line);
      assert.ok(lost);
      await fails(sequence.forward({ tokens: chain(1) }), line);
      assert.throws(() => sequence.fork() && device.check(), HunchError);
      await fails(device.settle(), line);
      sequence.close();
      engine.close();
      assert.equal(engine.counts.buffersCreated, engine.counts.buffersDestroyed);
    }, (met) => lose?.(met));
    if (event === undefined) await worksAfresh(); // once is enough: kernels are compiled anew
  });
}

test("an operation that the device refuses is told in one line, with the device's words", { skip }, async () => {
  const engine = await load();
  const sequence = engine.open();
  const device = await openDevice();
  device.gpu.createBuffer({ size: 16, usage: 0x3ff, label: "wrong" });
  await fails(
    (async () => {
      for (;;) await sequence.forward({ tokens: chain(1) });
    })(),
    /^the graphics device refused an operation: .*usage/i,
  );
  device.close();
  engine.close();
  await worksAfresh();
});
