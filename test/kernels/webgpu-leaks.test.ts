// Nothing leaks: what is held after many generations is what was held after a few. bench/webgpu-leaks.ts does the same
// with a thousand. Skipped where no adapter works.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Held, manyGenerations } from "./support/generations.ts";
import { lackOfGpu } from "./support/gpu.ts";

const skip = await lackOfGpu();

test("generations of every kind leave nothing behind, and closing an engine frees all", { skip }, async () => {
  const held: Held[] = [];
  assert.equal(await manyGenerations(32, 16, (now) => held.push(now)), 0);
  const [first, second] = held;
  assert.ok(first.buffers > 0 && first.pipelines > 0);
  for (const what of ["buffers", "bytes", "pipelines"] as const) assert.equal(second[what], first[what], what);
});
