// The GPU of this machine, if there is one: tests without it are skipped, and say why.
import { findAdapter } from "../../../kernels/webgpu/adapter.ts";
import { Device } from "../../../kernels/webgpu/device.ts";
import { selfTest } from "../../../kernels/webgpu/self-test.ts";
import { UnsupportedError } from "../../../src/errors.ts";
import { because } from "../../support/skip.ts";

/**
 * False where there is a WebGPU adapter, otherwise the reason why there is none. One that fails the self-test fails the
 * tests: it may be the kernels that are wrong. The device is held to the end of the file, so that its engines share what
 * was compiled: a software adapter takes long over that.
 */
export async function holdGpu(after: (done: () => void) => void): Promise<string | false> {
  let device: Device;
  try {
    device = await openDevice();
  } catch (error) {
    if (error instanceof UnsupportedError) return because(error.line);
    throw error;
  }
  after(() => device.close());
  await device.tested(() => selfTest(device));
  return false;
}

/** The same for files whose tests each have a device of their own. */
export async function lackOfGpu(): Promise<string | false> {
  let close = () => {};
  const lack = await holdGpu((done) => close = done);
  close();
  return lack;
}

/** What a process needs in its environment to find the software adapter that this one has, if it has one. */
export function softwareGpu(): Record<string, string> {
  return Object.fromEntries(
    ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "LD_LIBRARY_PATH"].flatMap((name) => {
      const value = process.env[name];
      return value ? [[name, value]] : [];
    }),
  );
}

/** HUNCH_TEST_WEBGPU: where WebGPU comes from, `dawn` or `builtin`; the first that works if it is not set. */
export async function openDevice(): Promise<Device> {
  return await Device.open(await findAdapter(process.env.HUNCH_TEST_WEBGPU, ""));
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
