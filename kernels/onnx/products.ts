// Matrix products in three weight formats. A format says how stacked matrices that read the same rows become nodes of
// the graph, and what it does to the stream and to the gains of norms on the way (see rotation.ts).
import type { ModelSource } from "../../src/model/source.ts";
import type { Tensor } from "../../src/model/tensors/tensor.ts";
import { floatStretches } from "../../src/model/tensors/weights.ts";
import type { GraphBuilder, Value } from "./graph.ts";

export interface Products {
  /** What the embeddings pass through before the first layer. */
  enter(g: GraphBuilder, hidden: Value): Value;
  /**
   * rows [R, in] times the matrices `NAME.weight` [out, in] of `names`, stacked: [R, sum of out], with their biases.
   * `label` names the constants in the graph.
   */
  product(g: GraphBuilder, rows: Value, names: readonly string[], label: string): Value;
  /** The gain of the norm `name`, as this format wants it multiplied. */
  gain(name: string, tensor: Tensor): Float32Array;
}

/** Adds the biases of stacked matrices; those without one add 0. */
export function addBias(
  g: GraphBuilder,
  source: ModelSource,
  value: Value,
  names: readonly string[],
  label: string,
): Value {
  if (!names.some((name) => source.has(`${name}.bias`))) return value;
  const sizes = names.map((name) => source.tensor(`${name}.weight`).shape[0]);
  const bias = g.weight(
    `${label}.bias`,
    "float32",
    [sizes.reduce((a, b) => a + b)],
    () =>
      concatenate(
        names.map((name, i) =>
          source.has(`${name}.bias`) ? source.tensor(`${name}.bias`).floats() : new Float32Array(sizes[i])
        ),
      ),
  );
  return g.op("Add", [value, bias]);
}

export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** `float32`: every number of the file as float32. */
export class FloatProducts implements Products {
  constructor(readonly source: ModelSource) {}

  enter(_: GraphBuilder, hidden: Value): Value {
    return hidden;
  }

  gain(_: string, tensor: Tensor): Float32Array {
    return tensor.floats();
  }

  product(g: GraphBuilder, rows: Value, names: readonly string[], label: string): Value {
    const tensors = names.map((name) => this.source.tensor(`${name}.weight`));
    return addBias(g, this.source, floatProduct(g, rows, tensors, label), names, label);
  }
}

export function floatProduct(g: GraphBuilder, rows: Value, tensors: readonly Tensor[], label: string): Value {
  const out = tensors.reduce((total, tensor) => total + tensor.shape[0], 0);
  const weight = g.large(`${label}.weight`, "float32", [out, tensors[0].shape[1]], function* () {
    for (const tensor of tensors) yield* floatStretches(tensor);
  });
  return g.contrib("FusedMatMul", [rows, weight], { transB: { int: 1 } });
}
