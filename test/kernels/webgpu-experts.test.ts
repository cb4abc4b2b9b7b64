// Mixtures of experts on the WebGPU engine: more experts than a workgroup has threads, equal scores, and a row's scores do
// not depend on what its neighbours choose. Skipped where no adapter works.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import type { Backend } from "../../src/backend.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { holdGpu } from "./support/gpu.ts";
import { memorySource } from "./support/memory-source.ts";
import { randomModel } from "./support/random-model.ts";

const skip = await holdGpu(after);
const TOKENS = Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6);

async function rowsOf(backend: Backend, source: ModelSource, width: number) {
  const engine = await backend.load(source, { format: "float32", strict: true, cacheDir: "" });
  const sequence = engine.open();
  const rows = await runChain(sequence, TOKENS, width);
  sequence.close();
  engine.close();
  return rows;
}

for (const share of ["all", "chosen"] as const) {
  test(`130 experts agree with the reference, weights being shares of ${share}, on WebGPU`, { skip }, async () => {
    const experts = { count: 130, used: 8, share } as const;
    const options = { feedForward: { experts, hidden: 8 }, extras: { feedForwardBias: share === "all" } };
    const { source } = randomModel(8, options);
    // Expert 100 is the like of expert 3: of equals the first is chosen.
    const twins = memorySource(
      source.spec,
      new Map(source.names.map((name) => {
        const { shape, floats } = source.tensor(name);
        const values = Float32Array.from(floats());
        if (/router\.(weight|bias)$/.test(name)) {
          values.copyWithin(100 * values.length / 130, 3 * values.length / 130, 4 * values.length / 130);
        }
        return [name, { shape, values }];
      })),
    );
    const oracle = await rowsOf(referenceBackend, twins, 1);
    const rows = await rowsOf(webgpuBackend, twins, TOKENS.length);
    const largest = Math.max(...oracle.flatMap((row) => [...row].map(Math.abs)));
    rows.forEach((row, at) =>
      row.forEach((value: number, token: number) =>
        assert.ok(Math.abs(value - oracle[at][token]) < 1e-4 * largest, `row ${at}, token ${token}`)
      )
    );
    assert.deepEqual(await rowsOf(webgpuBackend, twins, 1), rows, "one row at a time");
  });
}
