// Builds a graph node by node. Weights are named with a function that makes them, so that a model is never in memory
// as a whole: whoever writes the graph asks for one tensor after the other.
import type { Attribute, DataType, GraphProto, NodeProto, ValueInfoProto } from "./proto.ts";

/** The name of a value in the graph. */
export type Value = string;

/** A constant of the graph, which is made when it is written. */
export interface Weight {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  /** Its bytes in order, a large one's in parts; a part is valid until the next is asked for. */
  readonly parts: () => Iterable<ArrayBufferView>;
}

const BYTES: Readonly<Record<DataType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
};

/** Bytes of a constant. */
export function sizeOf({ type, shape }: Pick<Weight, "type" | "shape">): number {
  return shape.reduce((product, size) => product * size, BYTES[type]);
}

/** All bytes of a small constant. */
export function bytesOf(weight: Weight): Uint8Array {
  const out = new Uint8Array(sizeOf(weight));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of weight.parts()) {
    out.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return out;
}

/** Type and shape of what a branch or a loop gives. */
export interface Result {
  readonly type: DataType;
  readonly shape: readonly (number | string)[];
  /** What it is called in the graph around it; a new name where absent. */
  readonly name?: Value;
}
export type Branch = (g: GraphBuilder) => readonly Value[];
export type Body = (g: GraphBuilder, turn: Value, carried: readonly Value[]) => {
  /** bool [1] */
  readonly goOn: Value;
  readonly values: readonly Value[];
};

