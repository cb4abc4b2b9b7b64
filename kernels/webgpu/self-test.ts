// What is not taken on trust: that an adapter computes at all, what it computes, that a row's bits are its own, and that
// its subgroups and float16 numbers are what kernels take them for.
import { UnsupportedError } from "../../src/errors.ts";
import type { Device, Tested } from "./device.ts";
import { MOST_ROWS, SHAPES, type WeightForm } from "./kernels.ts";
import { type Features, PLAIN } from "./features.ts";
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

/** float16 numbers of every size, the first ones subnormal: what unpacking may get wrong. */
function allSizes(length: number): Float16Array<ArrayBuffer> {
  const bits = Uint16Array.from({ length }, (_, i) => (i & 1) << 15 | (i < ROWS ? 1 << i : i * 9293 % 0x7c00));
  return new Float16Array(bits.buffer);
}

/** Row i of x is 1 at i and 0 elsewhere: products are the weights themselves. */
function units(): Float32Array {
  return Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => i % COLUMNS === Math.floor(i / COLUMNS) ? 1 : 0);
}

/**
 * Multiplies matrices on the device and on the processor. Throws UnsupportedError naming the adapter where they
 * disagree: null adapters leave zeros, broken ones anything. A feature that gives other bits is not used.
 */
export async function selfTest(device: Device): Promise<Tested> {
  const bench = new TestBench(device);
  try {
    const weights = Float16Array.from(noise(OUTPUTS * COLUMNS, 1));
    const x = noise(ROWS * COLUMNS, 2);
    let features: Features = { ...PLAIN, subnormals: true };
    const plain = (await bench.multiply(weights, x, ROWS, features))!;
    expectNear(device, plain, weights, x);

    const numbers = allSizes(OUTPUTS * COLUMNS);
    const keeps = async (features: Features) => {
      const found = await bench.multiply(numbers, units(), ROWS, features);
      return found?.every((value, i) => value === numbers[i % OUTPUTS * COLUMNS + Math.floor(i / OUTPUTS)]) ?? false;
    };
    if (!await keeps(features)) {
      features = PLAIN;
      if (!await keeps(features)) refuse(device, "computes other numbers than float16 weights stand for");
    }

    /** Whether a row has the same bits beside others, and those of the plain kernel. */
    const same = async (features: Features) => {
      for (const rows of [ROWS, 1, 3]) {
        const found = await bench.multiply(weights, x, rows, features);
        if (!found?.every((value, i) => value === plain[i])) return false;
      }
      return true;
    };
    const { subgroups, float16 } = device.offered;
    // Which threads form a subgroup is up to the adapter: shuffles that meet others give other sums.
    const shuffles = subgroups > 1 && await same({ ...features, subgroups });
    if (shuffles) features = { ...features, subgroups };
    const exact = shuffles || await same(features);
    if (float16 && await keeps({ ...features, float16 })) features = { ...features, float16 };
    return { exact, features };
  } finally {
    bench.close();
  }
}

function expectNear(device: Device, found: Float32Array, weights: Float16Array, x: Float32Array): void {
  let worst = 0;
  for (let row = 0; row < ROWS; row++) {
    for (let out = 0; out < OUTPUTS; out++) {
      let sum = 0;
      for (let k = 0; k < COLUMNS; k++) sum += weights[out * COLUMNS + k] * x[row * COLUMNS + k];
      const difference = Math.abs(sum - found[row * OUTPUTS + out]);
      worst = difference <= worst ? worst : difference; // NaN stays
    }
  }
  if (!(worst <= TOLERANCE * COLUMNS)) {
    refuse(device, `computes other numbers than the processor (off by ${worst})`);
  }
}

function refuse({ adapterName }: Device, why: string): never {
  throw new UnsupportedError(`the WebGPU adapter ${adapterName} ${why}`, {
    hint: "update its driver, or use --backend onnx",
  });
}

/** Buffers of products that are all of one shape. */
class TestBench {
  readonly #buffers: GPUBuffer[] = [];
  readonly #pass: GPUBuffer;
  readonly #nothing: GPUBuffer;
  readonly #input: GPUBuffer;
  readonly #weights: GPUBuffer;
  readonly #output: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(private readonly device: Device) {
    const made = (buffer: GPUBuffer) => (this.#buffers.push(buffer), buffer);
    this.#pass = made(SHAPES.pass.room(device, "pass"));
    this.#nothing = made(device.storage(16, "nothing"));
    this.#input = made(device.storage(MOST_ROWS * COLUMNS * 4, "self-test"));
    this.#weights = made(device.storage(OUTPUTS * COLUMNS * 2, "self-test"));
    this.#output = made(device.storage(ROWS * OUTPUTS * 4, "self-test"));
    this.#staging = made(device.staging(ROWS * OUTPUTS * 4));
  }

  /** [rows, OUTPUTS]; undefined where the adapter does not take a kernel with these features. */
  async multiply(
    weights: Float16Array,
    x: Float32Array,
    rows: number,
    features: Features,
  ): Promise<Float32Array | undefined> {
    const { device } = this;
    const form: WeightForm = { kind: "f16" };
    const piece = { form, from: 0, outputs: OUTPUTS, units: COLUMNS / 8, buffers: [this.#weights], bias: undefined };
    const bench = { device, pass: this.#pass, nothing: this.#nothing, features };
    const step = matmulStep(bench, { buffer: this.#input, stride: COLUMNS }, piece, { buffer: this.#output }, OUTPUTS);
    const recorder = new Recorder(device);
    const width = { rows, scored: rows };
    let pipelines;
    try {
      pipelines = await recorder.prepare([step], width);
    } catch (error) {
      if (features.subgroups > 1 || features.float16) return undefined;
      throw error;
    }
    device.write(this.#input, x);
    device.write(this.#weights, weights);
    const nothing = { past: 0, capacity: 0, first: 0, temperature: 0, segments: 0 };
    device.write(this.#pass, SHAPES.pass.pack({ ...nothing, rows, scored: rows }));
    const encoder = device.gpu.createCommandEncoder();
    encoder.clearBuffer(this.#output);
    recorder.record(encoder, [step], pipelines, width, []);
    encoder.copyBufferToBuffer(this.#output, 0, this.#staging, 0, rows * OUTPUTS * 4);
    device.submit(encoder);
    const bytes = await device.read(this.#staging, rows * OUTPUTS * 4);
    const result = new Float32Array(bytes.slice(0));
    this.#staging.unmap();
    return result;
  }

  close(): void {
    for (const buffer of this.#buffers) this.device.destroy(buffer);
  }
}
