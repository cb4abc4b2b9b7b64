// The WebGPU engine keeps the contract of engines on random models that between them use every feature of a spec, and
// computes what the reference engine computes. Without an adapter these tests are skipped; a software adapter is slow,
// so the models are few, the texts short and the widths some.
import { after, test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import { engineSuite } from "../../src/check/conformance/engine.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { holdGpu } from "./support/gpu.ts";
import { explained, randomModel, type RandomModelOptions } from "./support/random-model.ts";

const skip = await holdGpu(after);

const SETTINGS: readonly (readonly [seed: number, type: RandomModelOptions["type"], format: "exact" | "float32"])[] = [
  [0, "F32", "float32"],
  [3, "Q4_1", "exact"],
];

for (const [seed, type, format] of SETTINGS) {
  const { source, summary } = randomModel(seed, { type, spec: { context: 24 } });
  const load = () => webgpuBackend.load(source, { format, strict: true, cacheDir: "" });
  const tokens = Int32Array.from({ length: 18 }, (_, i) => (i * 7919 + (i >> 2) * 31) % source.spec.vocab);
  const reference = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
  const rows = await runChain(reference.open(), tokens, tokens.length);
  const known = { tokens, logits: rows.flatMap((row) => [...row]) };
  const expected = { known, oracle: async () => reference, longest: 18, widths: [1, 2, 5, 17] };
  for (const { name, run } of engineSuite(`webgpu ${format} on random model ${seed} in ${type}`, load, expected)) {
    test(name, { skip }, explained(summary, run));
  }
}
