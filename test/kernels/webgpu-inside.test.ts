// What passes that look into a model cost, and that they go together with verdicts, forks, moves of tree rows and traces.
// That their numbers are right is the engine suite's affair. Skipped where no adapter works.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import type { WebGpuEngine } from "../../kernels/webgpu/engine.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import type { Rows, Sequence, Skip, Tap } from "../../src/backend.ts";
import { allLogits, runChain } from "../../src/check/conformance/engine-bench.ts";
import { mostUniforms } from "../../src/device-rule.ts";
import { HunchError } from "../../src/errors.ts";
import { traceTo } from "../../src/trace.ts";
import { EMPTY_TREE } from "../../src/tree.ts";
import { holdGpu } from "./support/gpu.ts";
import { randomModel } from "./support/random-model.ts";

const skip = await holdGpu(after);
const WIDTH = 36; // no multiple of eight: rows of the stream are filled up
const LAYERS = 3;
const TREE = Int32Array.of(-1, 0, 0, 1, 2);
const TOKENS = Int32Array.of(3, 1, 4, 1, 5);
const OUT: Skip = { attention: [1], feedForward: [1, 2] };

/** Runs `use` on a model of three layers, whose table of embeddings is the matrix of logits where it is `tied`. */
async function opened(use: (engine: WebGpuEngine, sequence: Sequence) => Promise<void>, tied = true): Promise<void> {
  const { source } = randomModel(2, {
    spec: { context: 32, width: WIDTH, embeddingScale: 3 },
    layer: { parallel: false },
    extras: { tied, positions: false, norms: "before" },
  });
  assert.equal(source.spec.layers.length, LAYERS);
  const engine = await webgpuBackend.load(source, { format: "auto", strict: true, cacheDir: "" });
  await use(engine as WebGpuEngine, engine.open());
  engine.close();
}

/** What a pass makes the device do. */
async function doing(engine: WebGpuEngine, sequence: Sequence, rows: Rows) {
  await sequence.forward(rows);
  const before = { ...engine.counts };
  await sequence.forward(rows);
  const { dispatches, submits, readBytes, writtenBytes, buffersCreated, pipelines } = engine.counts;
  return {
    dispatches: dispatches - before.dispatches,
    submits: submits - before.submits,
    readBytes: readBytes - before.readBytes,
    writtenBytes: writtenBytes - before.writtenBytes,
    made: buffersCreated + pipelines - before.buffersCreated - before.pipelines,
  };
}

test("a tap takes a dispatch and its own bytes, a block that is left out takes nothing", { skip }, async () => {
  await opened(async (engine, sequence) => {
    const rows: Rows = { tokens: TOKENS, parents: TREE, need: "argmax" };
    const plain = await doing(engine, sequence, rows);
    assert.equal(plain.submits, 1);
    assert.equal(plain.made, 0);
    const taps: Tap[] = [0, 2, LAYERS, "head"];
    assert.deepEqual(await doing(engine, sequence, { ...rows, taps }), {
      ...plain,
      dispatches: plain.dispatches + taps.length,
      readBytes: plain.readBytes + taps.length * TOKENS.length * WIDTH * 4,
    });
    // Where only the last row gets scores, the others pass the last norm as well: one dispatch more.
    const last = await doing(engine, sequence, { ...rows, parents: undefined, score: "last" });
    const headed = await doing(engine, sequence, { ...rows, parents: undefined, score: "last", taps: ["head"] });
    assert.equal(headed.dispatches, last.dispatches + 2);
    // All blocks, and the norms before them: rows are embedded, and the last norm, the head and the best token remain.
    const all = [0, 1, 2];
    const none = await doing(engine, sequence, { ...rows, skip: { attention: all, feedForward: all } });
    assert.equal(none.dispatches, 5);
    const some = await doing(engine, sequence, { ...rows, skip: { attention: [1], feedForward: [] } });
    assert.ok(some.dispatches <= plain.dispatches - 4, `${some.dispatches} of ${plain.dispatches} dispatches`);
  });
});

test("embeddings of the table are like its tokens to the bit, and go up instead of them", { skip }, async () => {
  for (const tied of [true, false]) {
    await opened(async (engine, sequence) => {
      const table = engine.source.tensor("embed.weight");
      const embeddings = Float32Array.from([...TOKENS].flatMap((token) => [...table.floats(token, token + 1)]));
      const rows: Rows = { tokens: TOKENS, parents: TREE };
      const plain = allLogits(await sequence.forward(rows));
      assert.deepEqual(allLogits(await sequence.forward({ ...rows, tokens: TOKENS.map(() => 0), embeddings })), plain);
      assert.deepEqual(allLogits(await sequence.forward(rows)), plain, "tokens after embeddings");
      const [given, told] = [
        await doing(engine, sequence, { ...rows, embeddings }),
        await doing(engine, sequence, rows),
      ];
      assert.equal(given.writtenBytes - told.writtenBytes, tied ? TOKENS.length * (40 - 1) * 4 : 0);
    }, tied);
  }
});

