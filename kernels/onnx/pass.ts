// One pass: the feeds of the graph for some rows after some committed ones, the run, and where the results lie.
import type { Rows, WeightFormat } from "../../src/backend.ts";
import type { ModelSource, Tensor } from "../../src/model/source.ts";
import { notFinite } from "../../src/not-finite.ts";
import type { ModelSpec, RopeSpec } from "../../src/model/spec.ts";
import { type KeyValueCache, RESERVED } from "./cache.ts";
import { cacheName, cosName, FEEDS, paddedHead, rotationTables, sinName, windowBias } from "./decoder.ts";
import { Feed } from "./feed.ts";
import { ROW_ZEROS, SCORED_ZEROS, ZERO_POINT } from "./int8.ts";
import { type TreeRows, writeMask } from "./mask.ts";
import type { ResultBuffers } from "./results.ts";
import type { Runtime, Session, Value } from "./runtime.ts";
import { RESULTS, SCORE_FEEDS, TOP } from "./scores.ts";

/**
 * Lengths of query blocks: a head's query and value together, or where the processor's cache holds less, a power of two
 * that is at least 64.
 */
function queryBlocks(spec: ModelSpec): number[] {
  return [...new Set([64, ...spec.layers.map(({ attention }) => 2 * paddedHead(attention.headSize))])];
}

export class Pass {
  readonly #run: (inputs: Value[], outputs: Value[]) => void;
  readonly #embed: Tensor;
  readonly #positions: Float32Array | undefined;
  readonly #windows: readonly number[];
  readonly #ropes: readonly RopeSpec[];
  /** ONNX Runtime's attention takes queries in blocks; a last block of one row would be computed otherwise. */
  readonly #blocks: readonly number[];
  /** Rows of the rotation tables. */
  #rotated = 0;
  readonly #hidden: Feed<Float32Array>;
  readonly #position: Feed<BigInt64Array>;
  readonly #bias: Feed<Float32Array>;
  readonly #windowBias: Feed<Float32Array>[];
  readonly #lastKey: Feed<Int32Array>;
  readonly #total: Feed<Int32Array>;
  readonly #scored: Feed<BigInt64Array>;
  readonly #want: Feed<Uint8Array>;
  readonly #temperature: Feed<Float32Array>;
  readonly #tables: Feed<Float32Array>[];
  readonly #logits: Feed<Float32Array>;
  readonly #tokens: Feed<BigInt64Array>;
  readonly #likelihoods: Feed<Float32Array>;
  readonly #probabilities: Feed<Float32Array>;
  readonly #sums: Feed<Float32Array>;
  /** Zero points of rows and of scored rows, where the format rounds activations in the graph. */
  readonly #zeros: Feed<Uint8Array>[];

