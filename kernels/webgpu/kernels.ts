// The kernels as the device takes them: WGSL with the constants it was written for in front, and the uniform structures
// that it declares.
import type { Activation } from "../../src/model/spec/spec.ts";
import type { Kernel } from "./device.ts";
import type { Features } from "./features.ts";
import { kernelOf, Structure } from "./layout.ts";
import actCode from "./ops/act.wgsl" with { type: "text" };
import activateCode from "./ops/activate.wgsl" with { type: "text" };
import attentionCode from "./ops/attention.wgsl" with { type: "text" };
import beatsCode from "./ops/beats.wgsl" with { type: "text" };
import bestCode from "./ops/best.wgsl" with { type: "text" };
import bestSlicesCode from "./ops/best-slices.wgsl" with { type: "text" };
import candidatesCode from "./ops/candidates.wgsl" with { type: "text" };
import combineCode from "./ops/combine.wgsl" with { type: "text" };
import compactCode from "./ops/compact.wgsl" with { type: "text" };
import embedCode from "./ops/embed.wgsl" with { type: "text" };
import exchangeCode from "./ops/fold-exchange.wgsl" with { type: "text" };
import shuffleCode from "./ops/fold-shuffle.wgsl" with { type: "text" };
import halvesCode from "./ops/halves.wgsl" with { type: "text" };
import matmulCode from "./ops/matmul.wgsl" with { type: "text" };
import mergeCode from "./ops/merge.wgsl" with { type: "text" };
import normCode from "./ops/norm.wgsl" with { type: "text" };
import passCode from "./ops/pass.wgsl" with { type: "text" };
import reduceCode from "./ops/reduce.wgsl" with { type: "text" };
import rotateCode from "./ops/rotate.wgsl" with { type: "text" };
import routeCode from "./ops/route.wgsl" with { type: "text" };
import scalesCode from "./ops/scales.wgsl" with { type: "text" };
import segmentsCode from "./ops/segments.wgsl" with { type: "text" };
import softmaxCode from "./ops/softmax.wgsl" with { type: "text" };
import tapCode from "./ops/tap.wgsl" with { type: "text" };
import twoCode from "./ops/two.wgsl" with { type: "text" };
import weightCode from "./ops/weight.wgsl" with { type: "text" };
import b4Code from "./ops/weights-b4.wgsl" with { type: "text" };
import b8Code from "./ops/weights-b8.wgsl" with { type: "text" };
import bf16Code from "./ops/weights-bf16.wgsl" with { type: "text" };
import f16Code from "./ops/weights-f16.wgsl" with { type: "text" };
import f16NativeCode from "./ops/weights-f16-native.wgsl" with { type: "text" };
import f32Code from "./ops/weights-f32.wgsl" with { type: "text" };

/** Most rows of one pass. */
export const MOST_ROWS = 128;

/** How a matrix lies in the device's memory. */
export type WeightForm = { readonly kind: "f32" | "f16" | "bf16" } | BlockForm;

/** The exact container, as src/model/tensors/blocks.ts has it. */
export interface BlockForm {
  readonly kind: "b4" | "b8";
  readonly block: number;
  readonly affine: boolean;
  /** Scales and offsets are float16; `shift` scales are added to an offset. */
  readonly half?: { readonly shift: number };
}

/** Rows that a workgroup of a matrix product takes on; each is a pipeline of its own, with the same arithmetic. */
const ROW_TILES = [1, 2, 4, 8, 16, 32, 64] as const;

export function rowTile(rows: number): number {
  return ROW_TILES.find((tile) => tile >= rows) ?? ROW_TILES[ROW_TILES.length - 1];
}

/** Threads that share a sum, and groups of them in a workgroup, as ops/matmul.wgsl has them. */
const LANES = 16;
const GROUPS = 4;

/** Neighbouring outputs per thread: a number of x serves all of them. */
const COLUMNS = 4;

