// One pass: the feeds of the graph for some rows after some committed ones, the run, and where the results lie.
import { MOST_CANDIDATES, type Rows, type Skip, type Tap } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { Tensor } from "../../src/model/tensors/tensor.ts";
import { allFinite } from "../../src/math/finite.ts";
import { notFinite } from "../../src/model/not-finite.ts";
import type { RopeSpec } from "../../src/model/spec/spec.ts";
import type { AttentionFeeds, Cache, PlacedRows } from "./attention/attention.ts";
import { rotationsOf, writeRotation } from "../rope.ts";
import { tapped } from "../rows.ts";
import { cosName, FEEDS, runsName, sinName } from "./decoder.ts";
import { Feed } from "./feed.ts";
import type { ResultBuffers } from "./results.ts";
import { RULES } from "./rules/table.ts";
import type { Runtime, Session, Value } from "./runtime.ts";
import { RESULTS, SCORE_FEEDS } from "./scores.ts";
import { StateFeeds } from "./states.ts";

const BLOCKS = ["attention", "feedForward"] as const satisfies readonly (keyof Skip)[];

/** Fewest positions of the rotation tables; they double from there. */
const FIRST = 256;

export class Pass {
  readonly #run: (inputs: Value[], outputs: Value[]) => void;
  readonly #embed: Tensor;
  readonly #positions: Float32Array | undefined;
  readonly #ropes: readonly RopeSpec[];
  /** Rows of the rotation tables. */
  #rotated = 0;
  readonly #hidden: Feed<Float32Array>;
  readonly #scored: Feed<BigInt64Array>;
  readonly #want: Feed<Uint8Array>;
  readonly #temperature: Feed<Float32Array>;
  readonly #tables: Feed<Float32Array>[];
  readonly #logits: Feed<Float32Array>;
  readonly #tokens: Feed<BigInt64Array>;
  readonly #likelihoods: Feed<Float32Array>;
  readonly #probabilities: Feed<Float32Array>;
  readonly #sums: Feed<Float32Array>;
  /** What the graph can be asked for inside, where its blocks are branches. */
  readonly #states: StateFeeds | undefined;
  readonly #runs: Feed<Uint8Array>;
  readonly #leftOut: Feed<Uint8Array>;

