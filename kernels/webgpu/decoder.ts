// Any ModelSpec as a list of steps: what one pass runs on the device, from embedded rows to logits.
import { MOST_CANDIDATES } from "../../src/backend.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { ExpertsSpec, FeedForwardSpec, LayerSpec } from "../../src/model/spec/spec.ts";
import { type Rotation, rotationsOf } from "../rope.ts";
import type { Device } from "./device.ts";
import { Embedding } from "./embed.ts";
import { BEST_WORDS, MOST_ROWS, type RotateVariant, SHAPES } from "./kernels.ts";
import { shaped, uploadExperts, uploadFloats, uploadMatrix, uploadPaired } from "./matrix.ts";
import {
  activateStep,
  attentionSteps,
  type Bench,
  bestSteps,
  type Block,
  candidatesStep,
  combineStep,
  type GrowingBuffer,
  matmulStep,
  normStep,
  type Plane,
  rotateStep,
  routeStep,
  runs,
  softmaxStep,
  type Step,
  type Width,
  within,
} from "./steps.ts";
import { States } from "./states.ts";

/** Everything about a model that lies on the device. */
export interface Decoder {
  readonly steps: readonly Step[];
  /** The last of the steps: what they make of the logits. */
  readonly ends: readonly Step[];
  /** What a pass is told, as ops/pass.wgsl says. */
  readonly pass: GPUBuffer;
  readonly embedding: Embedding;
  /** Depth of each row, then the rows on its path, [rows] and [rows, rows]. */
  readonly tree: GPUBuffer;
  /** Cosines and sines by row, one table after the other. */
  readonly angles: GPUBuffer;
  readonly ropes: readonly { readonly spec: Rotation; readonly from: number }[];
  readonly states: States;
  /** [scored, vocab]; grown before a pass that needs more. */
  readonly logits: GrowingBuffer;
  /** What split attention leaves for its merge; grown like the logits. */
  readonly parts: GrowingBuffer;
  /** [MOST_ROWS, BEST_WORDS], as ops/best.wgsl says. */
  readonly best: GPUBuffer;
  /** [MOST_ROWS, MOST_CANDIDATES, 2], as ops/candidates.wgsl says. */
  readonly candidates: GPUBuffer;
  /** [scored, vocab]; grown like the logits. */
  readonly probabilities: GrowingBuffer;
}

const nameOf = ({ kind, layer }: Block, part: string) => `layers.${layer}.${kind}.${part}`;

const round8 = (length: number) => Math.ceil(length / 8) * 8;

