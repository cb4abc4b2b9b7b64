// Mixtures of experts on ONNX Runtime: as many as models have, and what nobody chose is not computed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { route } from "../../kernels/reference/feed-forward.ts";
import type { Backend } from "../../src/backend.ts";
import { allLogits, drawer, patternless, runChain } from "../../src/check/conformance/engine-bench.ts";
import { pathTo } from "../../src/check/conformance/engine-bits.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { temporaryFolder } from "../support/folder.ts";
import { memorySource } from "./support/memory-source.ts";
import { randomModel } from "./support/random-model.ts";

const cacheDir = temporaryFolder();
const TOKENS = Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6);

async function rowsOf(backend: Backend, source: ModelSource) {
  const engine = await backend.load(source, { format: "float32", strict: true, threads: 1, cacheDir });
  const sequence = engine.open();
  const rows = await runChain(sequence, TOKENS, TOKENS.length);
  sequence.close();
  engine.close();
  return rows;
}

test("weights are shares of a soft-max over all scores, or over the chosen", () => {
  const scores = Float64Array.of(1, 3, 2, 3);
  const [a, b] = [Math.exp(3), Math.exp(1) + 2 * Math.exp(3) + Math.exp(2)];
  assert.deepEqual(
    route(scores, { count: 4, used: 2, share: "chosen" }),
    [1, 3].map((expert) => ({ expert, weight: 0.5 })),
  );
  for (const { expert, weight } of route(scores, { count: 4, used: 2, share: "all" })) {
    assert.ok([1, 3].includes(expert) && Math.abs(weight - a / b) < 1e-15);
  }
});

test("more experts than a graph has room for small constants agree with the reference", async () => {
  const experts = { count: 130, used: 8, share: "chosen" } as const;
  const { source } = randomModel(8, { feedForward: { experts, hidden: 8 } });
  const [oracle, rows] = [await rowsOf(referenceBackend, source), await rowsOf(onnxBackend, source)];
  const largest = Math.max(...oracle.flatMap((row) => [...row].map(Math.abs)));
  rows.forEach((row, at) =>
    row.forEach((value: number, token: number) => assert.ok(Math.abs(value - oracle[at][token]) < 1e-4 * largest))
  );
});

test("what an expert that nobody chose would compute does not matter, not even when it overflows", async () => {
  const experts = { count: 5, used: 2, share: "all" } as const;
  const { source } = randomModel(8, { feedForward: { experts, gated: true }, extras: { feedForwardBias: true } });
  const changed = (lonely: (values: Float32Array) => Float32Array) =>
    memorySource(
      source.spec,
      new Map(source.names.map((name) => {
        const { shape, floats } = source.tensor(name);
        const values = Float32Array.from(floats());
        if (name.endsWith(".router.bias")) values[3] = -1e9;
        return [name, { shape, values: name.includes(".experts.3.") ? lonely(values) : values }];
      })),
    );
  for (const backend of [referenceBackend, onnxBackend]) {
    const plain = await rowsOf(backend, changed((values) => values));
    assert.deepEqual(await rowsOf(backend, changed((values) => values.fill(3e38))), plain);
  }
});

/** Rows a pass: one, few, many. */
const WIDTHS = [1, 2, 3, 5, 17];

for (const [format, options] of [["float32", {}], ["exact", { type: "Q8_0" }]] as const) {
  test(`${format} ${JSON.stringify(options)}: a row has the same bits whatever experts its neighbours choose`, async () => {
    const experts = { count: 8, used: 2, share: "chosen" } as const;
    const { source } = randomModel(8, {
      ...options,
      spec: { width: 128, context: 96 },
      feedForward: { experts, hidden: 320, gated: true },
      extras: { feedForwardBias: true },
    });
    const engine = await onnxBackend.load(source, { format, strict: true, threads: 2, cacheDir });
    const { vocab } = source.spec;
    const text = patternless(40, vocab, 3);
    const run = async (tokens: Int32Array, width: number) => {
      const sequence = engine.open();
      const rows = await runChain(sequence, tokens, width);
      sequence.close();
      return rows;
    };
    const whole = await run(text, text.length);
    for (const width of WIDTHS) assert.deepEqual(await run(text, width), whole, `width ${width}`);

    const past = 5, tokens = patternless(24, vocab, 4), draw = drawer(5);
    const parents = Int32Array.from(tokens, (_, row) => row === 0 ? -1 : draw(row));
    const sequence = engine.open();
    await runChain(sequence, text.slice(0, past), past);
    const exact = sequence.exactRows!(parents);
    assert.ok(exact > 12, `${exact} rows of the tree`);
    const scores = allLogits(await sequence.forward({ tokens, parents })).slice(0, exact);
    for (const [row, logits] of scores.entries()) {
      const path = Int32Array.from(pathTo(parents, row), (node) => tokens[node]);
      const alone = await run(Int32Array.of(...text.slice(0, past), ...path), 1);
      assert.deepEqual(logits, alone.at(-1), `row ${row} of [${parents}]`);
    }
    engine.close();
  });
}
