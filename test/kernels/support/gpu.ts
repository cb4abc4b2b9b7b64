// The GPU of this machine, if there is one: tests without it are skipped, and say why.
import { findAdapter } from "../../../kernels/webgpu/adapter.ts";
import { Device } from "../../../kernels/webgpu/device.ts";
import { selfTest } from "../../../kernels/webgpu/self-test.ts";
import { HunchError } from "../../../src/errors.ts";

/**
 * False where WebGPU works here, otherwise the reason why it does not. The device is held to the end of the file, so that
 * its engines share what was compiled: a software adapter takes long over that.
 */
export async function holdGpu(after: (done: () => void) => void): Promise<string | false> {
  try {
    const device = await openDevice();
    after(() => device.close());
    await device.tested(() => selfTest(device));
    return false;
  } catch (error) {
    if (error instanceof HunchError) return error.line;
    throw error;
  }
}

export async function openDevice(): Promise<Device> {
  return await Device.open(await findAdapter(undefined, ""));
}

/** `buffer`'s first `length` numbers. */
export async function readFloats(device: Device, buffer: GPUBuffer, length: number): Promise<Float32Array> {
  const staging = device.staging(length * 4);
  const encoder = device.gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, length * 4);
  device.submit(encoder);
  const result = new Float32Array((await device.read(staging, length * 4)).slice(0));
  device.destroy(staging);
  return result;
}
