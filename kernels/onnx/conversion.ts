// From a model to the weights and the graph that ONNX Runtime computes, and converted files of `hunch model convert`.
// Such a file has the weights; the graph is built again from the spec, so that no stranger's graph is ever run.
import { basename } from "node:path";
import type { Offer } from "../../src/backend.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import { HunchError } from "../../src/errors.ts";
import { allFinite } from "../../src/math/finite.ts";
import { writeConverted } from "../../src/model/files/convert.ts";
import type { ConvertedWeights, ModelSource } from "../../src/model/source.ts";
import type { Tensor } from "../../src/model/tensors/tensor.ts";
import { bytesOf as typeBytes } from "../../src/model/tensors/weights.ts";
import { conversionStep } from "../../src/room.ts";
import type { AttentionNodes } from "./attention/attention.ts";
import { blockAttention } from "./attention/blocks.ts";
import { groupedAttention } from "./attention/grouped.ts";
import { type Container, INLINE } from "./container.ts";
import { buildDecoder } from "./decoder.ts";
import { ExactProducts } from "./exact.ts";
import { bytesOf, type GraphBuilder, sizeOf, type Weight } from "./graph.ts";
import { Int8Products, LAST_NORM } from "./int8.ts";
import { FloatProducts, type Products } from "./products.ts";
import { encodeModel } from "./proto.ts";
import { checkConverted, CONVERSION, KEPT, placeOf } from "../converted.ts";

/** Changes with every change of the graphs, which are made anew for converted models. */
export const GRAPH = 10;

/** How a graph is written for those who compute it. */
export interface Dialect {
  readonly attention: AttentionNodes;
  /** What products of `exact` multiply with: the row rounded to 8 bits in blocks, or the row. */
  readonly activations: "int8" | "float32";
}

const CPU: Dialect = { attention: blockAttention, activations: "int8" };
const OTHERS: Dialect = { attention: groupedAttention(true), activations: "int8" };
/** ONNX Runtime's WebGPU provider makes up positions of its own where attention is to rotate. */
const WEBGPU: Dialect = { attention: groupedAttention(false), activations: "float32" };

/** The dialect of an execution provider. */
export const dialectOf = (provider: string): Dialect =>
  provider === "cpu" ? CPU : provider === "webgpu" ? WEBGPU : OTHERS;

const FORMATS: Readonly<Record<WeightFormat, (source: ModelSource, dialect: Dialect) => Products>> = {
  exact: (source, { activations }) => new ExactProducts(source, activations),
  int8: (source) => new Int8Products(source),
  float32: (source) => new FloatProducts(source),
};

/**
 * The graph of a model and how to make its weights. Throws UnsupportedError where the format does not fit the model;
 * making a weight throws HunchError where it is not finite. `inside`: see buildDecoder.
 */
export function decoderOf(source: ModelSource, format: WeightFormat, dialect = CPU, inside = false): GraphBuilder {
  const builder = buildDecoder(source, FORMATS[format](source, dialect), dialect.attention, inside);
  builder.weights.forEach((weight, i) => {
    if (weight.type === "float32") builder.weights[i] = { ...weight, parts: () => finite(weight, source) };
  });
  return builder;
}

/** Products that round their rows to whole numbers would hide an infinite weight, or one that is no number. */
function* finite({ name, parts }: Weight, { path }: ModelSource): Generator<ArrayBufferView> {
  for (const values of parts()) {
    if (!allFinite(values as Float32Array)) {
      const hint = "the weights are broken: download or convert the model again";
      throw new HunchError("input", "the model has a weight that is not a finite number", {
        file: path,
        field: name,
        hint,
      });
    }
    yield values;
  }
}

/** Small constants that the graph has in any model are made with it, not stored. */
const isStored = ({ name }: Weight) => !name.startsWith("const_");

/** Writes `source` in `format` to `path`, from where it loads without the original. Errors: see writeConverted. */
export async function convertModel(
  source: ModelSource,
  format: WeightFormat,
  path: string,
  progress?: (step: string, fraction: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const weights = source.converted ? [] : decoderOf(source, format).weights.filter(isStored);
  const kept = format === "int8" ? [...KEPT, LAST_NORM] : KEPT;
  const made = { engine: "onnx", format, version: CONVERSION, weights, bytes: weightBytes({ weights }), kept };
  const bytes = source.names.filter((name) => kept.includes(name))
    .reduce((sum, name) => sum + tensorBytes(source.tensor(name)), made.bytes);
  const step = conversionStep({ title: source.title, path, bytes, hint: "name a file where there is room" });
  await writeConverted(path, source, made, (fraction) => progress?.(step, fraction), signal);
}

/** Of the weights as the engine has them, in memory and on disk. */
export function weightBytes({ weights }: { readonly weights: readonly Weight[] }): number {
  return weights.reduce((sum, weight) => sum + sizeOf(weight), 0);
}

function tensorBytes({ type, shape }: Tensor): number {
  return typeBytes(type, shape.reduce((product, size) => product * size, 1));
}

/** What `load` would make of a model in each format. */
export function offersOf(source: ModelSource): Offer[] {
  return WEIGHT_FORMATS.map((format) => {
    if (source.converted && source.converted.format !== format) {
      return { format, refusal: `the file holds the weights in ${source.converted.format} only` };
    }
    try {
      return { format, bytes: weightBytes(decoderOf(source, format)) };
    } catch (error) {
      if (error instanceof HunchError) return { format, refusal: error.message };
      throw error;
    }
  });
}

/** The graph of a converted file, with its weights where they lie there. Throws HunchError where they do not fit. */
export function convertedContainer(
  source: ModelSource,
  converted: ConvertedWeights,
  format: WeightFormat,
  dialect: Dialect,
  inside: boolean,
): Container {
  checkConverted(source, converted, format);
  const place = (weight: Weight) => {
    const { name } = weight;
    if (!isStored(weight)) return bytesOf(weight);
    const length = sizeOf(weight);
    const found = placeOf(source, converted, name, length);
    return length <= INLINE ? converted.bytes(name) : { file: basename(source.path), ...found };
  };
  return { path: source.path, graph: encodeModel(decoderOf(source, format, dialect, inside).finish("hunch", place)) };
}