test("hidden states come with a verdict, and outlive the loading of everything else", { skip }, async () => {
  await opened(async (_, sequence) => {
    const rows: Rows = { tokens: Int32Array.of(3), taps: [1, "head"] };
    const plain = await sequence.forward(rows);
    const wanted = rows.taps!.map((tap) => [...plain.states!(tap)]);
    const uniforms = new Float64Array(mostUniforms(EMPTY_TREE)).fill(0.5);
    const scores = await sequence.forward({ ...rows, verify: { rule: greedy.device!, tree: EMPTY_TREE, uniforms } });
    assert.ok(scores.verified, "no verdict");
    const states = () => rows.taps!.map((tap) => [...scores.states!(tap)]);
    assert.deepEqual(states(), wanted);
    await scores.load!();
    assert.deepEqual(states(), wanted);
    await sequence.forward({ tokens: Int32Array.of(3) });
    assert.throws(states, /no longer valid/);
  });
});

test("drafts without blocks, kept from trees, forked and taken back, leave no trace", { skip }, async () => {
  await opened(async (engine, sequence) => {
    const start = TOKENS.slice(0, 3);
    await runChain(sequence, start, 1);
    const rows: Rows = { tokens: TOKENS, parents: TREE, taps: [LAYERS] };
    const plain = await sequence.forward(rows);
    const wanted = { logits: allLogits(plain), states: [...plain.states!(LAYERS)] };
    const bits = async (of: Sequence, what: string) => {
      const scores = await of.forward(rows);
      assert.deepEqual(allLogits(scores), wanted.logits, what);
      assert.deepEqual([...scores.states!(LAYERS)], wanted.states, what);
    };
    // The last kept path is still to be moved when the draft is taken back, and when it is forked.
    for (const turns of [1, 2]) {
      for (let turn = 0; turn < turns; turn++) {
        await sequence.forward({ ...rows, skip: OUT });
        sequence.keep(Int32Array.of(0, 2, 4));
      }
      const fork = sequence.fork();
      const ahead = { tokens: Int32Array.of(9), skip: OUT };
      const next = allLogits(await sequence.forward(ahead));
      assert.deepEqual(allLogits(await fork.forward(ahead)), next, "a fork goes on with the draft");
      sequence.rewind(start.length);
      await bits(sequence, "taken back");
      fork.rewind(start.length);
      await bits(fork, "taken back in a fork");
      fork.close();
    }
    // A chain that was drafted without blocks is the tree's path.
    const path = [0, 2, 4];
    for (const row of path) {
      await sequence.forward({ tokens: TOKENS.slice(row, row + 1), skip: OUT });
      sequence.keep(Int32Array.of(0));
    }
    const drafted = allLogits(await sequence.forward({ tokens: Int32Array.of(9), skip: OUT }));
    sequence.rewind(start.length);
    await sequence.forward({ ...rows, skip: OUT });
    sequence.keep(Int32Array.from(path));
    assert.deepEqual(allLogits(await sequence.forward({ tokens: Int32Array.of(9), skip: OUT })), drafted);
    assert.equal(engine.can.exact, "trees");
  });
});

test("a pass that is refused for its numbers has moved the rows kept before it, once", { skip }, async () => {
  await opened(async (_, sequence) => {
    const next: Rows = { tokens: Int32Array.of(9) };
    await sequence.forward({ tokens: TOKENS, parents: TREE });
    sequence.keep(Int32Array.of(0, 2, 4));
    const fork = sequence.fork();
    const wanted = allLogits(await fork.forward(next));
    const embeddings = new Float32Array(WIDTH).fill(NaN);
    await assert.rejects(sequence.forward({ ...next, embeddings }), HunchError);
    assert.deepEqual(allLogits(await sequence.forward(next)), wanted);
  });
});

test("a traced pass, whose rows were uploaded, leaves the bits of the next alone", { skip }, async () => {
  await opened(async (_, sequence) => {
    const plain = await runChain(sequence, TOKENS, 1);
    sequence.rewind(0);
    const lines: string[] = [];
    traceTo((line) => lines.push(line));
    try {
      assert.deepEqual(await runChain(sequence, TOKENS, 1), plain);
    } finally {
      traceTo(undefined);
    }
    assert.ok(lines.length > TOKENS.length, "nothing was traced");
  }, false);
});
