// One transformer as a graph: a ModelSpec and its tensors in, ONNX nodes out. Every architecture passes through here;
// the weight format decides how matrix products are written (see products.ts).
import type { Skip } from "../../src/backend.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { AttentionSpec, LayerSpec } from "../../src/model/spec/spec.ts";
import { type AttentionNodes, cacheName, type Part, PARTS } from "./attention/attention.ts";
import { blockAttention } from "./attention/blocks.ts";
import { feedForward, throughExperts } from "./feed-forward.ts";
import { GraphBuilder, type Result, type Value } from "./graph.ts";
import type { Products } from "./products.ts";
import { appendScores } from "./scores.ts";
import { appendState } from "./states.ts";
import { type Stack, STACKS } from "../converted.ts";
import { rotationsOf } from "../rope.ts";

/** Names of what a pass is fed, besides what attention is. R rows, S scored rows, P positions. */
export const FEEDS = {
  hidden: "hidden", // float32 [1, R, width], token embeddings
  scored: "scored", // int64 [S], rows that get scores
} as const;

export const cosName = (table: number) => `cos_${table}`;
export const sinName = (table: number) => `sin_${table}`;
/** bool [1]: whether a block of a layer runs. */
export const runsName = (block: keyof Skip, layer: number) => `runs_${block}_${layer}`;

/** The stream between blocks: what has been added up, and what the next norm is still to add. */
interface Stream {
  readonly sum: Value;
  readonly delta?: Value;
}

/**
 * `inside`: passes can be asked for hidden states, and leave out blocks, each of which is a branch. It computes the same
 * bits and costs a few microseconds a branch.
 */
export function buildDecoder(
  source: ModelSource,
  products: Products,
  attention: AttentionNodes = blockAttention,
  inside = false,
): GraphBuilder {
  const g = new GraphBuilder();
  const { spec } = source;
  g.input(FEEDS.hidden, "float32", [1, "R", spec.width]);
  attention.declare(g, spec);
  const { ropes, ofKeys, ofQueries } = rotationsOf(spec);
  ropes.forEach((rope, table) => {
    const shape = ["P", rope.dimensions / 2];
    g.input(cosName(table), "float32", shape);
    g.input(sinName(table), "float32", shape);
  });

  let stream: Stream = { sum: products.enter(g, g.op("Reshape", [FEEDS.hidden, shapeOf(g, [-1, spec.width])])) };
  const layers = new Layers(g, source, products, { ofKeys, ofQueries }, attention, inside);
  spec.layers.forEach((layer, index) => {
    const attended = layers.attended(stream, layer, index);
    if (inside) appendState(g, index, attended.sum, spec.width);
    stream = layers.fed(attended, layer, index);
  });
  const last = layers.normalise(stream, "norm");
  if (inside) {
    appendState(g, spec.layers.length, last.sum, spec.width);
    appendState(g, "head", last.normed, spec.width);
  }

  g.input(FEEDS.scored, "int64", ["S"]);
  const scored = g.op("Gather", [last.normed, FEEDS.scored], { axis: { int: 0 } });
  appendScores(g, spec, layers.head(scored));
  return g;
}

function shapeOf(g: GraphBuilder, sizes: readonly number[]): Value {
  return g.constant("int64", sizes);
}

class Layers {
  constructor(
    readonly g: GraphBuilder,
    readonly source: ModelSource,
    readonly products: Products,
    readonly rotations: { readonly ofKeys: readonly number[]; readonly ofQueries: readonly number[] },
    readonly attending: AttentionNodes,
    readonly inside: boolean,
  ) {}