/** How a workgroup of a matrix product shares out a tile of so many rows. */
interface Tiling {
  /** Rows per thread. */
  readonly rows: number;
  readonly rowGroups: number;
  /** Units that a thread takes at a time. */
  readonly ahead: number;
}

function tiling(tile: number): Tiling {
  // A weight serves every row of a thread, but 64 sums are what all GPUs have registers for. With few rows a thread asks
  // for more at a time, because then only the memory's latency counts.
  const rows = Math.min(tile, 16);
  return { rows, rowGroups: tile / rows, ahead: Math.max(1, 4 / tile) };
}

/** Outputs that one workgroup of a matrix product computes. */
export function outputsPerGroup(tile: number): number {
  return COLUMNS * GROUPS / tiling(tile).rowGroups;
}

export function constants(values: Readonly<Record<string, number | boolean>>): string {
  return Object.entries(values).map(([name, value]) =>
    typeof value === "boolean" ? `const ${name} = ${value};\n` : `const ${name} = ${value}u;\n`
  ).join("");
}

/** The uniform structures, by the kernels that take them. */
export const SHAPES = {
  pass: new Structure(passCode, "Pass"),
  activate: new Structure(activateCode),
  attention: new Structure(segmentsCode), // and of the kernel that merges
  best: new Structure(bestCode),
  bestSlices: new Structure(bestSlicesCode),
  candidates: new Structure(candidatesCode),
  combine: new Structure(combineCode),
  compact: new Structure(compactCode, "Move"),
  embed: new Structure(embedCode),
  matmul: new Structure(matmulCode),
  norm: new Structure(normCode),
  rotate: new Structure(rotateCode),
  route: new Structure(routeCode),
  softmax: new Structure(softmaxCode),
  tap: new Structure(tapCode),
} as const;

const matmuls = new Map<string, Kernel>();

const ACTIVATIONS = { silu: 0, gelu: 1, "gelu-tanh": 2 } as const;

/** Rows that go through experts of their own: the product has as many rows for each row of the pass. */
export interface Slots {
  readonly used: number;
  /** They read one row of x, otherwise each its own. */
  readonly shared: boolean;
}

export interface MatmulVariant {
  /** Neighbouring outputs are gate and up, which this activation makes one number of. */
  readonly paired?: Activation;
  /** Every row has a matrix of its own, so that `tile` is 1; a binding after the weights tells which. */
  readonly slots?: Slots;
}

export function matmulKernel(form: WeightForm, tile: number, features: Features, variant: MatmulVariant = {}): Kernel {
  const { paired, slots } = variant;
  const key = `${JSON.stringify([form, features])} ${tile} ${paired} ${slots?.used} ${slots?.shared}`;
  let kernel = matmuls.get(key);
  if (!kernel) matmuls.set(key, kernel = makeMatmul(form, tile, features, variant)); // asked for at every step of every pass
  return kernel;
}

/** Where the rows of a row's matrix start: of its expert's, by a binding after those of the weights, or of the only one. */
function matrixOf(weights: string, slots: Slots | undefined): string {
  if (!slots) return "fn matrix_of(row: u32) -> u32 {\n  return 0u;\n}\n";
  const binding = 5 + weights.split("@binding").length - 1;
  return `@group(0) @binding(${binding}) var<storage, read> chosen: array<u32>;\n` +
    "fn matrix_of(row: u32) -> u32 {\n  return chosen[row] * shape.outputs;\n}\n";
}

function makeMatmul(form: WeightForm, tile: number, features: Features, { paired, slots }: MatmulVariant): Kernel {
  const { rows, rowGroups, ahead } = tiling(tile);
  const weights = weightsOf(form, features);
  const values = {
    ROWS: rows,
    COLUMNS,
    ROW_GROUPS: rowGroups,
    AHEAD: ahead,
    PAIRED: paired !== undefined,
    ACTIVATION: ACTIVATIONS[paired ?? "silu"],
    SLOTS: slots?.used ?? 1,
    SHARED: slots?.shared ? slots.used : 1,
    ...weights.values,
  };
  return kernelOf(
    `matmul ${form.kind} of ${tile} rows`,
    (features.subgroups > 1 ? "enable subgroups;\n" : "") + weights.enabled + constants(values) + passCode +
      actCode + matmulCode + folding(rows * COLUMNS / 2, features.subgroups) + weights.code +
      matrixOf(weights.code, slots),
  );
}