  constructor(
    runtime: Runtime,
    session: Session,
    private readonly source: ModelSource,
    format: WeightFormat,
    private readonly attention: AttentionFeeds,
    inside: boolean,
  ) {
    this.#ropes = rotationsOf(source.spec).ropes;
    this.#embed = source.tensor("embed.weight");
    this.#positions = source.has("positions.weight") ? source.tensor("positions.weight").floats() : undefined;
    this.#hidden = Feed.floats(runtime);
    this.#scored = Feed.longs(runtime);
    this.#want = Feed.bools(runtime);
    this.#temperature = Feed.floats(runtime);
    this.#tables = this.#ropes.flatMap(() => [Feed.floats(runtime), Feed.floats(runtime)]);
    this.#logits = Feed.floats(runtime);
    this.#tokens = Feed.longs(runtime);
    this.#likelihoods = Feed.floats(runtime);
    this.#probabilities = Feed.floats(runtime);
    this.#sums = Feed.floats(runtime);
    this.#states = inside ? new StateFeeds(runtime, source, format) : undefined;
    this.#runs = Feed.bools(runtime);
    this.#runs.bind([1])[0] = 1;
    this.#leftOut = Feed.bools(runtime);
    this.#leftOut.bind([1])[0] = 0;
    this.#run = session.runner(
      [
        FEEDS.hidden,
        FEEDS.scored,
        SCORE_FEEDS.wantProbabilities,
        SCORE_FEEDS.temperature,
        ...this.#ropes.flatMap((_, table) => [cosName(table), sinName(table)]),
        ...inside ? BLOCKS.flatMap((block) => source.spec.layers.map((_, layer) => runsName(block, layer))) : [],
        ...this.#states?.inputs ?? [],
        ...attention.inputs,
      ],
      [
        RESULTS.logits,
        RESULTS.probabilities,
        RESULTS.tokens,
        RESULTS.likelihoods,
        RESULTS.sums,
        ...this.#states?.outputs ?? [],
        ...attention.outputs,
      ],
    );
  }

  /**
   * Computes `rows` and writes their keys and values to their columns. `pad`: a lone row is computed twice, and a lone
   * scored row, because single rows go through other kernels with other rounding.
   */
  run(cache: Cache, rows: Rows, placed: PlacedRows, pad: boolean): ResultBuffers {
    const { spec } = this.source;
    const { taps = [], skip } = rows;
    const real = rows.tokens.length;
    const count = pad && real === 1 ? 2 : real;
    this.#rotate(placed.past + real);
    this.#embedRows(rows, placed, count);
    const attended = this.attention.bind(cache, placed, count);
    const first = rows.score === "last" ? real - 1 : 0;
    const wanted = real - first;
    const scoredCount = pad && wanted === 1 ? 2 : wanted;
    const scored = this.#scored.bind([scoredCount]);
    for (let i = 0; i < scoredCount; i++) scored[i] = BigInt(Math.min(first + i, real - 1));
    const probabilities = wantsProbabilities(rows);
    this.#want.bind([1])[0] = Number(probabilities);
    this.#temperature.bind([1])[0] = rows.temperature ?? 1;
    const top = probabilities ? Math.min(MOST_CANDIDATES, spec.vocab) : 1;
    const states = this.#states?.bind(taps, real);
    const results = {
      logits: this.#logits.bind([scoredCount, spec.vocab]),
      tokens: this.#tokens.bind([scoredCount, top]),
      likelihoods: this.#likelihoods.bind([scoredCount, top]),
      probabilities: this.#probabilities.bind([scoredCount, probabilities ? spec.vocab : 1]),
      top,
      states: this.#states?.read(taps, real) ?? ((tap: Tap) => tapped<Float32Array>(new Map(), tap)),
    };
    const sums = this.#sums.bind([scoredCount]);
    this.#run(
      [
        this.#hidden.value,
        this.#scored.value,
        this.#want.value,
        this.#temperature.value,
        ...this.#tables.map((feed) => feed.value),
        ...states ? this.#blocks(skip) : [],
        ...states?.inputs ?? [],
        ...attended.inputs,
      ],
      [
        this.#logits.value,
        this.#probabilities.value,
        this.#tokens.value,
        this.#likelihoods.value,
        this.#sums.value,
        ...states?.outputs ?? [],
        ...attended.outputs,
      ],
    );
    if (!allFinite(sums.subarray(0, scoredCount))) throw notFinite(this.source);
    return results;
  }

  /** Which blocks run, in the order of the names. */
  #blocks(skip: Skip | undefined): Value[] {
    return BLOCKS.flatMap((block) =>
      this.source.spec.layers.map((_, layer) => (skip?.[block].includes(layer) ? this.#leftOut : this.#runs).value)
    );
  }

  /** Token embeddings, or what stands for them, with learned positions where the model has them. */
  #embedRows({ tokens, embeddings }: Rows, { past, depths }: PlacedRows, count: number): void {
    const { width, embeddingScale } = this.source.spec;
    const hidden = this.#hidden.bind([1, count, width]);
    for (let row = 0; row < count; row++) {
      const own = Math.min(row, tokens.length - 1);
      const start = row * width;
      hidden.set(
        embeddings?.subarray(own * width, (own + 1) * width) ?? this.#embed.floats(tokens[own], tokens[own] + 1),
        start,
      );
      if (embeddingScale !== 1) { for (let i = 0; i < width; i++) hidden[start + i] *= embeddingScale; }
      if (this.#positions) {
        const at = (past + depths[own]) * width;
        for (let i = 0; i < width; i++) hidden[start + i] += this.#positions[at + i];
      }
    }
    if (!allFinite(hidden.subarray(0, count * width))) throw notFinite(this.source);
  }

  /** Cosines and sines for positions 0 to `needed` − 1 at least. */
  #rotate(needed: number): void {
    if (needed <= this.#rotated) return;
    const rows = Math.max(FIRST, needed, 2 * this.#rotated);
    this.#ropes.forEach((rope, table) => {
      const half = rope.frequencies.length;
      const [cos, sin] = [this.#tables[2 * table], this.#tables[2 * table + 1]].map((feed) => feed.bind([rows, half]));
      for (let position = 0; position < rows; position++) {
        writeRotation(rope, position, cos, position * half, sin, position * half);
      }
    });
    this.#rotated = rows;
  }

  close(): void {
    for (
      const feed of [
        this.#hidden,
        this.#scored,
        this.#want,
        this.#temperature,
        ...this.#tables,
        this.#logits,
        this.#tokens,
        this.#likelihoods,
        this.#probabilities,
        this.#sums,
        this.#runs,
        this.#leftOut,
      ]
    ) feed.close();
    this.#states?.close();
  }
}

/** Whether the soft-max and its likeliest tokens are made in the graph; where nothing is said, whoever asks makes them. */
function wantsProbabilities({ need = "argmax", verify }: Rows): boolean {
  return need !== "argmax" || (verify !== undefined && !RULES.get(verify.rule.name)?.argmaxOnly);
}
