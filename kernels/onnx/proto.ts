// ONNX models as bytes: the few protobuf messages that a graph needs (field numbers from onnx.proto, IR version 10).
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Element types as ONNX numbers them. */
export const DATA_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;
export type DataType = keyof typeof DATA_TYPE;

export type Attribute = number | string | { readonly int: number } | { readonly ints: readonly number[] } | {
  readonly graph: GraphProto;
};

export interface NodeProto {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** A number is a float; whole-number attributes are written as `{ int }`. */
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface TensorProto {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  /** The numbers themselves, or where they stand in a file beside the graph. */
  readonly data: Uint8Array | { readonly file: string; readonly offset: number; readonly length: number };
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type: DataType;
  /** A name stands for a size that is known only when the graph runs. */
  readonly shape: readonly (number | string)[];
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
}

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;

function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function writeAttribute(writer: BinaryWriter, name: string, value: Attribute): void {
  text(writer, 1, name);
  const type = (code: number) => integer(writer, 20, code);
  if (typeof value === "number") {
    writer.tag(2, WireType.Bit32).float(value);
    type(ATTRIBUTE_TYPE.float);
  } else if (typeof value === "string") {
    text(writer, 4, value);
    type(ATTRIBUTE_TYPE.string);
  } else if ("int" in value) {
    integer(writer, 3, value.int);
    type(ATTRIBUTE_TYPE.int);
  } else if ("ints" in value) {
    for (const item of value.ints) integer(writer, 8, item);
    type(ATTRIBUTE_TYPE.ints);
  } else {
    message(writer, 6, (inner) => writeGraph(inner, value.graph));
    type(ATTRIBUTE_TYPE.graph);
  }
}

function writeNode(writer: BinaryWriter, node: NodeProto): void {
  for (const input of node.inputs) text(writer, 1, input);
  for (const output of node.outputs) text(writer, 2, output);
  text(writer, 3, node.outputs[0]);
  text(writer, 4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    message(writer, 5, (inner) => writeAttribute(inner, name, value));
  }
  text(writer, 7, node.domain);
}

function writeTensor(writer: BinaryWriter, tensor: TensorProto): void {
  for (const size of tensor.shape) integer(writer, 1, size);
  integer(writer, 2, DATA_TYPE[tensor.type]);
  text(writer, 8, tensor.name);
  const { data } = tensor;
  if (data instanceof Uint8Array) {
    writer.tag(9, WireType.LengthDelimited).bytes(data);
    return;
  }
  for (const [key, value] of [["location", data.file], ["offset", data.offset], ["length", data.length]]) {
    message(writer, 13, (inner) => {
      text(inner, 1, String(key));
      text(inner, 2, String(value));
    });
  }
  integer(writer, 14, 1); // data_location: EXTERNAL
}

function writeValueInfo(writer: BinaryWriter, info: ValueInfoProto): void {
  text(writer, 1, info.name);
  message(writer, 2, (type) =>
    message(type, 1, (tensor) => {
      integer(tensor, 1, DATA_TYPE[info.type]);
      message(tensor, 2, (shape) => {
        for (const size of info.shape) {
          message(shape, 1, (dim) => typeof size === "number" ? integer(dim, 1, size) : text(dim, 2, size));
        }
      });
    }));
}

function writeGraph(writer: BinaryWriter, graph: GraphProto): void {
  for (const node of graph.nodes) message(writer, 1, (inner) => writeNode(inner, node));
  text(writer, 2, graph.name);
  for (const tensor of graph.initializers) message(writer, 5, (inner) => writeTensor(inner, tensor));
  for (const input of graph.inputs) message(writer, 11, (inner) => writeValueInfo(inner, input));
  for (const output of graph.outputs) message(writer, 12, (inner) => writeValueInfo(inner, output));
}

/** A whole ModelProto: ONNX opset 21 and ONNX Runtime's own operators. */
export function encodeModel(graph: GraphProto): Uint8Array {
  const writer = new BinaryWriter();
  integer(writer, 1, 10); // ir_version
  text(writer, 2, "hunch");
  message(writer, 7, (inner) => writeGraph(inner, graph));
  for (const [domain, version] of [["", 21], ["com.microsoft", 1]] as const) {
    message(writer, 8, (inner) => {
      text(inner, 1, domain);
      integer(inner, 2, version);
    });
  }
  return writer.finish() as Uint8Array;
}