/** What a kernel that reads weights takes in for their form. */
interface WeightCode {
  /** Goes first. */
  readonly enabled: string;
  readonly values: Readonly<Record<string, number | boolean>>;
  /** With bindings from 5 on. */
  readonly code: string;
}

function weightsOf(form: WeightForm, features: Features): WeightCode {
  const KEEPS_SUBNORMALS = features.subnormals;
  if (form.kind === "b4" || form.kind === "b8") {
    return {
      enabled: "",
      values: {
        BLOCK: form.block,
        AFFINE: form.affine,
        HALF: form.half !== undefined,
        SHIFT: form.half?.shift ?? 0,
        KEEPS_SUBNORMALS,
      },
      code: halvesCode + scalesCode + (form.kind === "b4" ? b4Code : b8Code),
    };
  }
  if (form.kind !== "f16") return { enabled: "", values: {}, code: form.kind === "bf16" ? bf16Code : f32Code };
  return features.float16
    ? { enabled: "enable f16;\n", values: {}, code: f16NativeCode }
    : { enabled: "", values: { KEEPS_SUBNORMALS }, code: halvesCode + f16Code };
}

/** `positions`: rows of a table of learned positions are added. */
export function embedKernel(form: WeightForm, positions: boolean, features: Features): Kernel {
  const { enabled, values, code } = weightsOf(form, features);
  return kernelOf(
    `embed ${form.kind}`,
    enabled + constants({ POSITIONS: positions, ...values }) + passCode + embedCode + code,
  );
}

/** The steps that add up the lanes of a matrix product: by shuffles within subgroups, then by workgroup memory. */
function folding(items: number, subgroups: number): string {
  const steps: string[] = [];
  let turn = 0;
  for (let stride = 1; stride < LANES; stride *= 2) {
    const kept = Math.floor(items / stride / 2);
    if (stride < subgroups) steps.push(`  shuffle(sums, thread, ${kept}u, ${stride}u);`);
    else {
      steps.push(`  exchange(sums, thread, ${kept}u, ${stride}u, ${turn % 2}u);`);
      turn += Math.max(1, kept);
    }
  }
  return (subgroups > 1 ? shuffleCode : "") + (subgroups < LANES ? exchangeCode : "") +
    `fn fold(sums: ptr<function, array<vec2f, ITEMS>>, thread: u32) {\n${steps.join("\n")}\n}\n`;
}

export interface NormVariant {
  readonly delta: boolean;
  readonly post: boolean;
  readonly norm: boolean;
  readonly layer: boolean;
  readonly final: boolean;
}

const norms = new Map<string, Kernel>();

export function normKernel({ delta, post, norm, layer, final }: NormVariant): Kernel {
  const values = { SUMS: 1, DELTA: delta, POST: delta && post, NORM: norm, LAYER: layer, FINAL: final };
  const key = Object.values(values).join(" ");
  let kernel = norms.get(key);
  if (!kernel) {
    norms.set(key, kernel = kernelOf("norm", constants(values) + passCode + reduceCode + normCode));
  }
  return kernel;
}

/** Groups of four that a head of keys or values takes in the cache, the last filled up with zeros. */
export function quads(headSize: number): number {
  return Math.ceil(headSize / 4);
}

export interface RotateVariant {
  readonly headSize: number;
  readonly normed: "none" | "head" | "all";
  readonly layer: boolean;
  readonly rope: boolean;
}

