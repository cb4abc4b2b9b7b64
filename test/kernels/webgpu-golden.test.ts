// The WebGPU engine computes what other people's engines computed; a tree node has the bits of the chain that leads to
// it, so its text is the same with any draft. Skipped where no adapter works.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { openModel } from "../../src/model/open.ts";
import { farOff, fixture, storiesCases, TINY, tinyFiles, tinyTexts } from "./support/golden.ts";
import { holdGpu } from "./support/gpu.ts";
import { treeScores } from "./support/tree-text.ts";

const skip = await holdGpu(after);
const load = async (path: string) =>
  webgpuBackend.load(await openModel(path), { format: "auto", strict: true, cacheDir: "" });

/** Architectures whose kernels are all those of others here; each agreed when it was added. */
const SAME_KERNELS = ["ernie4_5", "gemma", "gemma3-images", "granite4", "ministral3", "mistral-images", "olmo3"]
  .concat(["qwen2_vl", "qwen3_vl", "seed_oss"]);

for (const name of TINY.filter((name) => !SAME_KERNELS.includes(name))) {
  const { kind, path } = tinyFiles(name).at(-1)!;
  test(
    `${name} from its ${kind} agrees with transformers, and bit for bit with itself as trees`,
    { skip },
    async () => {
      const engine = await load(path);
      const [text] = tinyTexts(name);
      const sequence = engine.open();
      const rows = await runChain(sequence, text.tokens, text.tokens.length);
      sequence.close();
      assert.ok(farOff(rows, text) < 1e-5, `${farOff(rows, text)} off`);
      const some = text.tokens.slice(0, 9);
      const trees = await treeScores(engine, some);
      trees.forEach((row, at) => assert.deepEqual(row, rows[at], `position ${at}`));
      engine.close();
      engine.source.close();
    },
  );
}

for (const { name, run } of storiesCases("stories260K", () => load(fixture("stories260k/stories260K.bin")))) {
  test(`${name}, on WebGPU`, { skip }, run);
}
