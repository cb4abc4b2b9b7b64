// The WebGPU engine in numbers: milliseconds, dispatches, submits and bytes of a pass by width, and the share of what
// reading the weights once would take. One command:
//
//   node scripts/bun.mjs bench/webgpu.ts [model] [--past 128] [--repeats 10]
//   npx deno run -A bench/webgpu.ts …
//
// `--copy` also measures the adapter's memory bandwidth by copying a large buffer, so that “70% of it” has a meaning.
import { parseArgs } from "node:util";
import { webgpuBackend } from "../kernels/webgpu/backend.ts";
import { findAdapter } from "../kernels/webgpu/adapter.ts";
import { Device } from "../kernels/webgpu/device.ts";
import type { WebGpuEngine } from "../kernels/webgpu/engine.ts";
import { weightBytes } from "../kernels/webgpu/matrix.ts";
import { openModel } from "../src/model/open.ts";

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    past: { type: "string", default: "128" },
    repeats: { type: "string", default: "10" },
    format: { type: "string", default: "exact" },
    widths: { type: "string", default: "1,2,4,8,16,32,64" },
    copy: { type: "boolean", default: false },
  },
});
const path = positionals[0] ?? "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";
const format = values.format === "float32" ? "float32" : "exact";
const source = await openModel(path);
const started = performance.now();
const engine = await webgpuBackend.load(source, { format, strict: true, cacheDir: "" }) as WebGpuEngine;
const weights = weightBytes(source, format === "exact");
console.log(`${engine.name} on ${engine.adapterName}, exact: ${engine.can.exact}`);
console.log(`${path}: ${(weights / 1e6).toFixed(1)} MB of weights, loaded in ${ms(performance.now() - started)}`);

const past = Math.min(Number(values.past), engine.context - 64);
const token = (i: number) => (i * 7919 + 13) % source.spec.vocab;
const sequence = engine.open();
if (past > 0) {
  await sequence.forward({ tokens: Int32Array.from({ length: past }, (_, i) => token(i)), score: "last" });
  sequence.keep(Int32Array.from({ length: past }, (_, i) => i));
}
let alone = NaN;
for (const width of values.widths.split(",").map(Number)) {
  const tokens = Int32Array.from({ length: width }, (_, i) => token(i + width));
  await sequence.forward({ tokens }); // compiles
  const before = { ...engine.counts };
  let best = Infinity;
  const repeats = Number(values.repeats);
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await sequence.forward({ tokens });
    best = Math.min(best, performance.now() - start);
  }
  if (width === 1) alone = best;
  const each = (name: "dispatches" | "submits" | "readBytes") => (engine.counts[name] - before[name]) / repeats;
  console.log([
    `${String(width).padStart(3)} rows`,
    ms(best).padStart(10),
    `${(best / alone).toFixed(2)} × 1 row`,
    `${(weights / best / 1e6).toFixed(1)} GB/s of weights`,
    `${each("dispatches")} dispatches (${(each("dispatches") / source.spec.layers.length).toFixed(1)} a layer)`,
    `${each("submits")} submit`,
    `${(each("readBytes") / 1e3).toFixed(0)} kB read back`,
  ].join("  "));
}
console.log(`${(engine.counts.bytes / 1e6).toFixed(0)} MB on the device, ${engine.counts.pipelines} pipelines`);
engine.close();
if (values.copy) await copyBandwidth();

/** Copies 256 MB on the device; what is read and what is written counts. */
async function copyBandwidth(): Promise<void> {
  const device = await Device.open(await findAdapter(undefined, ""));
  const size = Math.min(256 << 20, device.gpu.limits.maxBufferSize);
  const [from, to] = [device.storage(size, "source"), device.storage(size, "target")];
  const copy = async (times: number) => {
    const start = performance.now();
    const encoder = device.gpu.createCommandEncoder();
    for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
    device.submit(encoder);
    await device.settle();
    return performance.now() - start;
  };
  await copy(1);
  const many = await copy(21) - await copy(1);
  console.log(`copying on the device: ${(2 * 20 * size / many / 1e6).toFixed(0)} GB/s`);
  device.close();
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}
