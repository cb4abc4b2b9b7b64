// hunch model random: every mix of both architectures opens and runs, its weights are spread as trained ones are, and its
// name says what it is.
import { test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { moreBits, writeRandomModel } from "../../cli/model/random.ts";
import { nearestHalf } from "../../cli/model/random-blocks.ts";
import { MIX_NAMES } from "../../cli/model/mixes.ts";
import { REAL_SHAPES, type RealShape } from "../../cli/model/real-shapes.ts";
import { openModel } from "../../src/model/open.ts";
import { halfTable } from "../../src/model/tensors/quants/half.ts";
import { FOLDER, hunch, STORIES } from "./support/cli.ts";

const SMALL = { width: 256, layers: 3, heads: 4, kvHeads: 2, headSize: 64, feedForward: 512, vocab: 530, context: 64 };

test("both architectures open in every mix, with weights of deviation 0.02 around 0", async () => {
  for (const like of ["llama-8b", "qwen3-0.6b"]) {
    for (const mix of MIX_NAMES) {
      const shape: RealShape = { ...REAL_SHAPES[like], ...SMALL };
      const path = join(FOLDER, `${like}-${mix}.gguf`);
      writeRandomModel(path, { shape, mix, title: `${like} with random weights (${mix})`, donor: STORIES }, () => {});
      const source = await openModel(path);
      assert.equal(source.spec.layers.length, 3);
      assert.equal(source.spec.vocab, 530);
      assert.equal(source.has("output.weight"), like === "llama-8b");
      assert.ok(source.tokenizer.encode("Once", { begin: true }).length > 1);
      for (const name of source.names.filter((name) => !/norm/i.test(name))) {
        const weights = source.tensor(name).floats();
        const mean = weights.reduce((a, b) => a + b, 0) / weights.length;
        const deviation = Math.sqrt(weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weights.length);
        assert.ok(
          Math.abs(mean) < 0.003 && Math.abs(deviation - 0.02) < 0.002,
          `${mix} ${name}: ${mean} ± ${deviation}`,
        );
      }
      source.close();
    }
  }
});

test("such a model answers, and wherever it does its name says what it is", async () => {
  const path = join(FOLDER, "llama-8b-q4_k_m.gguf");
  const { code, stderr } = await hunch([
    "-m",
    path,
    "--backend",
    "reference",
    "-d",
    "none",
    "--summary",
    "-n",
    "2",
    "Tom",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /random weights: only the times of passes mean something/);
});

test("weights have the types that llama.cpp gives them, where rows are no whole blocks as well", async () => {
  const typesOf = async (mix: string, width: number) => {
    const path = join(FOLDER, `types-${mix}-${width}.gguf`);
    const shape: RealShape = { ...REAL_SHAPES["smollm2-135m"], ...SMALL, width };
    writeRandomModel(path, { shape, mix, title: "with random weights", donor: STORIES }, () => {});
    const source = await openModel(path);
    const type = (name: string) => source.tensor(name).type;
    const own = ["embed", "layers.2.attention.v", "layers.0.attention.v", "layers.0.feedForward.down"].map((name) =>
      type(`${name}.weight`)
    );
    const weights = source.tensor("layers.0.attention.q.weight").floats();
    assert.ok(Math.abs(Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length) - 0.02) < 0.002, mix);
    source.close();
    return own;
  };
  // Of three layers, the last has more bits. 288 is no whole number of 256.
  assert.deepEqual(await typesOf("q4_k_m", 256), ["Q6_K", "Q6_K", "Q4_K", "Q4_K"]);
  assert.deepEqual(await typesOf("q4_k_m", 288), ["Q8_0", "Q8_0", "Q5_0", "Q4_K"]);
  assert.deepEqual(await typesOf("q4_0", 256), ["Q6_K", "Q4_0", "Q4_0", "Q4_0"]);
});

test("the nearest float16 is the nearest", () => {
  const table = halfTable();
  for (const value of [0, 1, -1, 0.02 / 898, 3e-8, 65504, 0.1, -0.3333]) {
    const found = Math.abs(table[nearestHalf(value)] - value);
    for (let bits = 0; bits < 0x7c00; bits++) assert.ok(Math.abs(table[bits] - Math.abs(value)) >= found);
  }
});

test("the layers with more bits are those of llama.cpp, whose division is of whole numbers", () => {
  const chosen = (layers: number) => Array.from({ length: layers }, (_, i) => i).filter((i) => moreBits(i, layers));
  assert.deepEqual(chosen(30), [0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 26, 27, 28, 29]);
  assert.deepEqual(chosen(28), [0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 24, 25, 26, 27]);
});
