// Hidden states of a pass: copies of the stream that stay on the device until they are read back with the results.
import type { Tap } from "../../src/backend.ts";
import { SHAPES, tapKernel } from "./kernels.ts";
import type { Bench, Plane, Step } from "./steps.ts";

export class States {
  /** [rows, width] each, of the taps that were ever asked for. */
  readonly #buffers = new Map<Tap, GPUBuffer>();
  readonly #shape: GPUBuffer;

  /** Of planes that are all of one `stride`. */
  constructor(private readonly bench: Bench, private readonly width: number, stride: number) {
    this.#shape = SHAPES.tap.uniform(bench.device, { width, stride });
  }

  /** Copies what `from` holds at this place of the pass, where the pass is asked for `tap`. */
  step(tap: Tap, from: Plane): Step {
    const kernel = tapKernel();
    return {
      kernel: () => kernel,
      buffers: () => [this.#shape, from.buffer, this.#buffers.get(tap)!],
      grid: ({ rows }) => [Math.ceil(this.width / 64), rows],
      needed: ({ taps }) => taps?.includes(tap) ?? false,
    };
  }

  /** Where the states of a pass will lie, with room for them. */
  places(taps: readonly Tap[], rows: number): { readonly buffer: GPUBuffer; readonly bytes: number }[] {
    const { device } = this.bench;
    const bytes = rows * this.width * 4;
    return taps.map((tap) => {
      let buffer = this.#buffers.get(tap);
      if (!buffer || buffer.size < bytes) {
        if (buffer) device.destroy(buffer);
        this.#buffers.set(tap, buffer = device.storage(bytes, "hidden states"));
      }
      return { buffer, bytes };
    });
  }
}
