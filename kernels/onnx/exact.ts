// Weight format `exact`: the file's own numbers, nothing requantised; activations are rounded to 8 bits in blocks, as
// llama.cpp does.
//
// A block (code − 2^(bits−1))·scale + offset is ONNX Runtime's symmetric MatMulNBits plus, where the type has offsets,
// a second float32 product that is a block's length times smaller: (sum of the row over the block) · offset.
//
// Q6_K takes 8 bits. A product of 4 bits and one of 2 would read no less, as each has a float32 scale for 16 weights (8 + 2
// bits a weight, or 4 + 2 + 2 + 2), and ONNX Runtime 1.30 has no quick kernel for 2 bits: 2 rows times [8192, 2048] take 2.8 ms
// in 8 bits, 1.9 in 4 and 105 in 2 (one thread, AVX-512 VNNI).
import type { ModelSource } from "../../src/model/source.ts";
import { BlockStack } from "./block-stack.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { addBias, floatProduct, FloatProducts } from "./products.ts";
import { type Group, groupsOf } from "../converted.ts";

export class ExactProducts extends FloatProducts {
  /** Sums over blocks, by rows and block: products that read the same rows share them. */
  readonly #sums = new Map<string, Value>();

  constructor(source: ModelSource, private readonly activations: "int8" | "float32") {
    super(source);
  }

  override product(g: GraphBuilder, rows: Value, names: readonly string[], label: string): Value {
    const tensors = names.map((name) => this.source.tensor(`${name}.weight`));
    const parts = groupsOf(tensors, label).map((group) => this.#group(g, rows, group));
    const value = parts.length === 1 ? parts[0] : g.op("Concat", parts, { axis: { int: -1 } });
    return addBias(g, this.source, value, names, label);
  }

  #group(g: GraphBuilder, rows: Value, { tensors, label, form }: Group): Value {
    const columns = tensors[0].shape[1];
    if (!form) return floatProduct(g, rows, tensors, label);
    const { bits, block, affine } = form;
    const out = tensors.reduce((total, tensor) => total + tensor.shape[0], 0);
    const perRow = columns / block;
    const stack = new BlockStack(tensors, out, perRow);
    const codes = g.large(`${label}.codes`, "uint8", [out, perRow, block * bits / 8], () => stack.codes());
    const scales = g.weight(`${label}.scales`, "float32", [out * perRow], () => stack.takeScales());
    const product = g.contrib("MatMulNBits", [rows, codes, scales], {
      K: { int: columns },
      N: { int: out },
      bits: { int: bits },
      block_size: { int: block },
      accuracy_level: { int: this.activations === "int8" ? 4 : 1 },
    });
    if (!affine) return product;
    const offsets = g.weight(`${label}.offsets`, "float32", [perRow, out], () => stack.takeOffsets());
    return g.op("Gemm", [this.#blockSums(g, rows, columns, block), offsets, product]);
  }

  #blockSums(g: GraphBuilder, rows: Value, columns: number, block: number): Value {
    const key = `${rows} ${block}`;
    let sums = this.#sums.get(key);
    if (!sums) {
      const blocked = g.op("Reshape", [rows, g.constant("int64", [-1, columns / block, block])]);
      sums = g.op("ReduceSum", [blocked, g.constant("int64", [2])], { keepdims: { int: 0 } });
      this.#sums.set(key, sums);
    }
    return sums;
  }
}
