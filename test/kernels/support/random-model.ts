// Random tiny models that between them use every feature a ModelSpec can ask for, so that engines can be compared on
// what no model file in the tests happens to have. The same seed gives the same model.
import type { Case } from "../../../src/check/conformance/case.ts";
import type { ModelSource } from "../../../src/model/source.ts";
import type { TensorType } from "../../../src/model/tensors/tensor.ts";
import type { LayerSpec, ModelSpec, RopeSpec } from "../../../src/model/spec/spec.ts";
import { skippable } from "../../support/skip.ts";
import { memorySource, type MemoryTensor } from "./memory-source.ts";
import { pack } from "./pack.ts";
import { type Random, randomFrom } from "./random.ts";

/** Which optional tensors a model has, beside what its spec says. */
export interface Extras {
  readonly tied: boolean;
  readonly outputBias: boolean;
  readonly positions: boolean;
  readonly qkvBias: boolean;
  readonly attentionOutputBias: boolean;
  readonly feedForwardBias: boolean;
  readonly normBias: boolean;
  readonly qkNorm: "none" | "head" | "all";
  readonly norms: "before" | "after" | "both";
}

export interface RandomModel {
  readonly source: ModelSource;
  readonly extras: Extras;
  /** What is special about it, for people who must find out why a test fails. */
  readonly summary: string;
}

export interface RandomModelOptions {
  /** Fixes parts of the spec; the rest stays random. */
  readonly spec?: Partial<ModelSpec>;
  readonly layer?: Partial<Omit<LayerSpec, "attention" | "feedForward">>;
  readonly attention?: Partial<LayerSpec["attention"]>;
  readonly feedForward?: Partial<LayerSpec["feedForward"]>;
  readonly extras?: Partial<Extras>;
  /** Stores matrices so, and means what is stored. F32 where absent. */
  readonly type?: TensorType & ("F32" | "Q4_0" | "Q4_1" | "Q8_0");
  /** Gives every second token the same embedding and output row as the one before: ties everywhere. */
  readonly ties?: boolean;
}

export function randomModel(seed: number, options: RandomModelOptions = {}): RandomModel {
  const random = randomFrom(seed);
  const spec = randomSpec(random, options);
  const extras = { ...randomExtras(random, spec), ...options.extras };
  const tensors = randomTensors(random, spec, extras, options);
  const summary = describe(spec, extras);
  return { source: memorySource(spec, tensors, `random model ${seed}`), extras, summary };
}