export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly weights: Weight[] = [];
  readonly inputs: ValueInfoProto[] = [];
  readonly outputs: ValueInfoProto[] = [];
  readonly #constants = new Map<string, Value>();
  #next = 0;

  /** `outer`: the graph around it, for a branch or the body of a loop, which shares its constants and names. */
  constructor(private readonly outer?: GraphBuilder) {}

  input(name: string, type: DataType, shape: readonly (number | string)[]): Value {
    this.inputs.push({ name, type, shape });
    return name;
  }

  output(name: string, type: DataType, shape: readonly (number | string)[]): Value {
    this.outputs.push({ name, type, shape });
    return name;
  }

  weight(name: string, type: DataType, shape: readonly number[], data: () => ArrayBufferView): Value {
    return this.large(name, type, shape, () => [data()]);
  }

  /** A constant that is made part by part: see `Weight`. */
  large(name: string, type: DataType, shape: readonly number[], parts: Weight["parts"]): Value {
    if (this.outer) return this.outer.large(name, type, shape, parts);
    this.weights.push({ name, type, shape, parts });
    return name;
  }

  /** A constant that several nodes use under one name; made once. */
  shared(name: string, type: DataType, shape: readonly number[], data: () => ArrayBufferView): Value {
    if (this.outer) return this.outer.shared(name, type, shape, data);
    if (!this.weights.some((weight) => weight.name === name)) this.weight(name, type, shape, data);
    return name;
  }

  /** A small constant; equal ones are kept once. */
  constant(
    type: "float32" | "float64" | "int64" | "int32" | "uint8",
    values: readonly number[],
    shape = [values.length],
  ): Value {
    if (this.outer) return this.outer.constant(type, values, shape);
    const name = `const_${type}_${shape.join("x")}_${values.join("_")}`;
    if (!this.#constants.has(name)) {
      this.#constants.set(
        name,
        this.weight(name, type, shape, () => {
          if (type === "float32") return Float32Array.from(values);
          if (type === "float64") return Float64Array.from(values);
          if (type === "int64") return BigInt64Array.from(values, BigInt);
          return type === "int32" ? Int32Array.from(values) : Uint8Array.from(values);
        }),
      );
    }
    return name;
  }

  /** One operator of ONNX with one result. */
  op(op: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}, output = this.fresh()): Value {
    this.nodes.push({ op, domain: "", inputs, outputs: [output], attributes });
    return output;
  }

  /** Gives the result of the last node the name of an output, which saves a copy. Nothing may use `value` yet. */
  rename(value: Value, name: Value): Value {
    const at = this.nodes.length - 1;
    const { outputs } = this.nodes[at];
    if (outputs[0] !== value) throw new Error(`${value} is not what the last node makes`);
    this.nodes[at] = { ...this.nodes[at], outputs: [name, ...outputs.slice(1)] };
    return name;
  }

  /** One operator of ONNX with several results. */
  several(op: string, inputs: readonly Value[], count: number, attributes: Record<string, Attribute> = {}): Value[] {
    const outputs = Array.from({ length: count }, () => this.fresh());
    this.nodes.push({ op, domain: "", inputs, outputs, attributes });
    return outputs;
  }

  /** One operator of ONNX Runtime's own domain; `outputs` may hold "" for results that are not wanted. */
  contrib(
    op: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute> = {},
    outputs: readonly Value[] = [this.fresh()],
  ): Value {
    this.nodes.push({ op, domain: "com.microsoft", inputs, outputs, attributes });
    return outputs[0];
  }

  /** Cuts an axis, the last where none is named, into parts of the given sizes. */
  split(value: Value, sizes: readonly number[], axis = -1): Value[] {
    const outputs = sizes.map(() => this.fresh());
    this.nodes.push({
      op: "Split",
      domain: "",
      inputs: [value, this.constant("int64", sizes)],
      outputs,
      attributes: { axis: { int: axis } },
    });
    return outputs;
  }

  /** One of two branches by a bool [1]; each gives as many values as `outputs` names types and shapes. */
  choose(condition: Value, outputs: readonly Result[], then: Branch, otherwise: Branch): Value[] {
    const branch = (name: string, build: Branch): Attribute => {
      const g = new GraphBuilder(this);
      const given = build(g);
      const own = new Set(g.nodes.flatMap(({ outputs }) => outputs));
      given.forEach((value, i) => {
        // A branch may only give what it has made itself.
        g.output(own.has(value) ? value : g.op("Identity", [value]), outputs[i].type, outputs[i].shape);
      });
      return { graph: g.finish(name, () => new Uint8Array(0)) };
    };
    const names = outputs.map(({ name }) => name ?? this.fresh());
    this.nodes.push({
      op: "If",
      domain: "",
      inputs: [condition],
      outputs: names,
      attributes: { then_branch: branch("then", then), else_branch: branch("otherwise", otherwise) },
    });
    return names;
  }

  /**
   * Repeats `body` up to `most` (int64 [1]) times, as long as it gives true. It is given the number of the turn
   * (int64, a scalar) and the values that it gave the turn before, at first `start`.
   */
  loop(most: Value, carried: readonly (Result & { readonly start: Value })[], body: Body): Value[] {
    const g = new GraphBuilder(this);
    const turn = g.input(g.fresh(), "int64", []);
    g.input(g.fresh(), "bool", []); // whether it goes on: every body is given it, and only ever true
    const { goOn, values } = body(g, turn, carried.map(({ type, shape }) => g.input(g.fresh(), type, shape)));
    g.output(g.op("Reshape", [goOn, g.constant("int64", [], [0])]), "bool", []);
    values.forEach((value, i) => g.output(g.op("Identity", [value]), carried[i].type, carried[i].shape));
    const names = carried.map(() => this.fresh());
    this.nodes.push({
      op: "Loop",
      domain: "",
      inputs: [most, "", ...carried.map(({ start }) => start)],
      outputs: names,
      attributes: { body: { graph: g.finish("body", () => new Uint8Array(0)) } },
    });
    return names;
  }

  fresh(): Value {
    if (this.outer) return this.outer.fresh();
    return `v${this.#next++}`;
  }

  /** The graph with weights placed by `place`, which is called for each in order. */
  finish(name: string, place: (weight: Weight) => GraphProto["initializers"][number]["data"]): GraphProto {
    return {
      name,
      nodes: this.nodes,
      inputs: this.inputs,
      outputs: this.outputs,
      initializers: this.weights.map((weight) => ({ ...weight, data: place(weight) })),
    };
  }
}

/** Makes a value when first asked and lets go of it when it is taken. */
export class Lazy<T> {
  #value: T | undefined;
  constructor(private readonly make: () => T) {}

  get(): T {
    return this.#value ??= this.make();
  }

  take(): T {
    const value = this.get();
    this.#value = undefined;
    return value;
  }
}
