// The WebGPU engine computes what other people's engines computed; a tree node has the bits of the chain that leads to
// it, so its text is the same with any draft. Skipped where no adapter works.
import { after, test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import { part } from "../support/part.ts";
import { skippable } from "../support/skip.ts";
import { goldenCases } from "./support/golden.ts";
import { holdGpu } from "./support/gpu.ts";

const skip = await holdGpu(after);
const options = { format: "auto", strict: true, cacheDir: "" } as const;
/** Architectures whose kernels are all those of others; each agreed when it was added, and software GPUs are slow. */
const SAME_KERNELS = /^(ernie4_5|gemma|gemma3-images|granite4|mistral-images|olmo3|qwen2_vl|qwen3_vl|seed_oss) /;
const cases = goldenCases((source) => webgpuBackend.load(source, options), 1e-5, {
  oneFile: true,
  oneText: true,
  oracle: (source) => referenceBackend.load(source, { ...options, format: "float32" }),
}).filter(({ name }) => !SAME_KERNELS.test(name));

for (const { name, run } of part(cases, 4)) test(`${name}, on WebGPU`, { skip }, skippable(run));
