// One pass: rows are told to the device, steps recorded and submitted once, results read back once.
import { MOST_CANDIDATES, type Rows, type Tap } from "../../src/backend.ts";
import type { Verified } from "../../src/device-rule.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { notFinite } from "../../src/model/not-finite.ts";
import { writeRotation } from "../rope.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import type { Decoder } from "./decoder.ts";
import type { Device } from "./device.ts";
import { BEST_WORDS, BROKEN, compactKernel, MOST_ROWS, SEGMENT, SHAPES } from "./kernels.ts";
import { type GrowingBuffer, partsOf, Recorder, type Width } from "./steps.ts";
import { WebGpuRules } from "./rules.ts";
import { floats, type Part, partsFor, type Results } from "./scores.ts";
import { kernelLines } from "./trace.ts";

/** Rows of a pass that were accepted, and where they stand: at columns `past + path[i]`. */
export interface Move {
  readonly past: number;
  readonly path: Int32Array;
  /** Whether the device was told to. A pass may be refused after that. */
  done: boolean;
}

/** Bytes on the device, from the buffer's first on. */
interface Place {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
}

/** What a pass brought: the verdict that it was asked for, or what it was to tell of its rows. */
export interface Outcome {
  readonly verified?: Verified;
  readonly results: Results;
  /** A copy, which `load` leaves alone. */
  readonly states: ReadonlyMap<Tap, Float32Array>;
}

export class Pass {
  readonly #recorder: Recorder;
  readonly #rules: WebGpuRules;
  /** What kernels are told of the last pass but for its temperature. */
  #told = { rows: 0, past: 0, capacity: 0, first: 0, scored: 0, segments: 0 };
  readonly #tree = new Uint32Array(MOST_ROWS + MOST_ROWS * MOST_ROWS);
  readonly #angles: Float32Array[];
  #staging: GPUBuffer | undefined;
  #mapped = false;
  /** The pass whose scores are on the device. */
  #done: { readonly width: Width; readonly temperature: number; readonly rows: Rows } | undefined;

  constructor(
    private readonly device: Device,
    private readonly source: ModelSource,
    private readonly decoder: Decoder,
  ) {
    this.#recorder = new Recorder(device);
    this.#rules = new WebGpuRules(device, source.spec.vocab);
    this.#angles = decoder.ropes.map(({ spec }) => new Float32Array(MOST_ROWS * spec.dimensions));
  }

