// Attention in blocks of positions on ONNX Runtime: bits do not depend on what else is in a pass, for the head layouts of
// all architectures, across borders of blocks, after long texts and in every weight format.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK } from "../../kernels/onnx/attention/blocks.ts";
import { BlockCache } from "../../kernels/onnx/attention/blocks-cache.ts";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { libraryPath } from "../../kernels/onnx/library.ts";
import { Runtime } from "../../kernels/onnx/runtime.ts";
import { depthsOf } from "../../kernels/rows.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { allLogits, drawer, patternless } from "../../src/check/conformance/engine-bench.ts";
import { engineSuite } from "../../src/check/conformance/engine.ts";
import { pathTo } from "../../src/check/conformance/engine-bits.ts";
import { part } from "../support/part.ts";
import { explained, randomModel, type RandomModelOptions } from "./support/random-model.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();

/** Query heads, key and value heads, head size, and what else is special: of a model of each architecture. */
const LAYOUTS: readonly (readonly [string, number, number, number, { window?: number; softcap?: number }?])[] = [
  ["llama (SmolLM2 135M)", 9, 3, 64],
  ["llama (Llama 3.2 1B)", 32, 8, 64],
  ["mistral (7B)", 32, 8, 128, { window: 70 }],
  ["qwen2 (0.5B)", 14, 2, 64],
  ["qwen3 (0.6B)", 16, 8, 128],
  ["phi3 (mini)", 32, 32, 96],
  ["gpt_neox (Pythia 70M)", 8, 8, 64],
  ["gpt_neox (GPT-NeoX 20B, a quarter of its heads)", 16, 16, 96],
  ["gpt2", 12, 12, 64],
  ["gemma2 (2B)", 8, 4, 256, { softcap: 50 }],
  ["gemma2 (2B), its windows", 8, 4, 256, { softcap: 50, window: 70 }],
  ["gemma3 (1B)", 4, 1, 256, { window: 70 }],
  ["olmo2 (1B)", 16, 16, 128],
  ["smollm3 (3B)", 16, 4, 128],
  ["granite (2B)", 32, 8, 64],
  ["heads of 80", 4, 2, 80],
  ["heads of 12, one group", 5, 1, 12],
];

for (const [name, heads, kvHeads, headSize, more] of part(LAYOUTS, 3)) {
  const scale = 1 / Math.sqrt(headSize);
  const { source, summary } = randomModel(40, {
    spec: { context: 140, width: 32, logitScale: 1, logitSoftcap: undefined },
    attention: { heads, kvHeads, headSize, scale, window: undefined, softcap: undefined, rope: undefined, ...more },
    extras: { qkNorm: "none" },
  });
  for (const threads of [1, 3]) {
    const load = () => onnxBackend.load(source, { format: "float32", strict: true, cacheDir, threads });
    const cases = engineSuite(`${name}, ${threads} threads`, load, { longest: 140, widths: [1, 2, 7, 64] });
    const bits = cases.filter(({ name }) => /wide tree|like one pass|nothing goes on|closed/.test(name));
    for (const { name: title, run } of bits) test(title, explained(summary, run));
  }
}

const LONG: readonly (readonly [WeightFormat, number, RandomModelOptions])[] = [
  ["float32", 2, { attention: { heads: 9, kvHeads: 3, headSize: 64 } }],
  ["float32", 9, { attention: { heads: 4, kvHeads: 2, headSize: 20, window: 1000, softcap: 20 } }],
  ["exact", 5, { type: "Q4_1" }],
  ["exact", 16, { type: "Q8_0" }],
  ["int8", 24, {
    type: "Q4_1",
    spec: { norm: { kind: "rms", epsilon: 1e-5 } },
    extras: { norms: "before", normBias: false },
  }],
];

for (const [format, seed, options] of part(LONG, 1)) {
  test(`${format}: a text of 4,100 tokens in two ways of cutting, and trees around its border, on random model ${seed}`, async () => {
    const { source } = randomModel(seed, { ...options, spec: { context: 4200, ...options.spec } });
    const engine = await onnxBackend.load(source, { format, strict: true, cacheDir, threads: 2 });
    const { vocab } = source.spec;
    const text = patternless(4104, vocab, seed);
    const [one, two] = [engine.open(), engine.open()];
    const run = async (sequence: typeof one, to: number, step: number) => {
      while (sequence.length < to) {
        const tokens = text.slice(sequence.length, Math.min(to, sequence.length + step));
        await sequence.forward({ tokens, score: "last", need: "argmax" });
        sequence.keep(Int32Array.from(tokens.keys()));
      }
    };
    await run(one, 4080, 4080);
    await run(two, 4080, 37);
    const draw = drawer(seed);
    for (let past = 4080; past < 4104; past++) {
      await run(one, past, 1);
      await run(two, past, 3);
      const rows = 2 + draw(63);
      const tokens = patternless(rows, vocab, past);
      const parents = Int32Array.from({ length: rows }, (_, row) => row === 0 ? -1 : Math.max(draw(row), draw(row)));
      const exact = one.exactRows!(parents);
      const scores = allLogits(await one.forward({ tokens, parents })).slice(0, exact);
      for (const row of new Set([0, draw(exact), exact - 1])) {
        const path = pathTo(parents, row);
        const chain = allLogits(await two.forward({ tokens: path.map((node) => tokens[node]) }));
        assert.deepEqual(scores[row], chain.at(-1), `row ${row} of [${parents}] after ${past}`);
      }
    }
    engine.close();
  });
}

test("rows stand in the block of their position, and those that find no room there are told", async () => {
  const { spec } = randomModel(1, { spec: { context: 300 } }).source;
  const cache = new BlockCache(await Runtime.load(await libraryPath(cacheDir)), spec, spec.context);
  const place = (past: number, parents: number[]) => {
    const depths = depthsOf(Int32Array.from(parents));
    return [[...cache.place(past, depths)], cache.inPlace(past, depths)];
  };
  const border = 2 * BLOCK;
  assert.deepEqual(place(3, [-1, 0, 0, 1]), [[3, 4, 5, 6], 4]);
  assert.deepEqual(place(border - 2, [-1, 0, 1, 2]), [[border - 2, border - 1, border, border + 1], 4]);
  assert.deepEqual(place(border - 1, [-1, 0, 0, 0]), [[border - 1, border, border + 1, border + 2], 4]);
  // Two children where one has room: the second one's bits are not those of a chain.
  assert.deepEqual(place(border - 2, [-1, 0, 1, 0]), [[border - 2, border - 1, border, border + 1], 3]);
  cache.close();
});
