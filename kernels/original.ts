// The tensors of an original model again, out of a file that `hunch model convert` made for ONNX Runtime: for engines
// that compute from a file's own numbers. `exact` and `float32` files have these; `int8` files do not.
import type { WeightFormat } from "../src/weight-format.ts";
import { UnsupportedError } from "../src/errors.ts";
import type { ConvertedWeights, ModelSource } from "../src/model/source.ts";
import type { Tensor } from "../src/model/tensors/tensor.ts";
import { checkConverted, type Group, groupsOf, KEPT, placeOf, stacksOf } from "./converted.ts";

/**
 * `source` with tensors that can be read: quantised ones by `blocks` only, other matrices as float32. Throws
 * UnsupportedError where the file does not hold the original's numbers, HunchError where it does not have `format`.
 */
export function originalOf(source: ModelSource, converted: ConvertedWeights, format: WeightFormat): ModelSource {
  if (converted.format === "int8") {
    const message = "the file holds rounded weights in the form of another engine";
    throw new UnsupportedError(message, { file: source.path, hint: "open the original model, or use --backend onnx" });
  }
  checkConverted(source, converted, format);
  const tensors = new Map<string, Tensor>();
  const reader = new PartReader(source, converted);
  for (const { names, label } of stacksOf(source)) {
    const matrices = names.map((name) => source.tensor(`${name}.weight`));
    const groups = format === "exact" ? groupsOf(matrices, label) : [{ label, tensors: matrices }];
    let at = 0;
    for (const group of groups) {
      let row = 0;
      for (const tensor of group.tensors) {
        tensors.set(`${names[at++]}.weight`, reader.matrix(group, tensor, row));
        row += tensor.shape[0];
      }
    }
    const sizes = matrices.map(({ shape }) => shape[0]);
    const all = sizes.reduce((a, b) => a + b);
    let from = 0;
    names.forEach((name, i) => {
      if (source.has(`${name}.bias`)) {
        tensors.set(`${name}.bias`, reader.vector(source.tensor(`${name}.bias`), `${label}.bias`, from, all));
      }
      from += sizes[i];
    });
  }
  return {
    path: source.path,
    format: source.format,
    title: source.title,
    spec: source.spec,
    names: source.names,
    size: source.size,
    get tokenizer() {
      return source.tokenizer;
    },
    has: (name) => source.has(name),
    tensor(name) {
      if (KEPT.includes(name)) return source.tensor(name);
      const tensor = source.tensor(name);
      return tensors.get(name) ?? reader.vector(tensor, name, 0, tensor.shape[0]);
    },
    hash: (cacheDir) => source.hash(cacheDir),
    close: () => source.close(),
  };
}

class PartReader {
  /** Offsets lie column by column, so they are read as a whole; the last that were read, for the rows that follow. */
  #offsets: { readonly name: string; readonly all: Float32Array } | undefined;

  constructor(private readonly source: ModelSource, private readonly converted: ConvertedWeights) {}

  /** Part of a stack of vectors, `all` long, that the file calls `name`. */
  vector({ name: own, shape }: Tensor, name: string, at: number, all: number): Tensor {
    const bytes = () => this.#bytes(name, all * 4, at * 4, (at + shape[0]) * 4);
    return { name: own, shape, type: "F32", bytes, floats: () => floatsOf(bytes()) };
  }

  /** A matrix that starts at `row` of its group. */
  matrix({ label, tensors, form }: Group, tensor: Tensor, row: number): Tensor {
    const { name, shape: [rows, columns], shape } = tensor;
    const all = tensors.reduce((total, { shape }) => total + shape[0], 0);
    const read = (part: string, bytes: number, from: number, to: number) =>
      this.#bytes(`${label}.${part}`, all * bytes, (row + from) * bytes, (row + to) * bytes);
    if (!form) {
      const bytes = (from = 0, to = rows) => read("weight", columns * 4, from, to);
      return { name, shape, type: "F32", bytes, floats: (from, to) => floatsOf(bytes(from, to)) };
    }
    const { bits, block, affine } = form;
    const perRow = columns / block;
    return {
      ...tensor,
      blocks: (from = 0, to = rows) => ({
        bits,
        block,
        rows: to - from,
        columns,
        codes: read("codes", columns * bits / 8, from, to),
        scales: floatsOf(read("scales", perRow * 4, from, to)),
        offsets: affine ? this.#offsetsOf(`${label}.offsets`, perRow, all, row + from, row + to) : undefined,
      }),
    };
  }

  #offsetsOf(name: string, perRow: number, rows: number, from: number, to: number): Float32Array {
    if (this.#offsets?.name !== name) {
      this.#offsets = { name, all: floatsOf(this.#bytes(name, perRow * rows * 4, 0, perRow * rows * 4)) };
    }
    const { all } = this.#offsets;
    const out = new Float32Array((to - from) * perRow);
    for (let row = from, at = 0; row < to; row++) {
      for (let i = 0; i < perRow; i++, at++) out[at] = all[i * rows + row];
    }
    return out;
  }

  /** Some bytes of the weight `name`, which must have `length`. */
  #bytes(name: string, length: number, from: number, to: number): Uint8Array {
    placeOf(this.source, this.converted, name, length);
    return this.converted.bytes(name, from, to);
  }
}

function floatsOf(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}
