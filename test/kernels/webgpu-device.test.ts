// The layer over a device, on one that only keeps books: uploads in pieces, limits, and every way in which a device fails.
// Needs no adapter.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CHUNK, Device } from "../../kernels/webgpu/device.ts";
import { HunchError } from "../../src/errors.ts";
import { FakeGpu } from "./support/fake-gpu.ts";

let devices = 0;

async function fake(change: (gpu: FakeGpu) => void = () => {}) {
  const gpu = new FakeGpu();
  change(gpu);
  const found = gpu.found(`Fake ${++devices}`);
  return { gpu, found, device: await Device.open(found) };
}

/** One line of a device that failed, with exit code 4. */
function oneLine(error: unknown, pattern: RegExp): true {
  assert.ok(error instanceof HunchError, String(error));
  assert.equal(error.exitCode, 4);
  assert.match(error.line, pattern);
  assert.ok(!error.line.includes("\n"));
  return true;
}

for (const extra of [0, 4, CHUNK - 4]) {
  test(`an upload of two pieces and ${extra} bytes arrives whole, in pieces that follow each other`, async () => {
    const { gpu, device } = await fake();
    const length = 2 * CHUNK + extra;
    const memory = new Uint8Array(length + 12);
    for (let i = 0; i < memory.length; i++) memory[i] = i * 7 + (i >>> 8) * 13 + (i >>> 16);
    const data = new Uint8Array(memory.buffer, 8, length);
    const buffer = device.storage(length + 16, "weights");
    device.write(buffer, data, 16);
    let at = 16;
    for (const write of gpu.writes) {
      assert.equal(write.buffer, buffer);
      assert.equal(write.at, at);
      assert.ok(write.bytes.length <= CHUNK && write.bytes.length % 4 === 0);
      assert.equal(Buffer.compare(write.bytes, data.subarray(at - 16, at - 16 + write.bytes.length)), 0);
      at += write.bytes.length;
    }
    assert.equal(at, 16 + length);
    assert.equal(gpu.writes.length, Math.ceil(length / CHUNK));
    device.close();
  });
}

test("numbers of any type are uploaded as their bytes", async () => {
  const { gpu, device } = await fake();
  const numbers = Float32Array.of(0, 1.5, -2, 3);
  device.write(device.storage(16, "some"), numbers.subarray(1), 4);
  assert.deepEqual(new Float32Array(gpu.writes[0].bytes.buffer), Float32Array.of(1.5, -2, 3));
  device.close();
});

test("a buffer beyond the adapter's limit is refused before it is made, naming what for and both sizes", async () => {
  const { gpu, device } = await fake((gpu) => gpu.limits.maxBufferSize = 3e6);
  device.storage(3e6, "just enough");
  assert.throws(
    () => device.storage(5e6, "the logits"),
    (error) => oneLine(error, /^the logits needs a buffer of 5 MB where Fake \d+ has at most 3 MB; use a smaller/),
  );
  assert.equal(gpu.alive.size, 1);
  device.check(); // nothing has failed
  device.close();
  assert.equal(gpu.alive.size, 0);
});

test("memory that runs out is told once the device has settled, and everything is released", async () => {
  const { gpu, device } = await fake((gpu) => gpu.memory = 3e6);
  device.storage(1e6, "small");
  device.write(device.storage(4e6, "the third layer"), new Uint8Array(64)); // into a buffer that is none
  const line = /^the graphics device has no memory left for the third layer, 4 MB; Fake \d+: use a smaller model/;
  await assert.rejects(device.settle(), (error) => oneLine(error, line));
  assert.throws(() => device.storage(16, "more"), (error) => oneLine(error, line));
  device.close();
  assert.equal(gpu.alive.size, 0);
  assert.equal(device.counts.buffersCreated, device.counts.buffersDestroyed);
  assert.equal(device.counts.bytes, 0);
  assert.ok(gpu.destroyed);
});

test("an engine that runs out of memory leaves others on the same device alone", async () => {
  const { gpu, found, device: first } = await fake((gpu) => gpu.memory = 3e6);
  const kept = first.storage(1e6, "kept");
  const second = await Device.open(found);
  second.write(second.storage(4e6, "too much"), new Uint8Array(64));
  await assert.rejects(second.settle(), (error) => oneLine(error, /no memory left for too much/));
  second.close();
  first.write(kept, new Uint8Array(64));
  await first.settle();
  assert.deepEqual([gpu.alive.size, gpu.writes.length, gpu.destroyed], [1, 1, false]);
  first.close();
  assert.ok(gpu.destroyed);
});

test("an error that nobody asked for ends all engines of the device in one line, and the next gets a new device", async () => {
  const { gpu, found, device } = await fake();
  const other = await Device.open(found);
  gpu.complain("validation", "bind group\n  is wrong");
  for (const each of [device, other]) {
    assert.throws(() => each.check(), (error) => oneLine(error, /refused an operation: bind group is wrong; Fake/));
  }
  const fresh = new FakeGpu();
  const next = await Device.open(fresh.found(found.name));
  await next.settle();
  for (const each of [device, other]) each.close();
  await next.settle();
  assert.ok(gpu.destroyed && !fresh.destroyed);
  const beside = await Device.open(found);
  assert.equal(beside.gpu, fresh as unknown as GPUDevice, "closing the old one does not forget the new one");
  beside.close();
  next.close();
});

test("results that cannot be read are explained by the loss of the device, also where that is told later", async () => {
  const { gpu, device } = await fake((gpu) => gpu.mapFailure = new Error("validation error occurred"));
  const reading = device.read(device.staging(16), 16);
  setTimeout(() => gpu.lose("the driver has crashed"), 20);
  await assert.rejects(
    reading,
    (error) => oneLine(error, /^the graphics device was lost: the driver has crashed; Fake/),
  );
  device.close();
  assert.equal(gpu.alive.size, 0);
});

test("results that cannot be read on a device that lives on say so", async () => {
  const { device } = await fake((gpu) => gpu.mapFailure = new Error("the moon is full"));
  await assert.rejects(
    device.read(device.staging(16), 16),
    (error) => oneLine(error, /^its results cannot be read: the moon is full; Fake/),
  );
  device.close();
});

test("an adapter that gives no device is named", async () => {
  const { found } = await fake();
  const adapter = { ...found.adapter, requestDevice: () => Promise.reject(new Error("busy")) } as GPUAdapter;
  for (let i = 0; i < 2; i++) {
    await assert.rejects(
      Device.open({ ...found, name: "Occupied", adapter }),
      (error) => oneLine(error, /^the WebGPU adapter Occupied gives no device: busy; use --backend onnx/),
    );
  }
});

test("opening a device while its last user closes it gives one that works", async () => {
  const { found, device } = await fake();
  const fresh = new FakeGpu();
  const opening = Device.open(fresh.found(found.name));
  device.close();
  const next = await opening;
  assert.equal(next.gpu, fresh as unknown as GPUDevice);
  await next.settle();
  next.close();
});
