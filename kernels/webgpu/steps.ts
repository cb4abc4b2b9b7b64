// Steps of a pass: a kernel, what it is bound to, and how many workgroups it takes for so many rows.
import type { Skip, Tap } from "../../src/backend.ts";
import type { Activation, ExpertsSpec, FeedForwardSpec } from "../../src/model/spec/spec.ts";
import type { Device, Kernel, Pipeline } from "./device.ts";
import {
  activateKernel,
  attentionKernel,
  BEST_SLICE,
  BEST_WORDS,
  bestKernel,
  bestSlicesKernel,
  candidatesKernel,
  combineKernel,
  matmulKernel,
  mergeKernel,
  MOST_ROWS,
  normKernel,
  type NormVariant,
  outputsPerGroup,
  rotateKernel,
  type RotateVariant,
  routeKernel,
  rowTile,
  SEGMENT,
  SHAPES,
  type Slots,
  softmaxKernel,
} from "./kernels.ts";
import type { Features } from "./features.ts";
import type { Piece } from "./matrix.ts";
import type { Part } from "./scores.ts";

/** What decides which steps a pass takes and how wide they are: how many rows it has, how many of them get scores. */
export interface Width {
  readonly rows: number;
  readonly scored: number;
  /** Segments of keys that the longest row attends to; 1 where absent. */
  readonly segments?: number;
  /** What is made of the scores; only the best token where absent. */
  readonly parts?: readonly Part[];
  /** Hidden states that are wanted; none where absent. */
  readonly taps?: readonly Tap[];
  /** Blocks that are left out; none where absent. */
  readonly skip?: Skip;
  /** Rows come as embeddings; as tokens where absent. */
  readonly embedded?: boolean;
}

/** What a pass leaves out as a whole: the steps between reading the stream and what is to be added to it. */
export interface Block {
  readonly kind: keyof Skip;
  readonly layer: number;
}

export function runs({ kind, layer }: Block, { skip }: Width): boolean {
  return !skip?.[kind].includes(layer);
}

/** A step of a block. */
export function within(block: Block, step: Step): Step {
  return { ...step, needed: (width) => runs(block, width) && (step.needed?.(width) ?? true) };
}

export interface Step {
  kernel(width: Width): Kernel;
  /** In the order of the bindings. `cache`: the layer's keys and values. */
  buffers(cache: GPUBuffer | undefined, width: Width): readonly GPUBuffer[];
  grid(width: Width): readonly [x: number, y: number, z?: number];
  /** Whether there is anything to do at this width; always where absent. */
  needed?(width: Width): boolean;
  /** The layer whose cache is bound. */
  readonly layer?: number;
}

/** A buffer that is replaced when it grows. */
export interface GrowingBuffer {
  buffer: GPUBuffer;
}

/** Rows of `stride` floats in the device's memory; strides are multiples of 8. */
export interface Plane {
  readonly buffer: GPUBuffer;
  readonly stride: number;
}

/** What steps share: the device, the uniform of the pass, and a buffer to bind where nothing is needed. */
export interface Bench {
  readonly device: Device;
  readonly pass: GPUBuffer;
  readonly nothing: GPUBuffer;
  /** What kernels may use; where absent, what the self-test found to work. */
  readonly features?: Features;
}

export function matmulStep(
  { device, pass, nothing, features = device.features }: Bench,
  x: Plane,
  piece: Piece,
  out: GrowingBuffer,
  strideOut: number,
  { logits, paired, experts }: {
    readonly logits?: { readonly scale: number; readonly cap: number };
    readonly paired?: Activation;
    /** The piece is the matrices of all experts one below the other, `outputs` each. */
    readonly experts?: Slots & { readonly chosen: GPUBuffer };
  } = {},
): Step {
  const shape = SHAPES.matmul.uniform(device, {
    units: piece.units,
    outputs: piece.outputs,
    stride: x.stride / 4,
    strideOut,
    offset: piece.from,
    biased: piece.bias !== undefined,
    scale: logits?.scale ?? 1,
    cap: logits?.cap ?? 0,
    scored: logits !== undefined,
  });
  const count = ({ rows, scored }: Width) => logits ? scored : rows * (experts?.used ?? 1);
  const tileOf = (width: Width) => experts ? 1 : rowTile(count(width));
  const variant = { paired, slots: experts };
  const bound = [...piece.buffers, ...experts ? [experts.chosen] : []];
  return {
    kernel: (width) => matmulKernel(piece.form, tileOf(width), features, variant),
    buffers: () => [pass, shape, x.buffer, out.buffer, piece.bias ?? nothing, ...bound],
    grid: (width) => {
      const tile = tileOf(width);
      return [Math.ceil(piece.outputs / outputsPerGroup(tile)), Math.ceil(count(width) / tile)];
    },
  };
}