/** `run`, whose failures say what is special about the model. */
export function explained(summary: string, run: Case["run"]): ReturnType<typeof skippable> {
  return skippable(() =>
    run().catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error} [${summary}]`, { cause: error });
    })
  );
}

function randomSpec(random: Random, options: RandomModelOptions): ModelSpec {
  const width = options.spec?.width ?? random.of([32, 64, 96]);
  const context = options.spec?.context ?? 128;
  const headSize = options.attention?.headSize ?? random.of([8, 12, 16, 32]);
  const kvHeads = options.attention?.kvHeads ?? random.of([1, 2, 3]);
  const heads = options.attention?.heads ?? kvHeads * random.of([1, 2, 3]);
  const rotary = random.chance(0.85);
  const [window, softcap] = [
    random.maybe(0.4, () => random.of([3, 8, 20])),
    random.maybe(0.3, () => random.of([5, 20])),
  ];
  const [parallel, residualScale] = [random.chance(0.2), random.maybe(0.3, () => random.between(0.2, 0.9)) ?? 1];
  const feedForward = {
    hidden: random.of([32, 64, 160]),
    activation: random.of(["silu", "gelu", "gelu-tanh"] as const),
    gated: random.chance(0.6),
    ...options.feedForward,
  };
  const rope = randomRope(random, headSize);
  const layer = (n: number): LayerSpec => ({
    attention: {
      heads,
      kvHeads,
      headSize,
      scale: random.between(0.7, 1.3) / Math.sqrt(headSize),
      rope: rotary && (n === 0 || random.chance(0.8)) ? rope : undefined,
      window: n % 2 === 0 ? window : undefined,
      softcap,
      ...options.attention,
    },
    feedForward,
    parallel,
    residualScale,
    ...options.layer,
  });
  return {
    architecture: "random",
    vocab: random.of([40, 64, 97]),
    width,
    context,
    layers: Array.from({ length: random.of([1, 2, 3]) }, (_, n) => layer(n)),
    norm: { kind: random.of(["rms", "rms", "layer"] as const), epsilon: random.of([1e-6, 1e-5]) },
    embeddingScale: random.maybe(0.3, () => random.between(1, 8)) ?? 1,
    logitScale: random.maybe(0.3, () => random.between(0.2, 2)) ?? 1,
    logitSoftcap: random.maybe(0.3, () => random.of([3, 30])),
    ...options.spec,
  };
}

function randomRope(random: Random, headSize: number): RopeSpec {
  const dimensions = random.chance(0.3) ? headSize / 2 : headSize;
  const base = random.of([100, 10_000, 500_000]);
  const stretch = random.maybe(0.3, () => random.of([2, 8])) ?? 1;
  return {
    frequencies: Float64Array.from({ length: dimensions / 2 }, (_, i) => base ** (-2 * i / dimensions) / stretch),
    magnitude: random.maybe(0.3, () => random.between(0.8, 1.4)) ?? 1,
    dimensions,
    interleaved: random.chance(0.3),
  };
}

function randomExtras(random: Random, spec: ModelSpec): Extras {
  return {
    tied: random.chance(0.4),
    outputBias: random.chance(0.2),
    positions: spec.layers.every((layer) => !layer.attention.rope) || random.chance(0.1),
    qkvBias: random.chance(0.4),
    attentionOutputBias: random.chance(0.3),
    feedForwardBias: random.chance(0.3),
    normBias: spec.norm.kind === "layer" && random.chance(0.7),
    qkNorm: random.of(["none", "none", "head", "all"] as const),
    norms: random.of(["before", "before", "after", "both"] as const),
  };
}

function randomTensors(
  random: Random,
  spec: ModelSpec,
  extras: Extras,
  { type = "F32", ties = false }: RandomModelOptions,
): Map<string, MemoryTensor> {
  const tensors = new Map<string, MemoryTensor>();
  const values = (length: number, mean: number, spread: number) =>
    Float32Array.from({ length }, () => mean + spread * random.normal());
  const vector = (name: string, length: number, mean: number, spread: number) =>
    void tensors.set(name, { shape: [length], values: values(length, mean, spread) });
  const table = (name: string, rows: number, columns: number, spread: number) => {
    const numbers = values(rows * columns, 0, spread);
    if (ties && rows === spec.vocab) {
      for (let row = 1; row < rows; row += 2) numbers.copyWithin(row * columns, (row - 1) * columns, row * columns);
    }
    tensors.set(name, pack([rows, columns], numbers, type));
  };
  const matrix = (name: string, rows: number, columns: number, bias: boolean) => {
    table(`${name}.weight`, rows, columns, 1 / Math.sqrt(columns));
    if (bias) vector(`${name}.bias`, rows, 0, 0.2);
  };
  const norm = (name: string, length: number) => {
    vector(`${name}.weight`, length, 1, 0.2);
    if (extras.normBias) vector(`${name}.bias`, length, 0, 0.2);
  };

  const { width, vocab } = spec;
  table("embed.weight", vocab, width, 1);
  if (extras.positions) {
    tensors.set("positions.weight", { shape: [spec.context, width], values: values(spec.context * width, 0, 0.5) });
  }
  spec.layers.forEach((layer, n) => {
    const { heads, kvHeads, headSize } = layer.attention;
    const { hidden, gated, experts } = layer.feedForward;
    const [attention, feedForward] = [`layers.${n}.attention`, `layers.${n}.feedForward`];
    if (extras.norms !== "after") norm(`${attention}.norm`, width);
    matrix(`${attention}.q`, heads * headSize, width, extras.qkvBias);
    matrix(`${attention}.k`, kvHeads * headSize, width, extras.qkvBias);
    matrix(`${attention}.v`, kvHeads * headSize, width, extras.qkvBias);
    matrix(`${attention}.output`, width, heads * headSize, extras.attentionOutputBias);
    if (extras.qkNorm !== "none") {
      const all = extras.qkNorm === "all";
      vector(`${attention}.qNorm.weight`, all ? heads * headSize : headSize, 1, 0.2);
      vector(`${attention}.kNorm.weight`, all ? kvHeads * headSize : headSize, 1, 0.2);
    }
    if (extras.norms !== "before") vector(`${attention}.postNorm.weight`, width, 1, 0.2);
    if (extras.norms !== "after") norm(`${feedForward}.norm`, width);
    const blocks = Array.from({ length: experts?.count ?? 0 }, (_, expert) => `${feedForward}.experts.${expert}`);
    for (const block of experts ? blocks : [feedForward]) {
      if (gated) matrix(`${block}.gate`, hidden, width, extras.feedForwardBias);
      matrix(`${block}.up`, hidden, width, extras.feedForwardBias);
      matrix(`${block}.down`, width, hidden, extras.feedForwardBias);
    }
    if (experts) matrix(`${feedForward}.router`, experts.count, width, extras.feedForwardBias);
    if (extras.norms !== "before") vector(`${feedForward}.postNorm.weight`, width, 1, 0.2);
  });
  norm("norm", width);
  if (!extras.tied) table("output.weight", vocab, width, 2 / Math.sqrt(width));
  if (extras.outputBias) {
    const bias = values(vocab, 0, 0.5);
    if (ties) bias.forEach((_, token) => bias[token] = bias[token & ~1]);
    tensors.set("output.bias", { shape: [vocab], values: bias });
  }
  return tensors;
}

function describe(spec: ModelSpec, extras: Extras): string {
  const [{ attention, feedForward, parallel, residualScale }] = spec.layers;
  const { rope } = attention;
  const said = {
    [`${spec.norm.kind} norm ${extras.norms}`]: true,
    [`${feedForward.activation}${feedForward.gated ? " gated" : ""}`]: true,
    [`${attention.heads}/${attention.kvHeads} heads of ${attention.headSize}`]: true,
    [`rope${rope?.interleaved ? " interleaved" : ""}${(rope?.dimensions ?? 0) < attention.headSize ? " partial" : ""}`]:
      !!rope,
    "rope magnitude": rope !== undefined && rope.magnitude !== 1,
    "no rope": spec.layers.every((layer) => !layer.attention.rope),
    "rope in some layers": rope !== undefined && spec.layers.some((layer) => !layer.attention.rope),
    "learned positions": extras.positions,
    [`window ${attention.window}`]: attention.window !== undefined,
    "attention cap": attention.softcap !== undefined,
    "logit cap": spec.logitSoftcap !== undefined,
    "qkv bias": extras.qkvBias,
    "output projection bias": extras.attentionOutputBias,
    "feed-forward bias": extras.feedForwardBias,
    "head bias": extras.outputBias,
    [`q and k norm per ${extras.qkNorm}`]: extras.qkNorm !== "none",
    parallel,
    "residual scale": residualScale !== 1,
    "embedding scale": spec.embeddingScale !== 1,
    "logit scale": spec.logitScale !== 1,
    tied: extras.tied,
  };
  return Object.keys(said).filter((key) => said[key]).join(", ");
}
