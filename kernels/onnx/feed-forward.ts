// The feed-forward of a layer as nodes, or its experts.
import type { ModelSource } from "../../src/model/source.ts";
import type { Activation, FeedForwardSpec } from "../../src/model/spec/spec.ts";
import { type Stack, STACKS } from "../converted.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { mixture } from "./mixture.ts";
import { FloatProducts, type Products } from "./products.ts";

/** The feed-forward, or one of its experts, in the graph `g`, which may be a branch. */
export function feedForward(
  g: GraphBuilder,
  products: Products,
  input: Value,
  { hidden, activation, gated, clamp }: FeedForwardSpec,
  index: number,
  expert?: number,
): Value {
  const product = (rows: Value, { names, label }: Stack) => products.product(g, rows, names, label);
  if (!gated) {
    return product(activate(g, product(input, STACKS.up(index, expert)), activation), STACKS.down(index, expert));
  }
  const [gate, up] = g.split(product(input, STACKS.gateUp(index, expert)), [hidden, hidden]);
  const inner = clamp ? clamped(g, gate, up, clamp) : g.op("Mul", [activate(g, gate, activation), up]);
  return product(inner, STACKS.down(index, expert));
}

/** Rows that went through the experts of their choice, where the block `runs`. See mixture.ts. */
export function throughExperts(
  g: GraphBuilder,
  source: ModelSource,
  products: Products,
  input: Value,
  index: number,
  runs?: Value,
): (g: GraphBuilder) => Value {
  const spec = source.spec.layers[index].feedForward;
  // In float32 in every format: small differences of scores choose experts.
  const { names, label } = STACKS.router(index);
  const scores = new FloatProducts(source).product(g, input, names, label);
  const block = (g: GraphBuilder, rows: Value, expert: number) => feedForward(g, products, rows, spec, index, expert);
  return mixture(g, input, scores, spec.experts!, source.spec.width, block, runs);
}

/** See FeedForwardSpec. */
function clamped(
  g: GraphBuilder,
  gate: Value,
  up: Value,
  { limit, alpha }: NonNullable<FeedForwardSpec["clamp"]>,
): Value {
  const number = (value: number) => g.constant("float32", [value], []);
  const open = g.contrib("QuickGelu", [g.op("Min", [gate, number(limit)])], { alpha });
  const beside = g.op("Add", [g.op("Clip", [up, number(-limit), number(limit)]), number(1)]);
  return g.op("Mul", [open, beside]);
}

function activate(g: GraphBuilder, value: Value, activation: Activation): Value {
  switch (activation) {
    case "silu":
      return g.contrib("QuickGelu", [value], { alpha: 1 });
    case "gelu":
      return g.contrib("Gelu", [value]);
    case "gelu-tanh":
      return g.op("Gelu", [value], { approximate: "tanh" });
  }
}