export function rotateKernel({ headSize, normed, layer, rope }: RotateVariant): Kernel {
  const values = {
    SUMS: 1,
    HEAD: headSize,
    QUADS: quads(headSize),
    NORMED: { none: 0, head: 1, all: 2 }[normed],
    LAYER: layer,
    ROPE: rope,
  };
  return kernelOf("rotate", constants(values) + passCode + reduceCode + rotateCode);
}

/** Keys of one segment of attention, as ops/segments.wgsl has it. */
export const SEGMENT = 512;

const attentions = new Map<string, Kernel>();

/**
 * `queries`: heads of rows that one workgroup takes, with the same arithmetic. `split`: each segment of keys has a
 * workgroup of its own, and `mergeKernel` follows.
 */
export function attentionKernel(headSize: number, queries: number, split: boolean, sinks = false): Kernel {
  const key = `${headSize} ${queries} ${split} ${sinks}`;
  let kernel = attentions.get(key);
  if (!kernel) attentions.set(key, kernel = makeAttention(headSize, queries, split, sinks));
  return kernel;
}

/**
 * What the sum of a head's values is divided by: its weights, and with `sinks` [heads], bound at `binding`, the weight of a
 * score that no value stands for.
 */
function divisor(sinks: boolean, binding: number): string {
  const sum = sinks ? "merged.sum + exp(sinks[slot] - merged.most)" : "merged.sum";
  return (sinks ? `@group(0) @binding(${binding}) var<storage, read> sinks: array<f32>;\n` : "") +
    `fn divisor(merged: Merged, slot: u32) -> f32 {\n  return ${sum};\n}\n`;
}

function makeAttention(headSize: number, queries: number, split: boolean, sinks: boolean): Kernel {
  const values = { SUMS: queries, QUERIES: queries, HEAD: headSize, QUADS: quads(headSize), SPLIT: split };
  return kernelOf(
    `attention of ${queries} queries${split ? ", split" : ""}`,
    constants(values) + passCode + reduceCode + segmentsCode + divisor(sinks, 6) + attentionCode,
  );
}

export function mergeKernel(headSize: number, sinks = false): Kernel {
  return kernelOf("merge", constants({ HEAD: headSize }) + passCode + segmentsCode + divisor(sinks, 5) + mergeCode);
}

/** `all`: weights are shares among all experts, otherwise among the chosen. */
export function routeKernel(used: number, all: boolean): Kernel {
  return kernelOf("route", constants({ USED: used, ALL: all }) + routeCode);
}

export function combineKernel(used: number): Kernel {
  return kernelOf("combine", constants({ USED: used }) + combineCode);
}

export function activateKernel(activation: Activation, gated: boolean, clamped = false): Kernel {
  return kernelOf(
    `activate ${activation}`,
    constants({ ACTIVATION: ACTIVATIONS[activation], GATED: gated, CLAMPED: clamped }) + passCode + actCode +
      activateCode,
  );
}

export function compactKernel(): Kernel {
  return kernelOf("compact", compactCode);
}

/** Words of a row of results, as ops/best.wgsl has them. */
export const BEST_WORDS = 8;

/** Which of them says that a score is infinite or no number. */
export const BROKEN = 5;

/** Neighbouring scores that one workgroup of `bestSlicesKernel` looks through, as ops/best-slices.wgsl has them. */
export const BEST_SLICE = 2048;

export function bestSlicesKernel(): Kernel {
  return kernelOf("best of slices", passCode + weightCode + beatsCode + twoCode + bestSlicesCode);
}

export function bestKernel(): Kernel {
  return kernelOf("best", passCode + weightCode + beatsCode + twoCode + bestCode);
}

export function softmaxKernel(): Kernel {
  return kernelOf("softmax", passCode + weightCode + softmaxCode);
}

export function tapKernel(): Kernel {
  return kernelOf("tap", tapCode);
}

export function candidatesKernel(): Kernel {
  return kernelOf("candidates", beatsCode + candidatesCode);
}