  /**
   * Computes `rows`, which continue the first `past` tokens of the cache, and puts their keys and values behind those.
   * `move` is done first. What it returns lasts until the next call.
   */
  async run(
    cache: KeyValueCache,
    past: number,
    asking: Rows,
    parents: Int32Array,
    depths: Int32Array,
    move: Move | undefined,
  ): Promise<Outcome> {
    const { device, decoder } = this;
    const { tokens, score, need, temperature = 1, taps = [], skip, embeddings, verify } = asking;
    device.check();
    const asked = verify && await this.#rules.prepare(verify.rule, verify.tree, verify.uniforms);
    const parts = asked ? asked.parts : partsFor(need);
    const rows = tokens.length;
    const scored = score === "last" ? 1 : rows;
    const segments = Math.ceil((past + depths.reduce((a, b) => Math.max(a, b)) + 1) / SEGMENT);
    const width = { rows, scored, segments, parts, taps, skip, embedded: embeddings !== undefined };
    const steps = Recorder.needed(decoder.steps, width);
    const pipelines = await this.#recorder.prepare(steps, width);
    if (move) await device.pipeline(compactKernel());
    device.check(); // what the device has refused meanwhile must not be used
    this.release();
    this.#makeRoom(width);
    const kept = decoder.states.places(taps, rows);

    const encoder = device.gpu.createCommandEncoder();
    const spent: GPUBuffer[] = [];
    if (move) spent.push(...device.guarded(() => this.move(cache, move, encoder)));
    spent.push(...cache.reserve(past + rows, past, encoder));
    this.#told = { rows, past, capacity: cache.capacity, first: rows - scored, scored, segments };
    this.#tell(parts.length > 1 ? temperature : 0);
    decoder.embedding.write(asking);
    this.#rotate(rows, past, depths);
    this.#describeTree(rows, parents, depths);
    device.guarded(() => {
      this.#recorder.record(encoder, steps, pipelines, width, cache.buffers);
      if (asked) this.#rules.record(encoder, asked, decoder.probabilities.buffer, decoder.best);
    });
    this.#done = { width, temperature, rows: asking };
    // What is best comes first, also with a verdict: it tells whether the scores mean anything.
    const places = asked
      ? [...this.#places(["best"], scored), { buffer: this.#rules.verdict, bytes: asked.bytes }]
      : this.#places(parts, scored);
    const reading = this.#readBack(encoder, [...places, ...kept]);
    if (move) move.done = true;
    for (const buffer of spent) device.destroy(buffer);
    const read = await reading;
    this.#refuseBroken(read[0]);
    const states = new Map(taps.map((tap, i) => [tap, floats(read[places.length + i]).slice()]));
    if (!asked) return { results: resultsOf(parts, read), states };
    const verified = asked.read(read[1]);
    return verified ? { verified, results: {}, states } : { results: await this.load(), states };
  }

  /** What the kernels of the last `run` take, for a trace. */
  kernelLines(cache: KeyValueCache): Promise<string[]> {
    const { width, rows } = this.#done!;
    this.decoder.embedding.write(rows); // the pass has added to what was uploaded
    return kernelLines(this.device, this.#recorder, this.decoder.steps, width, cache.buffers);
  }

  /** Everything about the rows that the last `run` scored. Ends the life of what it returned. */
  async load(): Promise<Results> {
    const { device, decoder } = this;
    const { width: { rows, scored }, temperature } = this.#done!;
    const parts = partsFor("logits");
    const width: Width = { rows, scored, parts };
    const steps = Recorder.needed(decoder.ends, width);
    const pipelines = await this.#recorder.prepare(steps, width);
    device.check();
    this.release();
    this.#makeRoom(width);
    this.#tell(temperature);
    const encoder = device.gpu.createCommandEncoder();
    device.guarded(() => this.#recorder.record(encoder, steps, pipelines, width, []));
    return resultsOf(parts, await this.#readBack(encoder, this.#places(parts, scored)));
  }

  #refuseBroken(best: Uint32Array): void {
    for (let at = BROKEN; at < best.length; at += BEST_WORDS) if (best[at] !== 0) throw notFinite(this.source);
  }

  /** Uploads what all kernels of the pass are told. `temperature`: 0 where no probabilities are wanted. */
  #tell(temperature: number): void {
    this.device.write(this.decoder.pass, SHAPES.pass.pack({ ...this.#told, temperature }));
  }

  /** Submits, and waits for what these places will hold. */
  async #readBack(encoder: GPUCommandEncoder, places: readonly Place[]): Promise<Uint32Array[]> {
    const staging = this.#room(places.reduce((sum, { bytes }) => sum + bytes, 0));
    let total = 0;
    for (const { buffer, bytes } of places) {
      encoder.copyBufferToBuffer(buffer, 0, staging, total, bytes);
      total += bytes;
    }
    this.device.submit(encoder);
    const read = await this.device.read(staging, total);
    this.#mapped = true;
    let at = 0;
    return places.map(({ bytes }) => new Uint32Array(read, (at += bytes) - bytes, bytes / 4));
  }

  /** Where the parts of the results lie on the device. */
  #places(parts: readonly Part[], scored: number): Place[] {
    const { best, candidates, probabilities, logits } = this.decoder;
    const row = this.source.spec.vocab * 4;
    const places: Readonly<Record<Part, Place>> = {
      best: { buffer: best, bytes: scored * BEST_WORDS * 4 },
      candidates: { buffer: candidates, bytes: scored * MOST_CANDIDATES * 8 },
      probabilities: { buffer: probabilities.buffer, bytes: scored * row },
      logits: { buffer: logits.buffer, bytes: scored * row },
    };
    return parts.map((part) => places[part]);
  }

  /** Records the compaction of a cache; its kernel must have been compiled. Returns buffers to destroy afterwards. */
  move(cache: KeyValueCache, { past, path }: Move, encoder: GPUCommandEncoder): GPUBuffer[] {
    const { device } = this;
    const kernel = device.compiled(compactKernel())!;
    const steps = device.storage(path.length * 4, "path");
    device.write(steps, Uint32Array.from(path));
    const shapes = new Map<number, GPUBuffer>();
    const pass = encoder.beginComputePass();
    pass.setPipeline(kernel.pipeline);
    cache.buffers.forEach((buffer, layer) => {
      const width = cache.widths[layer];
      let shape = shapes.get(width);
      if (!shape) {
        shapes.set(
          width,
          shape = SHAPES.compact.uniform(device, {
            past,
            capacity: cache.capacity,
            steps: path.length,
            width,
          }),
        );
      }
      pass.setBindGroup(0, device.bind(kernel, [shape, steps, buffer]));
      pass.dispatchWorkgroups(Math.ceil(width / 64), 2);
    });
    pass.end();
    device.counts.dispatches += cache.buffers.length;
    return [steps, ...shapes.values()];
  }

  /** Ends the life of what the last pass returned. */
  release(): void {
    if (!this.#mapped) return;
    this.#mapped = false;
    try {
      this.#staging?.unmap();
    } catch {
      // A lost device has nothing mapped; whoever computes next is told of the loss.
    }
  }

  #makeRoom(width: Width): void {
    const { decoder, source: { spec } } = this;
    const parts = Math.max(...spec.layers.map(({ attention }) => partsOf(width, attention)));
    const bytes = width.scored * spec.vocab * 4;
    this.#grow(decoder.parts, parts, "parts of attention");
    this.#grow(decoder.logits, bytes, "logits");
    if (width.parts?.includes("probabilities")) this.#grow(decoder.probabilities, bytes, "probabilities");
  }

  #grow(growing: GrowingBuffer, bytes: number, label: string): void {
    if (growing.buffer.size >= bytes) return;
    this.device.destroy(growing.buffer);
    growing.buffer = this.device.storage(bytes, label);
  }

  /** Memory that JavaScript can read, of at least so many bytes. */
  #room(bytes: number): GPUBuffer {
    if (this.#staging && this.#staging.size >= bytes) return this.#staging;
    if (this.#staging) this.device.destroy(this.#staging);
    return this.#staging = this.device.staging(bytes);
  }

  /** Cosines and sines of each row's position. */
  #rotate(rows: number, past: number, depths: Int32Array): void {
    this.decoder.ropes.forEach(({ spec, from }, table) => {
      const half = spec.frequencies.length;
      const angles = this.#angles[table];
      for (let row = 0; row < rows; row++) {
        writeRotation(spec, past + depths[row], angles, 2 * half * row, angles, 2 * half * row + half);
      }
      this.device.write(this.decoder.angles, angles.subarray(0, rows * 2 * half), from * 4);
    });
  }

  /** Each row's depth, and which row stands at each depth of its path. */
  #describeTree(rows: number, parents: Int32Array, depths: Int32Array): void {
    const tree = this.#tree;
    for (let row = 0; row < rows; row++) {
      const start = (row + 1) * rows;
      tree[row] = depths[row];
      if (parents[row] >= 0) {
        const above = (parents[row] + 1) * rows;
        tree.copyWithin(start, above, above + depths[row]);
      }
      tree[start + depths[row]] = row;
    }
    this.device.write(this.decoder.tree, tree.subarray(0, rows + rows * rows));
  }
}

function resultsOf(parts: readonly Part[], words: readonly Uint32Array[]): Results {
  const whole = (part: Part) => part === "best" || part === "candidates";
  return Object.fromEntries(parts.map((part, i) => [part, whole(part) ? words[i] : floats(words[i])]));
}
