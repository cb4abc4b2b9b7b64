// A model on a GPU: one device, one list of steps, any number of sequences.
import { tracing } from "../../src/trace.ts";
import { passLine } from "../trace.ts";
import type { Capabilities, Engine, Rows, Scores, Sequence } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { type CostPoint, interpolateCost, measureCost } from "../cost.ts";
import { type Measured, readCalibration, writeCalibration } from "../calibration.ts";
import { chainParents, depthsOf } from "../rows.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import type { Decoder } from "./decoder.ts";
import type { Counts, Device } from "./device.ts";
import { MOST_ROWS } from "./kernels.ts";
import { type Move, Pass } from "./pass.ts";
import { RULES } from "./rules/table.ts";
import { WebGpuScores } from "./scores.ts";
import { WebGpuSequence } from "./sequence.ts";

/** Widths that are measured, and the text they are measured after. */
const WIDTHS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];
const PAST = 128;
const REPEATS = 3;

export interface Loaded {
  readonly source: ModelSource;
  readonly format: WeightFormat;
  readonly context: number;
  readonly device: Device;
  readonly decoder: Decoder;
  /** Rows of one pass do not change each other's bits: found out on this device. */
  readonly exact: boolean;
  readonly cacheDir: string;
  readonly measured: Measured;
  readonly progress?: (step: string, fraction: number) => void;
}

export class WebGpuEngine implements Engine {
  readonly name: string;
  readonly source: ModelSource;
  readonly format: WeightFormat;
  readonly context: number;
  readonly maxRows: number;
  readonly can: Capabilities;
  readonly #loaded: Loaded;
  readonly #device: Device;
  readonly #pass: Pass;
  #costs: readonly CostPoint[] = [];
  #passes = 0;
  #closed = false;
  /** Passes share their buffers, so they go one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(loaded: Loaded) {
    const { source, format, context, device, decoder, exact } = loaded;
    this.name = `webgpu:${device.provider}`;
    this.source = source;
    this.format = format;
    this.context = context;
    this.#loaded = loaded;
    this.#device = device;
    this.#pass = new Pass(device, source, decoder);
    // All rows of the widest pass may want scores, in one binding.
    this.maxRows = Math.max(1, Math.min(MOST_ROWS, Math.floor(device.largestBinding / (4 * source.spec.vocab))));
    this.can = {
      tree: true,
      exact: exact ? "trees" : "none",
      taps: false,
      layerSkip: false,
      deviceRules: [...RULES.keys()],
      concurrent: true,
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
    return interpolateCost(this.#costs, width);
  }

  plainCost(format: WeightFormat): number {
    const { cacheDir, measured } = this.#loaded;
    return interpolateCost(readCalibration(cacheDir, { ...measured, format }) ?? [], 1);
  }

  async calibrate(): Promise<void> {
    const { cacheDir, measured, progress } = this.#loaded;
    const known = cacheDir ? readCalibration(cacheDir, measured) : undefined;
    if (known) {
      this.#costs = known;
      return;
    }
    const widths = WIDTHS.filter((width) => width <= this.context);
    const past = Math.min(PAST, this.context - widths[widths.length - 1]);
    this.#costs = await measureCost(this, widths, { past, repeats: REPEATS, progress });
    if (cacheDir) writeCalibration(cacheDir, measured, this.#costs);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pass.release();
    this.#device.close();
  }

  newCache(): KeyValueCache {
    // Rows of a tree may stand in the cache past the context that their positions stay within.
    return new KeyValueCache(this.#device, this.source.spec, this.context + this.maxRows);
  }

  dropCache(cache: KeyValueCache): void {
    if (!this.#closed) cache.close();
  }

  copyCache(from: KeyValueCache, to: KeyValueCache, columns: number): void {
    const encoder = this.#device.gpu.createCommandEncoder();
    to.copyFrom(from, Math.min(from.capacity, columns + MOST_ROWS), encoder); // with rows that are still to be moved
    this.#device.submit(encoder);
  }

  begin(): void {
    if (this.#closed) throw new Error("this engine is closed");
    this.#passes++;
  }

  pass(cache: KeyValueCache, past: number, rows: Rows, move: Move | undefined): Promise<Scores> {
    return this.#inTurn(async () => {
      const parents = rows.parents ?? chainParents(rows.tokens.length);
      const start = performance.now();
      const { verified, results } = await this.#pass.run(cache, past, rows, parents, depthsOf(parents), move);
      if (tracing()) await this.#trace(cache, past, rows, performance.now() - start);
      const pass = this.#passes;
      const check = () => {
        if (pass !== this.#passes) {
          throw new Error("these scores are no longer valid: a sequence was used after their pass");
        }
      };
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
      if (this.#closed) throw new Error("this engine is closed");
      return work();
    });
    this.#last = run.catch(() => {});
    return run;
  }
}
