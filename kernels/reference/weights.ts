// Reads a ModelSource into memory, once, and checks that every tensor has the shape that its spec asks for.
import { HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { FeedForwardSpec, LayerSpec } from "../../src/model/spec/spec.ts";
import type { Matrix } from "./matrix.ts";
import type { Layer, Model } from "./model.ts";
import type { Norm } from "./norm.ts";

/** Throws HunchError("input") naming a tensor that is missing or of another shape. */
export function readModel(source: ModelSource): Model {
  const { spec } = source;
  const read = reader(source);
  const embed = read.matrix("embed", spec.vocab, spec.width);
  return {
    spec,
    embed,
    positions: source.has("positions.weight") ? read.matrix("positions", spec.context, spec.width) : undefined,
    layers: spec.layers.map((layer, n) => readLayer(read, layer, `layers.${n}`, spec.width)),
    norm: read.norm("norm", [spec.width]),
    output: source.has("output.weight")
      ? read.matrix("output", spec.vocab, spec.width)
      : { ...embed, bias: read.vector("output.bias", [spec.vocab]) },
  };
}

function readLayer(read: TensorReader, spec: LayerSpec, name: string, width: number): Layer {
  const { heads, kvHeads, headSize } = spec.attention;
  const [queries, keys] = [heads * headSize, kvHeads * headSize];
  return {
    spec,
    attention: {
      before: read.optionalNorm(`${name}.attention.norm`, [width]),
      after: read.optionalNorm(`${name}.attention.postNorm`, [width]),
      weights: {
        q: read.matrix(`${name}.attention.q`, queries, width),
        k: read.matrix(`${name}.attention.k`, keys, width),
        v: read.matrix(`${name}.attention.v`, keys, width),
        output: read.matrix(`${name}.attention.output`, width, queries),
        qNorm: read.optionalNorm(`${name}.attention.qNorm`, [headSize, queries]),
        kNorm: read.optionalNorm(`${name}.attention.kNorm`, [headSize, keys]),
        sinks: read.vector(`${name}.attention.sinks`, [heads]),
      },
    },
    feedForward: {
      before: read.optionalNorm(`${name}.feedForward.norm`, [width]),
      after: read.optionalNorm(`${name}.feedForward.postNorm`, [width]),
      weights: readFeedForward(read, spec.feedForward, `${name}.feedForward`, width),
    },
  };
}

function readFeedForward(read: TensorReader, { hidden, gated, experts }: FeedForwardSpec, name: string, width: number) {
  const block = (name: string) => ({
    gate: gated ? read.matrix(`${name}.gate`, hidden, width) : undefined,
    up: read.matrix(`${name}.up`, hidden, width),
    down: read.matrix(`${name}.down`, width, hidden),
  });
  if (!experts) return block(name);
  return {
    router: read.matrix(`${name}.router`, experts.count, width),
    experts: Array.from({ length: experts.count }, (_, expert) => block(`${name}.experts.${expert}`)),
  };
}

interface TensorReader {
  /** `name.weight` [rows, columns] and, where the file has it, `name.bias` [rows]. */
  matrix(name: string, rows: number, columns: number): Matrix;
  /** A vector of one of these lengths; undefined where the file lacks it. */
  vector(name: string, lengths: readonly number[]): Float32Array | undefined;
  norm(name: string, lengths: readonly number[]): Norm;
  optionalNorm(name: string, lengths: readonly number[]): Norm | undefined;
}

function reader(source: ModelSource): TensorReader {
  const floats = (name: string, shapes: readonly (readonly number[])[]): Float32Array => {
    const tensor = source.tensor(name);
    if (!shapes.some((shape) => shape.join() === tensor.shape.join())) {
      const wanted = shapes.map((shape) => `[${shape.join(", ")}]`).join(" or ");
      throw new HunchError(
        "input",
        `the tensor ${tensor.name} has the shape [${tensor.shape.join(", ")}] where ${name} must be ${wanted}`,
        { file: source.path, hint: "the file contradicts its own hyper-parameters" },
      );
    }
    return tensor.floats();
  };
  const vector = (name: string, lengths: readonly number[]) =>
    source.has(name) ? floats(name, lengths.map((length) => [length])) : undefined;
  const norm = (name: string, lengths: readonly number[]) => ({
    gain: floats(`${name}.weight`, lengths.map((length) => [length])),
    bias: vector(`${name}.bias`, lengths),
  });
  return {
    vector,
    norm,
    optionalNorm: (name, lengths) => source.has(`${name}.weight`) ? norm(name, lengths) : undefined,
    matrix: (name, rows, columns) => ({
      rows,
      columns,
      values: floats(`${name}.weight`, [[rows, columns]]),
      bias: vector(`${name}.bias`, [rows]),
    }),
  };
}
