// ONNX Runtime's own WebGPU provider behind the line protocol of bench/worker.ts: the graph that hunch makes of a model,
// run by onnxruntime-node with keys and values that stay on the device from pass to pass. `--backend onnx:webgpu` reaches
// the same provider through the C interface, with keys and values that cross to the processor and back in every pass.
import { mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Ort from "onnxruntime-common";
import { cacheName } from "../../kernels/onnx/attention/attention.ts";
import { RESERVED } from "../../kernels/onnx/attention/grouped-cache.ts";
import { writeMask } from "../../kernels/onnx/attention/grouped-mask.ts";
import { GROUPED_FEEDS, groupedAttention, paddedHead, windowBias } from "../../kernels/onnx/attention/grouped.ts";
import { writeContainer } from "../../kernels/onnx/container.ts";
import { decoderOf } from "../../kernels/onnx/conversion.ts";
import { cosName, FEEDS, sinName } from "../../kernels/onnx/decoder.ts";
import { rotationsOf } from "../../kernels/rope.ts";
import { RESULTS, SCORE_FEEDS } from "../../kernels/onnx/scores.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { serve } from "../serve.ts";

const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof Ort;

/** int64 [S], the likeliest token after each row. */
const LIKELIEST = "likeliest";
/** Rows of one pass of the prompt. */
const CHUNK = 64;

interface Load {
  readonly path: string;
  readonly context: number;
  /** What products multiply with; `int8` is what exported models usually ask for. */
  readonly activations: "int8" | "float32";
  /** Tell on stderr who computes each node, and each program as it starts: slow. */
  readonly verbose?: boolean;
}

let source: ModelSource, session: Ort.InferenceSession, capacity = 0, filled = 0;
let caches: Record<string, Ort.Tensor> = {};
let tables: Record<string, Ort.Tensor> = {};

serve({
  async load({ path, context, activations, verbose }: Load) {
    const started = performance.now();
    source = await openModel(path, { context });
    capacity = context + RESERVED;
    const folder = join(tmpdir(), `hunch-bench-${process.pid}`);
    mkdirSync(folder);
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    const graph = decoderOf(source, "exact", { attention: groupedAttention(false), activations });
    graph.op("ArgMax", [RESULTS.logits], { axis: { int: -1 }, keepdims: { int: 0 } }, LIKELIEST);
    graph.output(LIKELIEST, "int64", ["S"]);
    const container = writeContainer(join(folder, "weights"), graph);
    const names = source.spec.layers.flatMap((_, layer) =>
      (["key", "value"] as const).map((part) => cacheName("present", layer, part))
    );
    session = await ort.InferenceSession.create(container.graph, {
      executionProviders: ["webgpu"],
      graphOptimizationLevel: "all",
      logSeverityLevel: verbose ? 0 : 3,
      preferredOutputLocation: Object.fromEntries(names.map((name) => [name, "gpu-buffer"])),
      extra: { session: { model_external_initializers_file_folder_path: folder } },
    });
    reset();
    return { ms: performance.now() - started };
  },

  /** Milliseconds of `repeat` passes over `rows` rows, the likeliest token of every row, after `past` tokens. */
  async pass({ rows, past, repeat, tokens }: { rows: number; past: number; repeat: number; tokens: number[] }) {
    await fill(past, tokens);
    const ms = [];
    for (let i = 0; i < repeat; i++) {
      const started = performance.now();
      await forward(tokens.slice(past + i, past + i + rows), past);
      ms.push(performance.now() - started);
    }
    return { ms };
  },

  /** Milliseconds of each of `count` greedy steps, choosing the token included, after `past` tokens. */
  async plain({ past, count, tokens }: { past: number; count: number; tokens: number[] }) {
    await fill(past, tokens);
    const ms = [], text = [];
    let token = tokens[past];
    for (let i = 0; i < count; i++) {
      const started = performance.now();
      [token] = await forward([token], past + i);
      text.push(token);
      ms.push(performance.now() - started);
    }
    filled = past;
    return { ms, text };
  },
});

function reset(): void {
  const { spec } = source;
  caches = {};
  spec.layers.forEach(({ attention: { kvHeads, headSize } }, layer) => {
    const shape = [1, kvHeads, capacity, paddedHead(headSize)];
    for (const part of ["key", "value"] as const) {
      caches[`${layer} ${part}`] = new ort.Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b)), shape);
    }
  });
  filled = 0;
  tables = {};
  rotationsOf(source.spec).ropes.forEach((rope, table) => {
    const { frequencies, magnitude } = rope;
    const half = frequencies.length;
    const angles = Float32Array.from(
      { length: capacity * half },
      (_, i) => Math.floor(i / half) * frequencies[i % half],
    );
    tables[cosName(table)] = new ort.Tensor("float32", angles.map((angle) => magnitude * Math.cos(angle)), [
      capacity,
      half,
    ]);
    tables[sinName(table)] = new ort.Tensor("float32", angles.map((angle) => magnitude * Math.sin(angle)), [
      capacity,
      half,
    ]);
  });
}

