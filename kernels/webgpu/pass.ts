// One pass: rows are embedded and uploaded, steps recorded and submitted once, results read back once.
import type { Rows } from "../../src/backend.ts";
import type { ModelSource, Tensor } from "../../src/model/source.ts";
import type { KeyValueCache } from "./cache.ts";
import type { Decoder } from "./decoder.ts";
import type { Device } from "./device.ts";
import { BEST_WORDS, compactKernel, MOST_ROWS, SEGMENT } from "./kernels.ts";
import { partsOf, Recorder, uniform, type Width } from "./steps.ts";
import type { Results } from "./scores.ts";

/** Rows of a pass that were accepted, and where they stand: at columns `past + path[i]`. */
export interface Move {
  readonly past: number;
  readonly path: Int32Array;
}

export class Pass {
  readonly #recorder: Recorder;
  readonly #embed: Tensor;
  readonly #positions: Float32Array | undefined;
  readonly #numbers = new DataView(new ArrayBuffer(28));
  readonly #tree = new Uint32Array(MOST_ROWS + MOST_ROWS * MOST_ROWS);
  readonly #hidden: Float32Array;
  readonly #angles: Float32Array[];
  #staging: GPUBuffer | undefined;
  #mapped = false;

  constructor(
    private readonly device: Device,
    private readonly source: ModelSource,
    private readonly decoder: Decoder,
  ) {
    this.#recorder = new Recorder(device);
    this.#embed = source.tensor("embed.weight");
    this.#positions = source.has("positions.weight") ? source.tensor("positions.weight").floats() : undefined;
    this.#hidden = new Float32Array(MOST_ROWS * decoder.hidden.stride);
    this.#angles = decoder.ropes.map(({ spec }) => new Float32Array(MOST_ROWS * spec.dimensions));
  }

  /**
   * Computes `rows`, which continue the first `past` tokens of the cache, and puts their keys and values behind those.
   * `move` is done first. What it returns lasts until the next call.
   */
  async run(
    cache: KeyValueCache,
    past: number,
    { tokens, score, need, temperature = 1 }: Rows,
    parents: Int32Array,
    depths: Int32Array,
    move: Move | undefined,
  ): Promise<Results> {
    const { device, decoder, source: { spec } } = this;
    device.check();
    const rows = tokens.length;
    const scored = score === "last" ? 1 : rows;
    const segments = Math.ceil((past + depths.reduce((a, b) => Math.max(a, b)) + 1) / SEGMENT);
    const width = { rows, scored, segments };
    const steps = Recorder.needed(decoder.steps, width);
    const pipelines = await this.#recorder.prepare(steps, width);
    if (move) await device.pipeline(compactKernel());
    this.release();
    const logitBytes = scored * spec.vocab * 4;
    const bestBytes = scored * BEST_WORDS * 4;
    this.#makeRoom(logitBytes, bestBytes, width);

    const encoder = device.gpu.createCommandEncoder();
    const spent: GPUBuffer[] = [];
    if (move) spent.push(...this.move(cache, move, encoder));
    spent.push(...cache.reserve(past + rows, past, encoder));
    const told = [rows, past, cache.capacity, rows - scored, scored];
    told.forEach((value, i) => this.#numbers.setUint32(4 * i, value, true));
    this.#numbers.setFloat32(20, need === "probabilities" ? temperature : 0, true);
    this.#numbers.setUint32(24, segments, true);
    device.write(decoder.pass, this.#numbers);
    this.#embedRows(tokens, past, depths);
    this.#rotate(rows, past, depths);
    this.#describeTree(rows, parents, depths);
    this.#recorder.record(encoder, steps, pipelines, width, cache.buffers);
    encoder.copyBufferToBuffer(decoder.best, 0, this.#staging!, 0, bestBytes);
    encoder.copyBufferToBuffer(decoder.logits.buffer, 0, this.#staging!, bestBytes, logitBytes);
    device.submit(encoder);
    for (const buffer of spent) device.destroy(buffer);
    const read = await device.read(this.#staging!, bestBytes + logitBytes);
    this.#mapped = true;
    return {
      best: new Uint32Array(read, 0, scored * BEST_WORDS),
      logits: new Float32Array(read, bestBytes, scored * spec.vocab),
      sums: need === "probabilities" ? new Float32Array(read, 0, scored * BEST_WORDS) : undefined,
    };
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
      if (!shape) shapes.set(width, shape = uniform(device, [past, cache.capacity, path.length, width]));
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

  #makeRoom(logitBytes: number, bestBytes: number, width: Width): void {
    const { device, decoder, source: { spec } } = this;
    const parts = Math.max(...spec.layers.map(({ attention }) => partsOf(width, attention.heads, attention.headSize)));
    if (decoder.parts.buffer.size < parts) {
      device.destroy(decoder.parts.buffer);
      decoder.parts.buffer = device.storage(parts, "parts of attention");
    }
    if (decoder.logits.buffer.size < logitBytes) {
      device.destroy(decoder.logits.buffer);
      decoder.logits.buffer = device.storage(logitBytes, "logits");
    }
    const bytes = logitBytes + bestBytes;
    if (this.#staging && this.#staging.size >= bytes) return;
    if (this.#staging) device.destroy(this.#staging);
    this.#staging = device.staging(bytes);
  }

  /** Token embeddings, with learned positions where the model has them. */
  #embedRows(tokens: Int32Array, past: number, depths: Int32Array): void {
    const { spec } = this.source;
    const { stride } = this.decoder.hidden;
    const hidden = this.#hidden;
    for (let row = 0; row < tokens.length; row++) {
      const start = row * stride;
      const embedding = this.#embed.floats(tokens[row], tokens[row] + 1);
      hidden.set(embedding, start);
      if (spec.embeddingScale !== 1) {
        for (let i = 0; i < spec.width; i++) hidden[start + i] *= spec.embeddingScale;
      }
      if (this.#positions) {
        const at = (past + depths[row]) * spec.width;
        for (let i = 0; i < spec.width; i++) hidden[start + i] += this.#positions[at + i];
      }
    }
    this.device.write(this.decoder.hidden.buffer, hidden.subarray(0, tokens.length * stride));
  }

  /** Cosines and sines of each row's position. */
  #rotate(rows: number, past: number, depths: Int32Array): void {
    this.decoder.ropes.forEach(({ spec: { frequencies, magnitude }, from }, table) => {
      const half = frequencies.length;
      const angles = this.#angles[table];
      for (let row = 0; row < rows; row++) {
        const position = past + depths[row];
        for (let i = 0; i < half; i++) {
          const angle = position * frequencies[i];
          angles[row * 2 * half + i] = magnitude * Math.cos(angle);
          angles[row * 2 * half + half + i] = magnitude * Math.sin(angle);
        }
      }
      this.device.write(this.decoder.angles, angles.subarray(0, rows * 2 * half), from * 4);
    });
  }

  /** Each row's depth, and which row stands at each depth of its path. */
  #describeTree(rows: number, parents: Int32Array, depths: Int32Array): void {
    const tree = this.#tree;
    for (let row = 0; row < rows; row++) {
      const start = MOST_ROWS + row * MOST_ROWS;
      tree[row] = depths[row];
      if (parents[row] >= 0) {
        const above = MOST_ROWS + parents[row] * MOST_ROWS;
        tree.copyWithin(start, above, above + depths[row]);
      }
      tree[start + depths[row]] = row;
    }
    this.device.write(this.decoder.tree, tree.subarray(0, MOST_ROWS + rows * MOST_ROWS));
  }
}
