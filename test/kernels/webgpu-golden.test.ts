// The WebGPU engine computes what other people's engines computed; a tree node has the bits of the chain that leads to
// it, so its text is the same with any draft. Skipped where no adapter works.
import { after, test } from "node:test";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import { part } from "../support/part.ts";
import { goldenCases } from "./support/golden.ts";
import { holdGpu } from "./support/gpu.ts";

const skip = await holdGpu(after);
const options = { format: "auto", strict: true, cacheDir: "" } as const;
const cases = goldenCases((source) => webgpuBackend.load(source, options), 1e-5, { oneFile: true, oneText: true });

for (const { name, run } of part(cases, 4)) test(`${name}, on WebGPU`, { skip }, run);