/** Uploads the weights. `progress` is told the fraction that is done. Throws HunchError about missing tensors. */
export async function buildDecoder(
  device: Device,
  source: ModelSource,
  exact: boolean,
  progress?: (fraction: number) => void,
): Promise<Decoder> {
  const { spec } = source;
  const { width } = spec;
  const bench: Bench = { device, pass: SHAPES.pass.room(device, "pass"), nothing: device.storage(16, "nothing") };
  const steps: Step[] = [];
  const planes = new Map<string, Plane>();
  /** `slots`: rows for each row of a pass. */
  const plane = (role: string, width: number, slots = 1): Plane => {
    const stride = round8(width);
    const key = `${role} ${slots} ${stride}`;
    let known = planes.get(key);
    if (!known) planes.set(key, known = { buffer: device.storage(MOST_ROWS * slots * stride * 4, key), stride });
    return known;
  };
  const vector = (name: string, ...lengths: number[]): GPUBuffer | undefined =>
    source.has(name)
      ? uploadFloats(device, shaped(source, name, ...lengths.map((length) => [length])).floats(), name)
      : undefined;
  const matrix = (parts: Parameters<typeof uploadMatrix>[2], columns: number) =>
    uploadMatrix(device, source, parts, columns, exact);
  const multiply = (x: Plane, parts: { name: string; rows: number }[], columns: number, out: Plane) => {
    for (const piece of matrix(parts, columns).pieces) steps.push(matmulStep(bench, x, piece, out, out.stride));
  };

  const x = plane("stream", spec.width);
  const layerNorm = spec.norm.kind === "layer";
  const { epsilon } = spec.norm;
  /** What a block has computed, to be added to the stream before anyone reads it. */
  let pending: { block: Block; plane: Plane; post?: GPUBuffer; scale: number } | undefined;
  /** Adds what is pending to the stream, where that block is run, and writes `out` where a norm is named. */
  const normed = (name?: string, out?: Plane) => {
    const added = pending;
    return {
      variant: {
        delta: added !== undefined,
        post: added?.post !== undefined,
        norm: name !== undefined,
        layer: layerNorm,
        final: false,
      },
      width,
      epsilon,
      x,
      delta: added,
      gain: name ? vector(`${name}.weight`, width) : undefined,
      bias: name ? vector(`${name}.bias`, width) : undefined,
      out,
      adds: (at: Width) => added !== undefined && runs(added.block, at),
    };
  };
  /** The stream as a block reads it: normalised where the model has a norm before the block. */
  const input = (block: Block, role: string): Plane => {
    const name = nameOf(block, "norm");
    const out = source.has(`${name}.weight`) ? plane(role, width) : undefined;
    if (out) steps.push(normStep(bench, { ...normed(name, out), writes: (at) => runs(block, at) }));
    else if (pending) steps.push(normStep(bench, normed()));
    pending = undefined;
    return out ?? x;
  };
  /** The steps of a block, which a pass may leave out. */
  const inBlock = (block: Block, make: () => Plane): Plane => {
    const from = steps.length;
    const out = make();
    for (let at = from; at < steps.length; at++) steps[at] = within(block, steps[at]);
    return out;
  };

  const { ropes: specs, ofKeys, ofQueries } = rotationsOf(spec);
  let anglesLength = 0;
  const ropes = specs.map((spec) => {
    const from = anglesLength;
    anglesLength += MOST_ROWS * spec.dimensions;
    return { spec, from };
  });
  const angles = device.storage(anglesLength * 4, "angles");
  const tree = device.storage((MOST_ROWS + MOST_ROWS * MOST_ROWS) * 4, "tree");

  const parts: GrowingBuffer = { buffer: device.storage(16, "parts of attention") };

  const attend = (layer: LayerSpec, n: number, from: Plane): Plane => {
    const { heads, kvHeads, headSize, scale, rope, window, softcap } = layer.attention;
    const name = `layers.${n}.attention`;
    const [queries, keys] = [heads * headSize, kvHeads * headSize];
    const packed = plane("queries, keys, values", queries + 2 * keys);
    const names = [["q", queries], ["k", keys], ["v", keys]] as const;
    multiply(from, names.map(([part, rows]) => ({ name: `${name}.${part}`, rows })), spec.width, packed);
    const query = plane("queries", queries);
    const gainQuery = vector(`${name}.qNorm.weight`, headSize, queries);
    const gainKey = vector(`${name}.kNorm.weight`, headSize, keys);
    const overAll = gainQuery !== undefined && source.tensor(`${name}.qNorm.weight`).shape[0] !== headSize;
    const normed: RotateVariant["normed"] = !gainQuery ? "none" : overAll ? "all" : "head";
    steps.push(rotateStep(bench, {
      variant: { headSize, normed, layer: layerNorm, rope: rope !== undefined },
      layer: n,
      heads,
      kvHeads,
      packed,
      query,
      angles,
      anglesOfKeys: rope ? ropes[ofKeys[n]].from : 0,
      anglesOfQueries: rope ? ropes[ofQueries[n]].from : 0,
      half: rope ? rope.dimensions / 2 : 0,
      interleaved: rope?.interleaved ?? false,
      epsilon,
      gainQuery,
      gainKey,
    }));
    const mixed = plane("mixed", queries);
    steps.push(...attentionSteps(bench, {
      layer: n,
      heads,
      kvHeads,
      headSize,
      window,
      scale,
      cap: softcap,
      query,
      tree,
      mixed,
      parts,
      sinks: vector(`${name}.sinks`, heads),
    }));
    const out = plane("attended", spec.width);
    multiply(mixed, [{ name: `${name}.output`, rows: spec.width }], queries, out);
    return out;
  };

  /** Every row goes through some of the experts: as many rows of products, each with a matrix of its own. */
  const mix = (spec: FeedForwardSpec, experts: ExpertsSpec, n: number, from: Plane): Plane => {
    const { hidden, gated, activation, clamp } = spec;
    const { count, used } = experts;
    const name = `layers.${n}.feedForward`;
    const scores = plane("scores of experts", count);
    multiply(from, [{ name: `${name}.router`, rows: count }], width, scores);
    const chosen = plane("experts", used).buffer;
    const weights = plane("weights of experts", used).buffer;
    steps.push(routeStep(bench, experts, scores, chosen, weights));
    const product = (
      x: Plane,
      shared: boolean,
      parts: readonly string[],
      rows: number,
      columns: number,
      role: string,
    ) => {
      const names = Array.from({ length: count }, (_, e) => parts.map((part) => `${name}.experts.${e}.${part}`));
      const piece = uploadExperts(device, source, names, rows, columns, exact);
      const out = plane(role, piece.outputs, used);
      steps.push(matmulStep(bench, x, piece, out, out.stride, { experts: { used, shared, chosen } }));
      return out;
    };
    const packed = product(from, true, gated ? ["gate", "up"] : ["up"], hidden, width, "gates of experts");
    const middle = plane("activated by experts", hidden, used);
    steps.push(activateStep(bench, activation, gated, hidden, packed, middle, { clamp, used }));
    const results = product(middle, false, ["down"], width, hidden, "results of experts");
    const out = plane("fed", width);
    steps.push(combineStep(bench, used, width, results, weights, out));
    return out;
  };

  const feed = (layer: LayerSpec, n: number, from: Plane): Plane => {
    const { hidden, gated, activation, experts } = layer.feedForward;
    if (experts) return mix(layer.feedForward, experts, n, from);
    const name = `layers.${n}.feedForward`;
    const middle = plane("activated", hidden);
    const names = [`${name}.gate`, `${name}.up`] as const;
    const pair = gated ? uploadPaired(device, source, names, hidden, spec.width, exact) : undefined;
    if (pair) {
      steps.push(matmulStep(bench, from, pair, middle, middle.stride, { paired: activation }));
    } else {
      const parts = (gated ? names : [names[1]]).map((name) => ({ name, rows: hidden }));
      const packed = plane(gated ? "gates" : "ups", hidden * parts.length);
      multiply(from, parts, spec.width, packed);
      steps.push(activateStep(bench, activation, gated, hidden, packed, middle));
    }
    const out = plane("fed", spec.width);
    multiply(middle, [{ name: `${name}.down`, rows: spec.width }], hidden, out);
    return out;
  };

  const states = new States(bench, width, x.stride);
  for (const [n, layer] of spec.layers.entries()) {
    const attention: Block = { kind: "attention", layer: n };
    const feedForward: Block = { kind: "feedForward", layer: n };
    const run = (block: Block, from: Plane) => ({
      block,
      plane: inBlock(block, () => block === attention ? attend(layer, n, from) : feed(layer, n, from)),
      post: vector(`${nameOf(block, "postNorm")}.weight`, width),
      scale: layer.residualScale,
    });
    const attentionInput = input(attention, "normalised");
    steps.push(states.step(n, x));
    if (layer.parallel) {
      const feedInput = input(feedForward, "normalised for the feed-forward");
      const attended = run(attention, attentionInput);
      const fed = run(feedForward, feedInput);
      pending = attended;
      steps.push(normStep(bench, normed()));
      pending = fed;
    } else {
      pending = run(attention, attentionInput);
      pending = run(feedForward, input(feedForward, "normalised"));
    }
    progress?.((n + 1) / (spec.layers.length + 1));
    await device.settle(); // uploads are copied on the way: not the whole model at once
  }

  const last = plane("last", width);
  const final = normed("norm", last);
  const depth = spec.layers.length;
  /** Whether states behind the last layer are wanted: of every row then, not only of those that get scores. */
  const everyRow = ({ taps }: Width) => taps?.some((tap) => tap === depth || tap === "head") ?? false;
  steps.push(
    normStep(bench, { ...final, adds: (at) => everyRow(at) && final.adds(at), writes: everyRow }),
    states.step(depth, x),
    states.step("head", last),
    normStep(bench, {
      ...final,
      variant: { ...final.variant, final: true },
      adds: (at) => !everyRow(at) && final.adds(at),
      writes: (at) => !everyRow(at) || at.scored < at.rows,
    }),
  );
  const logits: GrowingBuffer = { buffer: device.storage(spec.vocab * 4, "logits") };
  const tied = !source.has("output.weight");
  const head = matrix([{ name: tied ? "embed" : "output", bias: "output.bias", rows: spec.vocab }], spec.width);
  const embedding = new Embedding(bench, source, x, tree, {
    table: tied ? head : undefined,
    positions: source.has("positions.weight")
      ? matrix([{ name: "positions", rows: spec.context }], spec.width)
      : undefined,
  });
  const shaping = { scale: spec.logitScale, cap: spec.logitSoftcap ?? 0 };
  for (const piece of head.pieces) steps.push(matmulStep(bench, last, piece, logits, spec.vocab, { logits: shaping }));
  const best = device.storage(MOST_ROWS * BEST_WORDS * 4, "best");
  const candidates = device.storage(MOST_ROWS * MOST_CANDIDATES * 8, "candidates");
  const probabilities: GrowingBuffer = { buffer: device.storage(16, "probabilities") };
  const ends = [
    ...bestSteps(bench, spec.vocab, logits, best),
    candidatesStep(bench, spec.vocab, logits, candidates),
    softmaxStep(bench, spec.vocab, logits, best, probabilities),
  ];
  steps.push(...ends);
  progress?.(1);
  return {
    steps: [...embedding.steps, ...steps],
    ends,
    pass: bench.pass,
    embedding,
    tree,
    angles,
    ropes,
    states,
    logits,
    parts,
    best,
    candidates,
    probabilities,
  };
}