  constructor(runtime: Runtime, session: Session, private readonly source: ModelSource, format: WeightFormat) {
    const { spec } = source;
    const { tables } = rotationTables(source);
    this.#ropes = tables.map((rope) => rope!);
    this.#embed = source.tensor("embed.weight");
    this.#positions = source.has("positions.weight") ? source.tensor("positions.weight").floats() : undefined;
    this.#windows = [...new Set(spec.layers.map(({ attention }) => attention.window))].filter((w) => w !== undefined);
    this.#blocks = queryBlocks(spec);
    this.#hidden = Feed.floats(runtime);
    this.#position = Feed.longs(runtime);
    this.#bias = Feed.floats(runtime);
    this.#windowBias = this.#windows.map(() => Feed.floats(runtime));
    this.#lastKey = Feed.ints(runtime);
    this.#total = Feed.ints(runtime);
    this.#scored = Feed.longs(runtime);
    this.#want = Feed.bytes(runtime, "bool");
    this.#zeros = format === "int8" ? [Feed.bytes(runtime, "uint8"), Feed.bytes(runtime, "uint8")] : [];
    this.#temperature = Feed.floats(runtime);
    this.#tables = this.#ropes.flatMap(() => [Feed.floats(runtime), Feed.floats(runtime)]);
    this.#logits = Feed.floats(runtime);
    this.#tokens = Feed.longs(runtime);
    this.#likelihoods = Feed.floats(runtime);
    this.#probabilities = Feed.floats(runtime);
    this.#sums = Feed.floats(runtime);
    const caches = (kind: "past" | "present") =>
      spec.layers.flatMap((_, layer) => [cacheName(kind, layer, "key"), cacheName(kind, layer, "value")]);
    this.#run = session.runner(
      [
        FEEDS.hidden,
        FEEDS.positions,
        FEEDS.bias,
        ...this.#windows.map(windowBias),
        FEEDS.lastKey,
        FEEDS.total,
        FEEDS.scored,
        SCORE_FEEDS.wantProbabilities,
        SCORE_FEEDS.temperature,
        ...this.#ropes.flatMap((_, table) => [cosName(table), sinName(table)]),
        ...(format === "int8" ? [ROW_ZEROS, SCORED_ZEROS] : []),
        ...caches("past"),
      ],
      [
        RESULTS.logits,
        RESULTS.probabilities,
        RESULTS.tokens,
        RESULTS.likelihoods,
        RESULTS.sums,
        ...caches("present"),
      ],
    );
  }

  /**
   * Computes `rows` after the first `past` rows of the cache and writes their keys and values behind those. `pad`: a
   * row that ONNX Runtime would compute on its own, and a lone scored row, is doubled, because single rows go through
   * other kernels with other rounding.
   */
  run(cache: KeyValueCache, past: number, rows: Rows, tree: TreeRows | undefined, pad: boolean): ResultBuffers {
    const { spec } = this.source;
    const real = rows.tokens.length;
    const count = pad && this.#blocks.some((block) => real % block === 1) ? real + 1 : real;
    const before = RESERVED + past;
    const total = before + count;
    cache.reserve(total, before);
    this.#rotate(cache.capacity);
    this.#embedRows(rows.tokens, count, past, tree);
    this.#bias.bind([1, 1, count, total]);
    writeMask(this.#bias.data, count, total, past, Infinity, tree);
    this.#windows.forEach((window, i) => {
      writeMask(this.#windowBias[i].bind([1, 1, count, total]), count, total, past, window, tree);
    });
    this.#lastKey.bind([1])[0] = total - 1;
    this.#total.bind([1])[0] = total;
    const first = rows.score === "last" ? real - 1 : 0;
    const wanted = real - first;
    const scoredCount = pad && wanted === 1 ? 2 : wanted;
    const scored = this.#scored.bind([scoredCount]);
    for (let i = 0; i < scoredCount; i++) scored[i] = BigInt(Math.min(first + i, real - 1));
    this.#zeros.forEach((feed, i) => feed.bind([i === 0 ? count : scoredCount]).fill(ZERO_POINT));
    const probabilities = wantsProbabilities(rows);
    this.#want.bind([1])[0] = Number(probabilities);
    this.#temperature.bind([1])[0] = rows.temperature ?? 1;
    const top = probabilities ? Math.min(TOP, spec.vocab) : 1;
    const results = {
      logits: this.#logits.bind([scoredCount, spec.vocab]),
      tokens: this.#tokens.bind([scoredCount, top]),
      likelihoods: this.#likelihoods.bind([scoredCount, top]),
      probabilities: this.#probabilities.bind([scoredCount, probabilities ? spec.vocab : 1]),
      top,
    };
    const sums = this.#sums.bind([scoredCount]);
    const caches = cache.values;
    this.#run(
      [
        this.#hidden.value,
        this.#position.value,
        this.#bias.value,
        ...this.#windowBias.map((feed) => feed.value),
        this.#lastKey.value,
        this.#total.value,
        this.#scored.value,
        this.#want.value,
        this.#temperature.value,
        ...this.#tables.map((feed) => feed.value),
        ...this.#zeros.map((feed) => feed.value),
        ...caches,
      ],
      [
        this.#logits.value,
        this.#probabilities.value,
        this.#tokens.value,
        this.#likelihoods.value,
        this.#sums.value,
        ...caches,
      ],
    );
    if (!sums.every(Number.isFinite)) throw notFinite(this.source);
    return results;
  }

  /** Token embeddings, with learned positions where the model has them. A padding row repeats the last token. */
  #embedRows(tokens: Int32Array, count: number, past: number, tree: TreeRows | undefined): void {
    const { spec } = this.source;
    const { width } = spec;
    const hidden = this.#hidden.bind([1, count, width]);
    const positions = this.#position.bind([1, count]);
    for (let row = 0; row < count; row++) {
      const token = tokens[Math.min(row, tokens.length - 1)];
      const position = past + (tree && row < tokens.length ? tree.depths[row] : row);
      positions[row] = BigInt(position);
      const embedding = this.#embed.floats(token, token + 1);
      hidden.set(embedding, row * width);
      const start = row * width;
      if (spec.embeddingScale !== 1) { for (let i = 0; i < width; i++) hidden[start + i] *= spec.embeddingScale; }
      if (this.#positions) {
        // A padding row may stand one position past the table; nobody reads what it computes.
        const at = Math.min(position, spec.context - 1) * width;
        for (let i = 0; i < width; i++) hidden[start + i] += this.#positions[at + i];
      }
    }
    if (!hidden.every(Number.isFinite)) throw notFinite(this.source);
  }

  /** Cosines and sines for positions 0 to `rows` − 1. */
  #rotate(rows: number): void {
    if (rows <= this.#rotated) return;
    this.#ropes.forEach(({ frequencies, magnitude }, table) => {
      const half = frequencies.length;
      const [cos, sin] = [this.#tables[2 * table], this.#tables[2 * table + 1]].map((feed) => feed.bind([rows, half]));
      for (let position = 0; position < rows; position++) {
        for (let i = 0; i < half; i++) {
          const angle = position * frequencies[i];
          cos[position * half + i] = magnitude * Math.cos(angle);
          sin[position * half + i] = magnitude * Math.sin(angle);
        }
      }
    });
    this.#rotated = rows;
  }

  close(): void {
    for (
      const feed of [
        this.#hidden,
        this.#position,
        this.#bias,
        ...this.#windowBias,
        this.#lastKey,
        this.#total,
        this.#scored,
        this.#want,
        this.#temperature,
        ...this.#tables,
        ...this.#zeros,
        this.#logits,
        this.#tokens,
        this.#likelihoods,
        this.#probabilities,
        this.#sums,
      ]
    ) feed.close();
  }
}

/** Whether the soft-max and its likeliest tokens are made in the graph; where nothing is said, whoever asks makes them. */
function wantsProbabilities({ need = "argmax", judge }: Rows): boolean {
  return need !== "argmax" || (judge !== undefined && judge.rule.name !== "greedy");
}
