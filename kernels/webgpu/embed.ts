// The first steps of a pass: tokens become rows of the stream.
import type { Rows } from "../../src/backend.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { Tensor } from "../../src/model/tensors/tensor.ts";
import { embedKernel, MOST_ROWS, SHAPES } from "./kernels.ts";
import type { Matrix } from "./matrix.ts";
import type { Bench, Plane, Step } from "./steps.ts";

/**
 * Where the table of embeddings is the matrix of logits as well, it lies on the device, which takes its rows from there;
 * a pass uploads tokens. A table of its own stays in the file, whose rows are looked up and uploaded: on the device it
 * would take the memory of a matrix for the few rows of a pass. So are rows that a pass is given instead of tokens.
 * Learned positions are always added on the device.
 *
 * Both ways compute in float32 from the file's numbers and give the same bits, but for two things that WGSL and the exact
 * container may round: numbers below 2⁻¹²⁶ become 0, and offsets of blocks that another zero of the codes is added to.
 */
export class Embedding {
  readonly steps: readonly Step[];
  readonly #tokens: GPUBuffer;
  readonly #scale: number;
  /** Where rows are looked up by JavaScript. */
  readonly #file: Tensor | undefined;

  /** `table`: embeddings [vocab, width] on the device. `tree` starts with each row's depth. */
  constructor(
    private readonly bench: Bench,
    source: ModelSource,
    private readonly stream: Plane,
    tree: GPUBuffer,
    { table, positions }: { readonly table?: Matrix; readonly positions?: Matrix },
  ) {
    this.#scale = Math.fround(source.spec.embeddingScale);
    this.#file = table ? undefined : source.tensor("embed.weight");
    this.#tokens = table ? bench.device.storage(MOST_ROWS * 4, "tokens") : bench.nothing;
    const lookups = (of: Matrix | undefined, scale: number, needed?: Step["needed"]) =>
      of?.pieces.map(({ form, units, from, outputs, buffers }): Step => {
        const shape = SHAPES.embed.uniform(bench.device, {
          units,
          stride: stream.stride / 4,
          first: from,
          outputs,
          scale,
        });
        const kernel = embedKernel(form, of === positions, bench.device.features);
        const bound = [bench.pass, shape, this.#tokens, stream.buffer, tree, ...buffers];
        return {
          kernel: () => kernel,
          buffers: () => bound,
          grid: ({ rows }) => [Math.ceil(units / 64), rows],
          needed,
        };
      }) ?? [];
    this.steps = [...lookups(table, this.#scale, ({ embedded }) => !embedded), ...lookups(positions, 1)];
  }

  /** Uploads what the steps, or those after them, read of a pass's tokens, or of the embeddings given instead. */
  write({ tokens, embeddings }: Pick<Rows, "tokens" | "embeddings">): void {
    const { bench: { device }, stream: { buffer, stride } } = this;
    const file = this.#file;
    if (!embeddings && !file) return device.write(this.#tokens, tokens);
    const width = (embeddings?.length ?? 0) / tokens.length;
    const rows = new Float32Array(tokens.length * stride);
    for (const [row, token] of tokens.entries()) {
      const values = embeddings?.subarray(row * width, (row + 1) * width) ?? file!.floats(token, token + 1);
      rows.set(values.map((value) => value * this.#scale), row * stride);
    }
    device.write(buffer, rows);
  }
}