  /** The stream as the layer finds it, and what its attention adds. */
  attended(stream: Stream, { attention, residualScale }: LayerSpec, index: number): Required<Stream> {
    const name = `layers.${index}.attention`;
    const shapes = this.attending.shapes(attention);
    const caches = PARTS.map((part): Result => {
      this.g.input(cacheName("past", index, part), "float32", shapes[part]);
      const present = this.g.output(cacheName("present", index, part), "float32", shapes[part]);
      return { type: "float32", shape: shapes[part], name: present };
    });
    const runs = this.runs("attention", index);
    const [sum, delta] = this.optional(runs, [this.stream, this.stream, ...caches], (within) => {
      const { normed, sum } = within.normalise(stream, `${name}.norm`);
      const { found, present } = within.attention(normed, attention, index);
      return [sum, within.scaled(within.postNorm(found, `${name}.postNorm`), residualScale), ...present];
    }, (g) => {
      const sum = stream.delta ? g.op("Add", [stream.sum, stream.delta]) : stream.sum;
      return [sum, zerosLike(g, sum), ...PARTS.map((part) => cacheName("past", index, part))];
    });
    return { sum, delta };
  }

  /** The stream behind the layer's feed-forward. */
  fed({ sum: before, delta: attended }: Required<Stream>, layer: LayerSpec, index: number): Stream {
    const { parallel, residualScale, feedForward: spec } = layer;
    const name = `layers.${index}.feedForward`;
    // In a parallel layer both blocks read the stream as it was before the layer.
    const read = parallel ? { sum: before } : { sum: before, delta: attended };
    const add = (within: Layers, found: Value) => {
      const added = within.scaled(within.postNorm(found, `${name}.postNorm`), residualScale);
      return parallel ? within.g.op("Add", [attended, added]) : added;
    };
    const runs = this.runs("feedForward", index);
    if (!spec.experts) {
      const [sum, delta] = this.optional(runs, [this.stream, this.stream], (within) => {
        const { normed, sum } = within.normalise(read, `${name}.norm`);
        return [sum, add(within, feedForward(within.g, this.products, normed, spec, index))];
      }, () => [before, attended]);
      return { sum, delta };
    }
    // Experts are branches already. Within another branch ONNX Runtime would not prepare their weights: it would go
    // through other kernels, with other bits.
    const { normed, sum } = this.normalise(read, `${name}.norm`);
    const found = throughExperts(this.g, this.source, this.products, normed, index, runs);
    const [delta] = this.optional(
      runs,
      [this.stream],
      (within) => [add(within, found(within.g))],
      (g) => [parallel ? attended : zerosLike(g, sum)],
    );
    return { sum, delta };
  }

  /** bool [1], whether a pass runs this block; absent where passes run all. */
  runs(block: keyof Skip, layer: number): Value | undefined {
    return this.inside ? this.g.input(runsName(block, layer), "bool", [1]) : undefined;
  }

  /** What `run` gives, or `leaveOut` where the pass says so. */
  optional(
    runs: Value | undefined,
    results: readonly Result[],
    run: (within: Layers) => readonly Value[],
    leaveOut: (g: GraphBuilder) => readonly Value[],
  ): readonly Value[] {
    if (runs === undefined) return run(this);
    const { g, source, products, rotations, attending, inside } = this;
    const within = (g: GraphBuilder) => new Layers(g, source, products, rotations, attending, inside);
    return g.choose(runs, results, (g) => run(within(g)), leaveOut);
  }

  get stream(): Result {
    return { type: "float32", shape: ["R", this.source.spec.width] };
  }

  /** norm(sum + delta), and the sum itself for the way round the block. Without such a norm, just the sum. */
  normalise({ sum, delta }: Stream, name: string): { normed: Value; sum: Value } {
    const { g, source: { spec: { norm } } } = this;
    const gain = this.gain(name);
    if (!gain) {
      const total = delta ? g.op("Add", [sum, delta]) : sum;
      return { normed: total, sum: total };
    }
    const bias = this.vector(`${name}.bias`);
    const epsilon = { epsilon: norm.epsilon };
    if (!delta) {
      const normed = norm.kind === "rms"
        ? g.op("SimplifiedLayerNormalization", [sum, gain], { ...epsilon, axis: { int: -1 } })
        : g.op("LayerNormalization", bias ? [sum, gain, bias] : [sum, gain], { ...epsilon, axis: { int: -1 } });
      return { normed, sum };
    }
    const [normed, total] = [g.fresh(), g.fresh()];
    if (norm.kind === "rms") {
      g.contrib("SkipSimplifiedLayerNormalization", [sum, delta, gain], epsilon, [normed, "", "", total]);
    } else {
      g.contrib("SkipLayerNormalization", [sum, delta, gain, ...(bias ? [bias] : [])], epsilon, [
        normed,
        "",
        "",
        total,
      ]);
    }
    return { normed, sum: total };
  }

