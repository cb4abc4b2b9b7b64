// One token through the whole model: any ModelSpec, in the order in which its formulas are written.
import type { Skip } from "../../src/backend.ts";
import type { LayerSpec, ModelSpec } from "../../src/model/spec/spec.ts";
import { attend, type AttentionWeights, type KeyValue } from "./attention.ts";
import { type ExpertWeights, feedForward, type FeedForwardWeights } from "./feed-forward.ts";
import { type Matrix, multiply, rowOf } from "./matrix.ts";
import { type Norm, normalise } from "./norm.ts";

/** A block of a layer with the norms around it. */
export interface Block<Weights> {
  readonly weights: Weights;
  readonly before?: Norm;
  readonly after?: Norm;
}

export interface Layer {
  readonly spec: LayerSpec;
  readonly attention: Block<AttentionWeights>;
  readonly feedForward: Block<FeedForwardWeights | ExpertWeights>;
}

export interface Model {
  readonly spec: ModelSpec;
  readonly embed: Matrix; // [vocab, width]
  readonly positions?: Matrix; // [context, width]
  readonly layers: readonly Layer[];
  readonly norm: Norm;
  readonly output: Matrix; // [vocab, width]
}

/** All that later tokens need of a token: its keys and values, one per layer; none of a layer that was left out. */
export type Memory = readonly (KeyValue | undefined)[];

export interface Computed {
  readonly memory: Memory;
  /** [width] What the output head reads. */
  readonly hidden: Float64Array;
  /** [layers + 1] The stream before the first layer and after each, [width]. */
  readonly states: readonly Float64Array[];
}

/**
 * `past` holds the tokens before it in order of position. `embedding` [width] is the token's, before the scale. Throws
 * where attention would read what an earlier pass left out.
 */
export function computeToken(
  model: Model,
  embedding: Float64Array,
  past: readonly Memory[],
  skip: Skip = { attention: [], feedForward: [] },
): Computed {
  const { spec } = model;
  let x: Float64Array = embedding.map((value) => value * spec.embeddingScale);
  if (model.positions) x = add(x, rowOf(model.positions, past.length));
  const memory: Memory[number][] = [];
  const states = [x];
  model.layers.forEach((layer, depth) => {
    const { attention, parallel, residualScale } = layer.spec;
    const around = (block: Block<unknown>, input: Float64Array, compute: (x: Float64Array) => Float64Array) => {
      const inner = compute(block.before ? normalise(input, block.before, spec.norm) : input);
      const outer = block.after ? normalise(inner, block.after, spec.norm) : inner;
      return outer.map((value) => value * residualScale);
    };
    const middle = skip.attention.includes(depth) ? x : add(
      x,
      around(layer.attention, x, (input) => {
        const seen = past.map((earlier) => earlier[depth] ?? leftOut(depth));
        const { output, own } = attend(input, seen, layer.attention.weights, attention, spec.norm);
        memory[depth] = own;
        return output;
      }),
    );
    x = skip.feedForward.includes(depth) ? middle : add(
      middle,
      around(
        layer.feedForward,
        parallel ? x : middle,
        (input) => feedForward(input, layer.feedForward.weights, layer.spec.feedForward),
      ),
    );
    states.push(x);
  });
  return { memory, hidden: normalise(x, model.norm, spec.norm), states };
}

function leftOut(layer: number): never {
  throw new Error(`a pass reads keys of layer ${layer} that the pass before it left out`);
}

/** The scores of every token of the vocabulary to come next: [width] → [vocab]. */
export function logitsOf(model: Model, hidden: Float64Array): Float64Array {
  const { logitScale, logitSoftcap } = model.spec;
  const logits = multiply(model.output, hidden).map((value) => value * logitScale);
  return logitSoftcap === undefined ? logits : logits.map((value) => logitSoftcap * Math.tanh(value / logitSoftcap));
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]);
}