/** Puts `past` tokens into the cache, unless they are there. */
async function fill(past: number, tokens: number[]): Promise<void> {
  if (filled === past) return;
  for (let at = 0; at < past; at += CHUNK) await forward(tokens.slice(at, Math.min(past, at + CHUNK)), at);
  filled = past;
}

/** The likeliest token after each row. */
async function forward(tokens: readonly number[], past: number): Promise<number[]> {
  const { spec } = source;
  const count = tokens.length, total = RESERVED + past + count;
  const hidden = new Float32Array(count * spec.width);
  const embed = source.tensor("embed.weight");
  const positions = source.has("positions.weight")
    ? source.tensor("positions.weight").floats(past, past + count)
    : undefined;
  tokens.forEach((token, row) => hidden.set(embed.floats(token, token + 1), row * spec.width));
  for (let i = 0; i < hidden.length; i++) hidden[i] = hidden[i] * spec.embeddingScale + (positions?.[i] ?? 0);
  const mask = (window: number) => {
    const bias = new Float32Array(count * total);
    writeMask(bias, count, total, past, window, undefined);
    return new ort.Tensor("float32", bias, [1, 1, count, total]);
  };
  const longs = (length: number, first: number) => BigInt64Array.from({ length }, (_, i) => BigInt(first + i));
  const feeds: Record<string, Ort.Tensor> = {
    [FEEDS.hidden]: new ort.Tensor("float32", hidden, [1, count, spec.width]),
    [GROUPED_FEEDS.positions]: new ort.Tensor("int64", longs(count, past), [1, count]),
    [GROUPED_FEEDS.bias]: mask(Infinity),
    [GROUPED_FEEDS.lastKey]: new ort.Tensor("int32", Int32Array.of(total - 1), [1]),
    [GROUPED_FEEDS.total]: new ort.Tensor("int32", Int32Array.of(total), [1]),
    [FEEDS.scored]: new ort.Tensor("int64", longs(count, 0), [count]),
    [SCORE_FEEDS.wantProbabilities]: new ort.Tensor("bool", Uint8Array.of(0), [1]),
    [SCORE_FEEDS.temperature]: new ort.Tensor("float32", Float32Array.of(1), [1]),
    ...tables,
  };
  for (const { attention: { window } } of spec.layers) {
    if (window !== undefined) feeds[windowBias(window)] ??= mask(window);
  }
  const fetches: Record<string, Ort.Tensor | null> = { [LIKELIEST]: null };
  spec.layers.forEach((_, layer) => {
    for (const part of ["key", "value"] as const) {
      const cache = caches[`${layer} ${part}`];
      feeds[cacheName("past", layer, part)] = cache;
      fetches[cacheName("present", layer, part)] = cache.location === "gpu-buffer" ? cache : null;
    }
  });
  const wanted = new Set(session.inputNames);
  for (const name of Object.keys(feeds)) if (!wanted.has(name)) delete feeds[name];
  const results = await session.run(feeds, fetches);
  spec.layers.forEach((_, layer) => {
    for (const part of ["key", "value"] as const) {
      caches[`${layer} ${part}`] = results[cacheName("present", layer, part)];
    }
  });
  return [...results[LIKELIEST].data as BigInt64Array].map(Number);
}