  postNorm(value: Value, name: string): Value {
    return this.source.has(`${name}.weight`) ? this.normalise({ sum: value }, name).normed : value;
  }

  /** What the heads found, projected, and the caches with the rows in them. */
  attention(input: Value, attention: AttentionSpec, index: number): { found: Value; present: readonly Value[] } {
    const { g, source } = this;
    const { heads, kvHeads, headSize } = attention;
    const name = `layers.${index}.attention`;
    const packed = this.product(input, STACKS.qkv(index));
    const [ofKeys, ofQueries] = [this.rotations.ofKeys, this.rotations.ofQueries].map((tables) => tables[index]);
    const tables = (table: number) => table < 0 ? undefined : [cosName(table), sinName(table)] as const;
    const [past, present] = (["past", "present"] as const).map((kind) => {
      const value = (part: Part) => kind === "present" && this.inside ? g.fresh() : cacheName(kind, index, part);
      return { key: value("key"), value: value("value") };
    });
    const rows = this.attending.attend(g, packed, {
      attention,
      index,
      rotation: tables(ofKeys),
      ofQueries: ofQueries === ofKeys ? undefined : tables(ofQueries),
      normalises: source.has(`${name}.qNorm.weight`) || source.has(`${name}.kNorm.weight`),
      sinks: this.vector(`${name}.sinks`),
      normHeads: (value, part) => this.headNorm(value, `${name}.${part}Norm`, part === "q" ? heads : kvHeads, headSize),
    }, { past, present });
    return { found: this.product(rows, STACKS.attended(index)), present: PARTS.map((part) => present[part]) };
  }

  /** rows times a stack of matrices, with their biases. */
  product(rows: Value, { names, label }: Stack): Value {
    return this.products.product(this.g, rows, names, label);
  }

  /** [R, heads, 1, headSize]; each head by itself, or all heads as one vector, as the length of the gain tells. */
  headNorm(value: Value, name: string, heads: number, headSize: number): Value {
    if (!this.source.has(`${name}.weight`)) return value;
    const { g } = this;
    const perHead = this.source.tensor(`${name}.weight`).shape[0] === headSize;
    if (perHead) return this.normalise({ sum: value }, name).normed;
    const all = g.op("Reshape", [value, shapeOf(g, [-1, heads * headSize])]);
    return g.op("Reshape", [this.normalise({ sum: all }, name).normed, shapeOf(g, [-1, heads, 1, headSize])]);
  }

  /** Logits of normed rows. A tied head may still have a bias of its own. */
  head(rows: Value): Value {
    const { g, source } = this;
    const logits = this.product(rows, STACKS.head(source));
    if (source.has("output.weight")) return logits;
    const bias = this.vector("output.bias");
    return bias ? g.op("Add", [logits, bias]) : logits;
  }

  scaled(value: Value, factor: number): Value {
    return factor === 1 ? value : this.g.op("Mul", [value, this.g.constant("float32", [factor])]);
  }

  /** The gain of a norm, as the weight format wants it; undefined where the model has no such norm. */
  gain(name: string): Value | undefined {
    if (!this.source.has(`${name}.weight`)) return undefined;
    const tensor = this.source.tensor(`${name}.weight`);
    return this.g.weight(`${name}.weight`, "float32", tensor.shape, () => this.products.gain(name, tensor));
  }

  vector(name: string): Value | undefined {
    if (!this.source.has(name)) return undefined;
    const tensor = this.source.tensor(name);
    return this.g.weight(name, "float32", tensor.shape, () => tensor.floats());
  }
}

function zerosLike(g: GraphBuilder, value: Value): Value {
  return g.op("ConstantOfShape", [g.op("Shape", [value])]);
}
