// What is not taken on trust: that an adapter computes at all, what it computes, and that a row's bits are its own.
import { UnsupportedError } from "../../src/errors.ts";
import type { Device } from "./device.ts";
import { MOST_ROWS, type WeightForm } from "./kernels.ts";
import { matmulStep, Recorder } from "./steps.ts";

const ROWS = 8;
const COLUMNS = 72;
const OUTPUTS = 37;
const TOLERANCE = 1e-5;

/** Numbers in −1 … 1 without a pattern. */
function noise(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
}

/**
 * Multiplies matrices on the device and on the processor. Throws UnsupportedError naming the adapter where they
 * disagree: null adapters leave zeros, broken ones anything. Returns whether a row has the same bits beside others.
 */
export async function selfTest(device: Device): Promise<boolean> {
  const form: WeightForm = { kind: "f32" };
  const [weights, x] = [noise(OUTPUTS * COLUMNS, 1), noise(ROWS * COLUMNS, 2)];
  const buffers: GPUBuffer[] = [];
  const made = <T extends GPUBuffer>(buffer: T): T => (buffers.push(buffer), buffer);
  const pass = made(device.uniform(32, "pass"));
  const input = made(device.storage(MOST_ROWS * COLUMNS * 4, "self-test"));
  const weightBuffer = made(device.storage(weights.byteLength, "self-test"));
  const output = made(device.storage(ROWS * OUTPUTS * 4, "self-test"));
  const staging = made(device.staging(ROWS * OUTPUTS * 4));
  const bench = { device, pass, nothing: made(device.storage(16, "nothing")) };
  device.write(input, x);
  device.write(weightBuffer, weights);
  const piece = { form, from: 0, outputs: OUTPUTS, units: COLUMNS / 8, buffers: [weightBuffer], bias: undefined };
  const step = matmulStep(bench, { buffer: input, stride: COLUMNS }, piece, { buffer: output }, OUTPUTS);
  const recorder = new Recorder(device);
  const product = async (rows: number): Promise<Float32Array> => {
    const width = { rows, scored: rows };
    const pipelines = await recorder.prepare([step], width);
    device.write(pass, Uint32Array.of(rows, 0, 0, 0, rows));
    const encoder = device.gpu.createCommandEncoder();
    encoder.clearBuffer(output);
    recorder.record(encoder, [step], pipelines, width, []);
    encoder.copyBufferToBuffer(output, 0, staging, 0, rows * OUTPUTS * 4);
    device.submit(encoder);
    const bytes = await device.read(staging, rows * OUTPUTS * 4);
    const result = new Float32Array(bytes.slice(0));
    staging.unmap();
    return result;
  };
  const results: Float32Array[] = [];
  for (const rows of [ROWS, 1, 3]) results.push(await product(rows));
  for (const buffer of buffers) device.destroy(buffer);

  let worst = 0;
  for (let row = 0; row < ROWS; row++) {
    for (let out = 0; out < OUTPUTS; out++) {
      let sum = 0;
      for (let k = 0; k < COLUMNS; k++) sum += weights[out * COLUMNS + k] * x[row * COLUMNS + k];
      const difference = Math.abs(sum - results[0][row * OUTPUTS + out]);
      worst = difference <= worst ? worst : difference; // NaN stays
    }
  }
  if (!(worst <= TOLERANCE * COLUMNS)) {
    throw new UnsupportedError(
      `the WebGPU adapter ${device.adapterName} computes other numbers than the processor (off by ${worst})`,
      {},
      "update its driver, or use --backend onnx",
    );
  }
  return results.every((result) => result.every((value, i) => value === results[0][i]));
}
