// The kernels of a pass as lines, equal ones together: name, workgroups, and the time that they take one after the other.
import type { Device, Pipeline } from "./device.ts";
import { Recorder, type Step, type Width } from "./steps.ts";

/**
 * Runs the steps of the last pass once more, each in a submission of its own that is waited for, so that each time has
 * that wait in it. They write what is there already.
 */
export async function kernelLines(
  device: Device,
  recorder: Recorder,
  steps: readonly Step[],
  width: Width,
  caches: readonly GPUBuffer[],
): Promise<string[]> {
  const runs = new Map<string, { count: number; ms: number }>();
  const needed = Recorder.needed(steps, width);
  const pipelines: readonly Pipeline[] = await recorder.prepare(needed, width);
  for (const [i, step] of needed.entries()) {
    const encoder = device.gpu.createCommandEncoder();
    recorder.record(encoder, [step], [pipelines[i]], width, caches);
    const start = performance.now();
    device.submit(encoder);
    await device.settle();
    const key = `${step.kernel(width).name} [${step.grid(width)}]`;
    const run = runs.get(key) ?? { count: 0, ms: 0 };
    runs.set(key, { count: run.count + 1, ms: run.ms + performance.now() - start });
  }
  return [...runs].map(([key, { count, ms }]) => `    ${key} × ${count}: ${ms.toFixed(2)} ms`);
}
