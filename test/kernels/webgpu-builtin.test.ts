// Every kernel once more on the runtime's own WebGPU, where it has one: another compiler of WGSL than Dawn's.
import { test } from "node:test";
import { because } from "../support/skip.ts";

if ("Deno" in globalThis) {
  process.env.HUNCH_TEST_WEBGPU = "builtin";
  await import("./webgpu-kernels.test.ts");
  await import("./webgpu-attention.test.ts");
  await import("./webgpu-results.test.ts");
  await import("./webgpu-embed.test.ts");
  await import("./webgpu-rules.test.ts");
  await import("./webgpu-matmul.test.ts");
} else {
  test("the kernels on Bun's own WebGPU", { skip: because("Bun has no WebGPU of its own beside Dawn") }, () => {});
}