export interface NormStep {
  readonly variant: NormVariant;
  readonly width: number;
  readonly epsilon: number;
  readonly x: Plane;
  /** What is added to x first, times `scale`, after a norm with the gain `post`. */
  readonly delta?: { readonly plane: Plane; readonly post?: GPUBuffer; readonly scale: number };
  readonly gain?: GPUBuffer;
  readonly bias?: GPUBuffer;
  readonly out?: Plane;
  /** Whether the delta is added at this width; always where absent. */
  adds?(width: Width): boolean;
  /** Whether `out` is written; always where absent. */
  writes?(width: Width): boolean;
}

export function normStep({ device, pass, nothing }: Bench, step: NormStep): Step {
  const { variant, width, epsilon, x, delta, gain, bias, out } = step;
  const at = (width: Width): NormVariant => ({
    ...variant,
    delta: variant.delta && (step.adds?.(width) ?? true),
    norm: variant.norm && (step.writes?.(width) ?? true),
  });
  const shape = SHAPES.norm.uniform(device, {
    width,
    stride: x.stride,
    strideDelta: delta?.plane.stride ?? 0,
    strideOut: out?.stride ?? 0,
    biased: bias !== undefined,
    epsilon,
    scale: delta?.scale ?? 1,
  });
  const bound = [
    pass,
    shape,
    x.buffer,
    delta?.plane.buffer ?? nothing,
    delta?.post ?? nothing,
    gain ?? nothing,
    bias ?? nothing,
    out?.buffer ?? device.storage(16, "unused"), // two writable bindings may not share a buffer
  ];
  return {
    kernel: (width) => normKernel(at(width)),
    buffers: () => bound,
    grid: ({ rows, scored }) => [variant.final ? scored : rows, 1],
    needed: (width) => at(width).delta || at(width).norm,
  };
}

export interface RotateStep {
  readonly variant: RotateVariant;
  readonly layer: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly packed: Plane;
  readonly query: Plane;
  readonly angles: GPUBuffer;
  readonly anglesOfKeys: number;
  readonly anglesOfQueries: number;
  readonly half: number;
  readonly interleaved: boolean;
  readonly epsilon: number;
  readonly gainQuery?: GPUBuffer;
  readonly gainKey?: GPUBuffer;
}

export function rotateStep({ device, pass, nothing }: Bench, step: RotateStep): Step {
  const { heads, kvHeads, packed, query, half, interleaved, anglesOfKeys, anglesOfQueries, epsilon } = step;
  const shape = SHAPES.rotate.uniform(device, {
    heads,
    kvHeads,
    stride: packed.stride,
    strideQuery: query.stride,
    half,
    interleaved,
    anglesOfKeys,
    anglesOfQueries,
    epsilon,
  });
  const kernel = rotateKernel(step.variant);
  return {
    kernel: () => kernel,
    buffers: (cache) => [
      pass,
      shape,
      packed.buffer,
      query.buffer,
      cache!,
      step.angles,
      step.gainQuery ?? nothing,
      step.gainKey ?? nothing,
    ],
    grid: ({ rows }) => [heads + 2 * kvHeads, rows],
    layer: step.layer,
  };
}

/** What of a layer's attention decides how its work is shared out. */
export interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly window?: number | undefined;
}

/** Workgroups that leave no GPU idle, each of which takes a while: keys are split where there are fewer. */
const ENOUGH = 256;

/** About as many as a GPU has cores: queries that share make a workgroup longer, and fewer would leave cores idle. */
const FEW = 64;

/** Queries that one workgroup of attention may take; each is a pipeline of its own. */
const QUERIES = [8, 4, 2, 1] as const;

/** Sums of values that a thread may keep in registers, QUERIES for each 64 elements of a head. */
const MOST_SUMS = 16;

/**
 * How many queries (heads of rows) share a workgroup of attention, in how many groups for each head of keys, and whether
 * the keys are split as well. Queries that share read keys and values once, so as many share as leave the GPU something
 * to do everywhere: few rows after a short text share nothing, many rows or a long text all they can.
 */
