// A model on a GPU: one device, one list of steps, any number of sequences.
import { tracing } from "../../src/trace.ts";
import { passLine } from "../trace.ts";
import type { Capabilities, Engine, Rows, Scores, Sequence } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { Lease } from "../lease.ts";
import { type Calibration, MeasuredCosts } from "../measured-costs.ts";
import { chainParents, depthsOf } from "../rows.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import type { Decoder } from "./decoder.ts";
import type { Counts, Device } from "./device.ts";
import { MOST_ROWS } from "./kernels.ts";
import { type Move, Pass } from "./pass.ts";
import { RULES } from "./rules/table.ts";
import { WebGpuScores } from "./scores.ts";
import { WebGpuSequence } from "./sequence.ts";

export interface Loaded extends Calibration {
  readonly source: ModelSource;
  readonly format: WeightFormat;
  readonly context: number;
  readonly device: Device;
  readonly decoder: Decoder;
  /** Rows of one pass do not change each other's bits: found out on this device. */
  readonly exact: boolean;
}

export class WebGpuEngine implements Engine {
  readonly name: string;
  readonly source: ModelSource;
  readonly format: WeightFormat;
  readonly context: number;
  readonly maxRows: number;
  readonly can: Capabilities;
  readonly #device: Device;
  readonly #pass: Pass;
  readonly #costs: MeasuredCosts;
  readonly #lease = new Lease();
  /** Passes share their buffers, so they go one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(loaded: Loaded) {
    const { source, format, context, device, decoder, exact } = loaded;
    this.name = `webgpu:${device.provider}`;
    this.source = source;
    this.format = format;
    this.context = context;
    this.#costs = new MeasuredCosts(loaded);
    this.#device = device;
    this.#pass = new Pass(device, source, decoder);
    // All rows of the widest pass may want scores, in one binding.
    this.maxRows = Math.max(1, Math.min(MOST_ROWS, Math.floor(device.largestBinding / (4 * source.spec.vocab))));
    this.can = {
      tree: true,
      exact: exact ? "trees" : "none",
      deviceRules: [...RULES.keys()],
      concurrent: true,
      taps: true,
      skip: true,
      embeddings: true,
      rewind: "truncate",
    };
  }

  /** What was done on the device so far. */
  get counts(): Readonly<Counts> {
    return this.#device.counts;
  }

  /** For people: the adapter's own words. */
  get adapterName(): string {
    return this.#device.adapterName;
  }

  open(): Sequence {
    this.begin();
    return new WebGpuSequence(this);
  }

  cost(width: number): number {
    return this.#costs.of(width);
  }

  plainCost(format: WeightFormat): number {
    return this.#costs.plain(format);
  }

  calibrate(): Promise<void> {
    return this.#costs.calibrate(this);
  }

  close(): void {
    if (!this.#lease.close()) return;
    this.#pass.release();
    this.#device.close();
  }

  newCache(): KeyValueCache {
    // Rows of a tree may stand in the cache past the context that their positions stay within.
    return new KeyValueCache(this.#device, this.source.spec, this.context + this.maxRows);
  }

  dropCache(cache: KeyValueCache): void {
    if (!this.#lease.closed) cache.close();
  }

  copyCache(from: KeyValueCache, to: KeyValueCache, columns: number): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    to.copyFrom(from, Math.min(from.capacity, columns + MOST_ROWS), encoder); // with rows that are still to be moved
    this.#device.submit(encoder);
  }

  begin(): void {
    this.#lease.renew();
  }

  pass(cache: KeyValueCache, past: number, rows: Rows, move: Move | undefined): Promise<Scores> {
    return this.#inTurn(async () => {
      const parents = rows.parents ?? chainParents(rows.tokens.length);
      const start = performance.now();
      const { verified, results, states } = await this.#pass.run(cache, past, rows, parents, depthsOf(parents), move);
      if (tracing()) await this.#trace(cache, past, rows, performance.now() - start);
      const check = this.#lease.lend();
      const loadInTurn = () => {
        check();
        return this.#pass.load();
      };
      return new WebGpuScores({
        rows: rows.score === "last" ? 1 : rows.tokens.length,
        vocab: this.source.spec.vocab,
        temperature: rows.temperature ?? 1,
        results,
        verified,
        states,
        check,
        load: () => this.#inTurn(loadInTurn),
      });
    });
  }

  async #trace(cache: KeyValueCache, past: number, rows: Rows, ms: number): Promise<void> {
    [passLine(this, rows, past, ms), ...await this.#pass.kernelLines(cache)].forEach((line) => tracing()?.(line));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(() => {
      this.#lease.refuseClosed();
      return work();
    });
    this.#last = run.catch(() => {});
    return run;
  }
}
