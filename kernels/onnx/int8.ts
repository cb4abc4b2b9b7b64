// Weight format `int8`: weights rounded to 8 bits per output column, activations to 8 bits row by row in the graph.
// Wide passes are cheap in it; rotations keep the rounding small.
//
// Everything is folded into the weights but one step (QuaRot, 2024, arXiv 2404.00456): the stream x is kept as x·Q with
// Q orthogonal, which a norm without gain does not notice. Gains move into the matrices that read; those that write to
// the stream give y·Q. Each value head is rotated and rotated back by the output projection. Only what the down
// projection reads has to be rotated while running.
import type { Tap } from "../../src/backend.ts";
import { UnsupportedError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { Tensor } from "../../src/model/tensors/tensor.ts";
import { floatStretches } from "../../src/model/tensors/weights.ts";
import { type GraphBuilder, Lazy, type Value } from "./graph.ts";
import { Rotation } from "./hadamard.ts";
import { concatenate, type Products } from "./products.ts";

/** Activations are uint8 around this. */
const ZERO_POINT = 128;
/** What a step of them is, of the largest magnitude in the row. */
const STEP = 1 / 127;

/** The gain that the head's matrix has taken in, so that a converted file keeps it beside. */
export const LAST_NORM = "norm.weight";

export class Int8Products implements Products {
  readonly #stream: Rotation;
  readonly #quantised = new Map<Value, { codes: Value; largest: Value }>();

  constructor(readonly source: ModelSource) {
    refuseUnfoldable(source);
    this.#stream = Rotation.random(source.spec.width);
  }

  enter(g: GraphBuilder, hidden: Value): Value {
    const { width } = this.source.spec;
    return g.op("MatMul", [hidden, g.weight("rotation", "float32", [width, width], () => this.#stream.matrix())]);
  }

  /** Gains before a matrix are in the matrix; those of query and key heads stay where they are. */
  gain(name: string, tensor: Tensor): Float32Array {
    return /(qNorm|kNorm)$/.test(name) ? tensor.floats() : new Float32Array(tensor.shape[0]).fill(1);
  }

  product(g: GraphBuilder, rows: Value, names: readonly string[], label: string): Value {
    const input = names[0].endsWith(".down") ? this.#rotateHidden(g, rows) : rows;
    const { codes, largest } = this.#quantise(g, input);
    const tensors = names.map((name) => this.source.tensor(`${name}.weight`));
    const columns = tensors[0].shape[1];
    const out = tensors.reduce((total, tensor) => total + tensor.shape[0], 0);
    const weights = new Lazy(() => quantiseColumns(this.#folded(names), columns, out));
    const product = g.contrib("MatMulIntegerToFloat", [
      codes,
      g.weight(`${label}.codes`, "int8", [columns, out], () => weights.get().codes),
      g.constant("float32", [STEP], []),
      g.weight(`${label}.scales`, "float32", [out], () => weights.take().scales),
      g.constant("uint8", [ZERO_POINT], []),
    ]);
    const value = g.op("Mul", [product, largest]);
    if (!names.some((name) => this.source.has(`${name}.bias`))) return value;
    const bias = g.weight(`${label}.bias`, "float32", [out], () => concatenate(names.map((name) => this.#bias(name))));
    return g.op("Add", [value, bias]);
  }

  /**
   * Rows as uint8 around ZERO_POINT, and the largest magnitude in each, [R, 1]. They are divided by it first: a
   * QuantizeLinear with a scale for each row takes far longer than one for all. A row of zeros is divided by 0, and
   * whatever codes that gives are multiplied by 0 in the end.
   */
  #quantise(g: GraphBuilder, rows: Value): { codes: Value; largest: Value } {
    let made = this.#quantised.get(rows);
    if (!made) {
      const largest = g.op("ReduceMax", [g.op("Abs", [rows]), g.constant("int64", [-1])], { keepdims: { int: 1 } });
      const parts = g.op("Div", [rows, largest]);
      const to = [g.constant("float32", [STEP], []), g.constant("uint8", [ZERO_POINT], [])];
      made = { codes: g.op("QuantizeLinear", [parts, ...to]), largest };
      this.#quantised.set(rows, made);
    }
    return made;
  }

  #rotateHidden(g: GraphBuilder, rows: Value): Value {
    const size = this.source.spec.layers[0].feedForward.hidden;
    const { a, b, left, right } = new Rotation(size).halves();
    const shaped = g.op("Reshape", [rows, g.constant("int64", [-1, a, b])]);
    const inner = g.op("MatMul", [shaped, g.shared("hidden_right", "float32", [b, b], () => right)]);
    // x·(L ⊗ R) for a row is Lᵀ·X·R for the row as a matrix.
    const outer = g.op("MatMul", [g.shared("hidden_left", "float32", [a, a], () => transpose(left, a, a)), inner]);
    return g.op("Reshape", [outer, g.constant("int64", [-1, size])]);
  }

  /** Rows of stacked [out, in] matrices with gains and rotations folded in; those that can be, a few at a time. */
  *#folded(names: readonly string[]): Generator<Float32Array> {
    for (const name of names) {
      const tensor = this.source.tensor(`${name}.weight`);
      const [rows, columns] = tensor.shape;
      const mixed = /^layers\..*\.(v|output|down)$/.test(name); // these are rotated along columns, too
      for (const weights of floatStretches(tensor, mixed ? rows * columns : undefined)) {
        this.#fold(name, weights, columns);
        yield weights;
      }
    }
  }

  /** Folds gains and rotations into whole rows of a matrix, or all of them where columns are rotated. */
  #fold(name: string, weights: Float32Array, columns: number): void {
    const { source } = this;
    const layer = name.match(/^layers\.(\d+)\./);
    const kind = name.slice(name.lastIndexOf(".") + 1);
    const reads = (norm: string) => {
      if (source.has(`${norm}.weight`)) {
        const gain = source.tensor(`${norm}.weight`).floats();
        for (let from = 0; from < weights.length; from += columns) {
          for (let i = 0; i < columns; i++) weights[from + i] *= gain[i];
        }
      }
      this.#stream.rotateRows(weights);
    };
    if (!layer) {
      reads("norm");
      return;
    }
    const attention = source.spec.layers[Number(layer[1])].attention;
    const block = name.slice(0, name.lastIndexOf("."));
    switch (kind) {
      case "v":
        reads(`${block}.norm`);
        this.#rotateHeads(attention.headSize, attention.kvHeads, weights, columns);
        break;
      case "output":
        new Rotation(attention.headSize).rotateRows(weights);
        this.#stream.rotateColumns(weights, columns);
        break;
      case "down":
        new Rotation(columns).rotateRows(weights);
        this.#stream.rotateColumns(weights, columns);
        break;
      default: // q, k, gate, up
        reads(`${block}.norm`);
    }
  }

  #bias(name: string): Float32Array {
    const rows = this.source.tensor(`${name}.weight`).shape[0];
    if (!this.source.has(`${name}.bias`)) return new Float32Array(rows);
    const bias = Float32Array.from(this.source.tensor(`${name}.bias`).floats());
    const layer = name.match(/^layers\.(\d+)\.attention\.v$/);
    if (layer) {
      const { headSize, kvHeads } = this.source.spec.layers[Number(layer[1])].attention;
      this.#rotateHeads(headSize, kvHeads, bias, 1);
    } else if (/\.(attention\.output|down)$/.test(name)) {
      this.#stream.rotateColumns(bias, 1);
    }
    return bias;
  }

  #rotateHeads(headSize: number, heads: number, weights: Float32Array, columns: number): void {
    const rotation = new Rotation(headSize);
    const size = headSize * columns;
    for (let head = 0; head < heads; head++) {
      rotation.rotateColumns(weights.subarray(head * size, (head + 1) * size), columns);
    }
  }
}

/** Hidden states of this format as the model's file would have them: turned back, and with the last norm's gain. */
export function fileBasis(source: ModelSource): (states: Float32Array, tap: Tap) => void {
  const { width } = source.spec;
  const stream = Rotation.random(width);
  return (states, tap) => {
    stream.rotateRowsBack(states);
    if (tap !== "head" || !source.has(LAST_NORM)) return;
    const gain = source.tensor(LAST_NORM).floats();
    for (let i = 0; i < states.length; i++) states[i] *= gain[i % width];
  };
}

/** The stream rotation needs norms that commute with it, right before the matrices that read. */
function refuseUnfoldable(source: ModelSource): void {
  const { spec } = source;
  const refuse = (why: string): never => {
    throw new UnsupportedError(`weight format int8 does not fit ${spec.architecture}: ${why}`, {
      hint: "use --format exact or float32",
    });
  };
  if (spec.norm.kind !== "rms") refuse("its norms subtract a mean");
  if (spec.layers.some(({ feedForward }) => feedForward.experts)) refuse("it has experts");
  spec.layers.forEach((_, i) => {
    if (source.has(`layers.${i}.attention.postNorm.weight`) || source.has(`layers.${i}.feedForward.postNorm.weight`)) {
      refuse("a norm with a gain stands between a matrix and the stream");
    }
  });
}

function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j];
  return out;
}

/** Rows and columns that are quantised at a time, so that scattered writes stay within the processor's cache. */
const TILE = 64;

/** Rows of stacked [out, in] matrices as columns of int8 [in, out], each with its own scale. */
function quantiseColumns(parts: Iterable<Float32Array>, columns: number, out: number) {
  const codes = new Int8Array(columns * out);
  const scales = new Float32Array(out);
  let first = 0;
  for (const part of parts) {
    const rows = part.length / columns;
    for (let row = 0; row < rows; row += TILE) {
      const inverse = new Float32Array(Math.min(TILE, rows - row));
      for (let i = 0; i < inverse.length; i++) {
        const largest = largestOf(part, (row + i) * columns, columns);
        scales[first + row + i] = largest / 127;
        inverse[i] = 127 / largest;
      }
      for (let column = 0; column < columns; column += TILE) {
        const tile = quantiseTile(part, row * columns + column, columns, inverse);
        for (let i = 0; i < Math.min(TILE, columns - column); i++) {
          copyTo(codes, (column + i) * out + first + row, tile, i * TILE, inverse.length);
        }
      }
    }
    first += rows;
  }
  return { codes, scales };
}

/** The largest magnitude of some neighbours; NaN where one is no number. */
function largestOf(values: Float32Array, from: number, count: number): number {
  let largest = 1e-20;
  for (let i = from; i < from + count; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

/** What quantiseTile makes; used again each time. */
const tile = new Int8Array(TILE * TILE);

/** A tile of a matrix from `at` on, times `inverse` by row and rounded, column by column. */
function quantiseTile(part: Float32Array, at: number, columns: number, inverse: Float32Array): Int8Array {
  const wide = Math.min(TILE, columns - at % columns);
  for (let row = 0; row < inverse.length; row++, at += columns) {
    const scale = inverse[row];
    // What Math.round gives, several times as fast: sums with 0.5 are exact, as products of float32 have 48 bits at most.
    for (let i = 0; i < wide; i++) tile[i * TILE + row] = Math.floor(part[at + i] * scale + 0.5);
  }
  return tile;
}

function copyTo(out: Int8Array, to: number, from: Int8Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) out[to + i] = from[at + i];
}