export function sharing(
  { rows, segments = 1 }: Width,
  { heads, kvHeads, headSize, window = Infinity }: Heads,
): { readonly queries: number; readonly groups: number; readonly split: boolean } {
  const count = rows * heads / kvHeads;
  const seen = Math.min(segments, Math.ceil(window / SEGMENT) + 1);
  const fits = (queries: number) => queries < 2 * count && queries * Math.ceil(headSize / 64) <= MOST_SUMS;
  const groups = (queries: number) => Math.ceil(count / queries);
  const queries = QUERIES.find((queries) => fits(queries) && kvHeads * groups(queries) * seen >= FEW) ?? 1;
  return { queries, groups: groups(queries), split: seen > 1 && kvHeads * groups(queries) < ENOUGH };
}

/** Bytes that split attention of this width needs for its parts. */
export function partsOf(width: Width, attention: Heads): number {
  const { heads, headSize } = attention;
  return sharing(width, attention).split ? width.rows * heads * (width.segments ?? 1) * (headSize + 2) * 4 : 0;
}

export interface AttentionStep extends Heads {
  readonly layer: number;
  readonly scale: number;
  readonly cap: number | undefined;
  readonly query: Plane;
  readonly tree: GPUBuffer;
  readonly mixed: Plane;
  /** Where split attention leaves its parts; grown by `partsOf` before a pass that needs more. */
  readonly parts: GrowingBuffer;
  /** [heads], scores that no value stands for. */
  readonly sinks?: GPUBuffer;
}

/** Attention, and the step that joins its parts where it was split. `share` is another than `sharing` in tests. */
export function attentionSteps({ device, pass }: Bench, step: AttentionStep, share = sharing): Step[] {
  const { heads, kvHeads, headSize, window, scale, cap, query, tree, mixed, parts, sinks } = step;
  const shape = SHAPES.attention.uniform(device, {
    heads,
    kvHeads,
    stride: query.stride,
    strideOut: mixed.stride,
    window: window ?? 0,
    scale,
    cap: cap ?? 0,
  });
  const merge = mergeKernel(headSize, sinks !== undefined);
  const last = sinks ? [sinks] : [];
  return [
    {
      kernel: (width) => {
        const { queries, split } = share(width, step);
        return attentionKernel(headSize, queries, split, sinks !== undefined);
      },
      buffers: (cache, width) => [
        pass,
        shape,
        query.buffer,
        cache!,
        tree,
        share(width, step).split ? parts.buffer : mixed.buffer,
        ...last,
      ],
      grid: (width) => {
        const { groups, split } = share(width, step);
        return [kvHeads, groups, split ? width.segments : 1];
      },
      layer: step.layer,
    },
    {
      kernel: () => merge,
      buffers: () => [pass, shape, parts.buffer, tree, mixed.buffer, ...last],
      grid: ({ rows }) => [heads, rows],
      needed: (width) => share(width, step).split,
    },
  ];
}

export function activateStep(
  { device }: Bench,
  activation: Activation,
  gated: boolean,
  hidden: number,
  packed: Plane,
  out: Plane,
  { clamp, used = 1 }: { readonly clamp?: FeedForwardSpec["clamp"]; /** Rows for each of the pass. */ used?: number } =
    {},
): Step {
  const shape = SHAPES.activate.uniform(device, {
    hidden,
    stride: packed.stride,
    strideOut: out.stride,
    limit: clamp?.limit ?? 0,
    alpha: clamp?.alpha ?? 0,
  });
  const kernel = activateKernel(activation, gated, clamp !== undefined);
  const bound = [shape, packed.buffer, out.buffer];
  return { kernel: () => kernel, buffers: () => bound, grid: ({ rows }) => [Math.ceil(hidden / 64), rows * used] };
}

/** The experts of each row, [rows, used] in `chosen` (u32) and their weights, by a router's scores. */
export function routeStep(
  { device }: Bench,
  { count, used, share }: ExpertsSpec,
  scores: Plane,
  chosen: GPUBuffer,
  weights: GPUBuffer,
): Step {
  const shape = SHAPES.route.uniform(device, { experts: count, stride: scores.stride });
  const kernel = routeKernel(used, share === "all");
  const bound = [shape, scores.buffer, chosen, weights];
  return { kernel: () => kernel, buffers: () => bound, grid: ({ rows }) => [rows, 1] };
}

