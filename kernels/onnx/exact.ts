// Weight format `exact`: the file's own numbers, nothing requantised; activations are rounded to 8 bits in blocks, as
// llama.cpp does.
//
// A block (code − 2^(bits−1))·scale + offset is ONNX Runtime's symmetric MatMulNBits plus, where the type has offsets,
// a second float32 product that is a block's length times smaller: (sum of the row over the block) · offset.
import { blockForm, type Blocks, blocks } from "../../src/model/blocks.ts";
import type { ModelSource, Tensor } from "../../src/model/source.ts";
import { type GraphBuilder, Lazy, type Value } from "./graph.ts";
import { addBias, concatenate, floatProduct, type Products } from "./products.ts";

export class ExactProducts implements Products {
  /** Sums over blocks, by rows and block: products that read the same rows share them. */
  readonly #sums = new Map<string, Value>();

  constructor(readonly source: ModelSource) {}

  enter(_: GraphBuilder, hidden: Value): Value {
    return hidden;
  }

  gain(_: string, tensor: Tensor): Float32Array {
    return tensor.floats();
  }

  product(g: GraphBuilder, rows: Value, names: readonly string[], label: string): Value {
    const tensors = names.map((name) => this.source.tensor(`${name}.weight`));
    // Neighbours of one form are one product; files mix types within a layer.
    const groups: Tensor[][] = [];
    let last = "";
    for (const tensor of tensors) {
      const form = JSON.stringify(blockForm(tensor));
      if (groups.length && form === last) groups[groups.length - 1].push(tensor);
      else groups.push([tensor]);
      last = form;
    }
    const parts = groups.map((group, i) => this.#group(g, rows, group, groups.length === 1 ? label : `${label}.${i}`));
    const value = parts.length === 1 ? parts[0] : g.op("Concat", parts, { axis: { int: -1 } });
    return addBias(g, this.source, value, names, label);
  }

  #group(g: GraphBuilder, rows: Value, tensors: readonly Tensor[], label: string): Value {
    const form = blockForm(tensors[0]);
    const columns = tensors[0].shape[1];
    if (!form || columns % form.block !== 0) return floatProduct(g, rows, tensors, label);
    const { bits, block, affine } = form;
    const out = tensors.reduce((total, tensor) => total + tensor.shape[0], 0);
    const perRow = columns / block;
    const stacked = new Lazy(() => stack(tensors.map((tensor) => blocks(tensor)!)));
    const codes = g.weight(`${label}.codes`, "uint8", [out, perRow, block * bits / 8], () => stacked.get().codes);
    const scales = g.weight(
      `${label}.scales`,
      "float32",
      [out * perRow],
      () => affine ? stacked.get().scales : stacked.take().scales,
    );
    const product = g.contrib("MatMulNBits", [rows, codes, scales], {
      K: { int: columns },
      N: { int: out },
      bits: { int: bits },
      block_size: { int: block },
      accuracy_level: { int: 4 },
    });
    if (!affine) return product;
    const offsets = g.weight(`${label}.offsets`, "float32", [perRow, out], () => {
      const all = stacked.take().offsets!;
      const transposed = new Float32Array(all.length);
      for (let row = 0, at = 0; row < out; row++) {
        for (let i = 0; i < perRow; i++, at++) transposed[i * out + row] = all[at];
      }
      return transposed;
    });
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

function stack(parts: readonly Blocks[]): Blocks {
  if (parts.length === 1) return parts[0];
  const codes = new Uint8Array(parts.reduce((total, part) => total + part.codes.length, 0));
  let at = 0;
  for (const part of parts) {
    codes.set(part.codes, at);
    at += part.codes.length;
  }
  return {
    ...parts[0],
    rows: parts.reduce((total, part) => total + part.rows, 0),
    codes,
    scales: concatenate(parts.map((part) => part.scales)),
    offsets: parts[0].offsets && concatenate(parts.map((part) => part.offsets!)),
  };
}