/** `results` [rows · used, width], weighted and added up. */
export function combineStep(
  { device }: Bench,
  used: number,
  width: number,
  results: Plane,
  weights: GPUBuffer,
  out: Plane,
): Step {
  const shape = SHAPES.combine.uniform(device, { width, stride: results.stride, strideOut: out.stride });
  const kernel = combineKernel(used);
  const bound = [shape, results.buffer, weights, out.buffer];
  return { kernel: () => kernel, buffers: () => bound, grid: ({ rows }) => [Math.ceil(width / 64), rows] };
}

/** The likeliest token of each row, the runner-up and the sum of the soft-max: of slices, then joined. */
export function bestSteps({ device, pass }: Bench, vocab: number, logits: GrowingBuffer, best: GPUBuffer): Step[] {
  const slices = Math.ceil(vocab / BEST_SLICE);
  const parts = device.storage(MOST_ROWS * slices * BEST_WORDS * 4, "parts of best");
  const shape = SHAPES.bestSlices.uniform(device, { vocab });
  const joined = SHAPES.best.uniform(device, { slices });
  const [part, join] = [bestSlicesKernel(), bestKernel()];
  return [
    {
      kernel: () => part,
      buffers: () => [pass, shape, logits.buffer, parts],
      grid: ({ scored }) => [slices, scored],
    },
    { kernel: () => join, buffers: () => [pass, joined, parts, best], grid: ({ scored }) => [scored, 1] },
  ];
}

/** Probabilities at the pass's temperature, [scored, vocab]; after `bestSteps`. */
export function softmaxStep(
  { device, pass }: Bench,
  vocab: number,
  logits: GrowingBuffer,
  best: GPUBuffer,
  probabilities: GrowingBuffer,
): Step {
  const shape = SHAPES.softmax.uniform(device, { vocab });
  const kernel = softmaxKernel();
  return {
    kernel: () => kernel,
    buffers: () => [pass, shape, logits.buffer, best, probabilities.buffer],
    grid: ({ scored }) => [Math.ceil(vocab / 256), scored],
    needed: ({ parts }) => parts?.includes("probabilities") ?? false,
  };
}

/** The likeliest tokens of each row, [scored, MOST_CANDIDATES] of (token, its score's bits). */
export function candidatesStep({ device }: Bench, vocab: number, logits: GrowingBuffer, out: GPUBuffer): Step {
  const shape = SHAPES.candidates.uniform(device, { vocab });
  const kernel = candidatesKernel();
  return {
    kernel: () => kernel,
    buffers: () => [shape, logits.buffer, out],
    grid: ({ scored }) => [scored, 1],
    needed: ({ parts }) => parts?.includes("candidates") ?? false,
  };
}

/** Encodes steps, with bind groups that last as long as the buffers stay the same. */
export class Recorder {
  readonly #bound = new Map<Step, Map<Pipeline, { buffers: readonly GPUBuffer[]; group: GPUBindGroup }>>();

  constructor(private readonly device: Device) {}

  /** The steps that have anything to do at this width. */
  static needed(steps: readonly Step[], width: Width): readonly Step[] {
    return steps.filter((step) => step.needed?.(width) ?? true);
  }

  /** Compiles what `steps` need for this width; afterwards `record` does not wait. */
  async prepare(steps: readonly Step[], width: Width): Promise<Pipeline[]> {
    const pipelines: Pipeline[] = [];
    for (const step of steps) {
      const kernel = step.kernel(width);
      pipelines.push(this.device.compiled(kernel) ?? await this.device.pipeline(kernel));
    }
    return pipelines;
  }

  record(
    encoder: GPUCommandEncoder,
    steps: readonly Step[],
    pipelines: readonly Pipeline[],
    width: Width,
    caches: readonly GPUBuffer[],
  ): void {
    const pass = encoder.beginComputePass();
    steps.forEach((step, i) => {
      const buffers = step.buffers(step.layer === undefined ? undefined : caches[step.layer], width);
      const [x, y, z] = step.grid(width);
      pass.setPipeline(pipelines[i].pipeline);
      pass.setBindGroup(0, this.#group(step, pipelines[i], buffers));
      pass.dispatchWorkgroups(x, y, z);
    });
    pass.end();
    this.device.counts.dispatches += steps.length;
  }

  #group(step: Step, pipeline: Pipeline, buffers: readonly GPUBuffer[]): GPUBindGroup {
    let groups = this.#bound.get(step);
    if (!groups) this.#bound.set(step, groups = new Map());
    const known = groups.get(pipeline);
    if (known && known.buffers.every((buffer, i) => buffer === buffers[i])) return known.group;
    const group = this.device.bind(pipeline, buffers);
    groups.set(pipeline, { buffers, group });
    return group;
  }
}
