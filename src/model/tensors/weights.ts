// Tensors as they lie in a file, their rows as bytes or as numbers, and views that rearrange rows.
import type { BinaryFile } from "../files/reader.ts";
import type { Tensor, TensorType } from "./tensor.ts";
import { halfAt, halfTable, PLAIN, QUANTS, type Unpacked } from "./quants.ts";

/** Elements per block of a type; 1 where it is not quantised. */
export function blockElements(type: TensorType): number {
  return QUANTS[type]?.elements ?? 1;
}

/** Bytes of `elements` consecutive elements, a multiple of the type's block. */
export function bytesOf(type: TensorType, elements: number): number {
  const format = QUANTS[type];
  return format ? elements / format.elements * format.bytes : elements * (PLAIN[type] as number);
}

/** Blocks unpacked at a time: small enough to stay in the processor's cache. */
const STEP = 8192;

/**
 * Calls `visit` with stretches of whole blocks taken apart: `start` elements precede the stretch of `count`.
 * The arrays are reused between calls.
 */
export function eachStretch(
  type: TensorType,
  raw: Uint8Array,
  elements: number,
  visit: (out: Unpacked, start: number, count: number) => void,
): void {
  const format = QUANTS[type];
  if (!format) throw new Error(`${type} has no blocks`);
  const most = Math.max(1, STEP / format.elements);
  const codes = new Uint8Array(most * format.elements);
  const out: Unpacked = {
    codes,
    words: new Int32Array(codes.buffer),
    scales: new Float32Array(most * format.elements / format.group),
    offsets: new Float32Array(most * format.elements / format.group),
  };
  const view = viewOf(raw);
  const blocks = elements / format.elements;
  for (let block = 0; block < blocks; block += most) {
    const count = Math.min(most, blocks - block);
    format.unpack(view, block * format.bytes, count, out);
    visit(out, block * format.elements, count * format.elements);
  }
}

/**
 * The numbers that `raw` stands for, exactly as float32 computes them: at the start of `into`, where that is given, else
 * in an array of their own, or for F32 in `raw`, which then starts a buffer or is copied.
 */
export function decode(type: TensorType, raw: Uint8Array, elements: number, into?: Float32Array): Float32Array {
  if (type === "F32") {
    const aligned = raw.byteOffset % 4 === 0 ? raw : raw.slice();
    const values = new Float32Array(aligned.buffer, aligned.byteOffset, elements);
    into?.set(values);
    return into?.subarray(0, elements) ?? values;
  }
  const out = into?.subarray(0, elements) ?? new Float32Array(elements);
  if (type === "F16") {
    const half = halfTable();
    const view = viewOf(raw);
    for (let i = 0; i < elements; i++) out[i] = halfAt(half, view, 2 * i);
    return out;
  }
  if (type === "BF16") {
    const bits = new Uint32Array(out.buffer, out.byteOffset, elements);
    for (let i = 0; i < elements; i++) bits[i] = raw[2 * i] << 16 | raw[2 * i + 1] << 24;
    return out;
  }
  const { group, zero, affine } = QUANTS[type]!;
  eachStretch(type, raw, elements, ({ codes, scales, offsets }, start, count) => {
    for (let from = 0, g = 0; from < count; from += group, g++) {
      const scale = scales[g];
      const offset = affine ? offsets[g] : 0;
      for (let i = from; i < from + group; i++) out[start + i] = (codes[i] - zero) * scale + offset;
    }
  });
  return out;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

export function rowsOf(tensor: Tensor): number {
  return tensor.shape.length === 1 ? 1 : tensor.shape[0];
}

export function columnsOf(tensor: Tensor): number {
  return tensor.shape[tensor.shape.length - 1];
}

/**
 * The rows of a matrix as numbers, about `elements` at a time, unless some cost as much as all. The array is reused: what
 * is in it is valid, and may be changed, until the next stretch is asked for.
 */
export function* floatStretches(tensor: Tensor, elements = 1 << 20): Generator<Float32Array> {
  const [rows, columns] = [rowsOf(tensor), columnsOf(tensor)];
  const step = tensor.atOnce ? rows : Math.min(rows, Math.ceil(elements / columns));
  const raw = new Uint8Array(bytesOf(tensor.type, step * columns));
  const into = new Float32Array(step * columns);
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step);
    yield decode(tensor.type, tensor.bytes(from, to, raw), (to - from) * columns, into);
  }
}

/** A tensor that lies in one piece in a file. The caller has checked that it fits. */
export class FileTensor implements Tensor {
  constructor(
    readonly name: string,
    readonly shape: readonly number[],
    readonly type: TensorType,
    readonly file: BinaryFile,
    readonly offset: number,
  ) {}

  bytes(from = 0, to = rowsOf(this), into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const row = bytesOf(this.type, columnsOf(this));
    return this.file.read(this.offset + from * row, (to - from) * row, this.name, into);
  }

  floats(from = 0, to = rowsOf(this)): Float32Array {
    return decode(this.type, this.bytes(from, to), (to - from) * columnsOf(this));
  }
}

/** Rows `first` to `first + count` of a matrix, or that stretch of a vector that is not quantised. */
export function slice(base: Tensor, first: number, count: number): Tensor {
  if (base.shape.length === 1) {
    const size = bytesOf(base.type, 1);
    const bytes = () => base.bytes().slice(first * size, (first + count) * size);
    return { name: base.name, shape: [count], type: base.type, bytes, floats: () => decode(base.type, bytes(), count) };
  }
  return {
    name: base.name,
    shape: [count, columnsOf(base)],
    type: base.type,
    atOnce: base.atOnce,
    bytes: (from = 0, to = count, into) => base.bytes(first + from, first + to, into),
    floats: (from = 0, to = count) => base.floats(first + from, first + to),
  };
}

/** Row i of the result is row `order[i]` of the matrix (element, of a vector that is not quantised). */
export function gather(base: Tensor, order: Int32Array): Tensor {
  const vector = base.shape.length === 1;
  const size = bytesOf(base.type, vector ? 1 : columnsOf(base));
  const bytes = (from = 0, to = vector ? 1 : order.length) => {
    const [start, end] = vector ? [0, order.length] : [from, to];
    const out = new Uint8Array((end - start) * size);
    const all = vector ? base.bytes() : undefined;
    for (let i = start; i < end; i++) {
      const row = order[i];
      out.set(all ? all.subarray(row * size, (row + 1) * size) : base.bytes(row, row + 1), (i - start) * size);
    }
    return out;
  };
  return {
    name: base.name,
    shape: vector ? [order.length] : [order.length, columnsOf(base)],
    type: base.type,
    atOnce: base.atOnce,
    bytes,
    floats: (from = 0, to = vector ? 1 : order.length) => {
      const raw = bytes(from, to);
      return decode(base.type, raw, vector ? order.length : (to - from) * columnsOf(base));
    },
  };
}

/** A tensor that is computed when it is asked for, as float32. `compute` returns all of it. */
export function computed(name: string, shape: readonly number[], compute: () => Float32Array): Tensor {
  return computedBytes(name, shape, "F32", () => {
    const { buffer, byteOffset, byteLength } = compute();
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
}

/** A tensor whose blocks are computed when they are asked for. `compute` returns all of them. */
export function computedBytes(
  name: string,
  shape: readonly number[],
  type: TensorType,
  compute: () => Uint8Array,
): Tensor {
  const columns = shape[shape.length - 1];
  const rows = shape.length === 1 ? 1 : shape[0];
  let recent: WeakRef<Uint8Array> | undefined; // rows are often asked for one after the other
  const bytes = (from = 0, to = rows) => {
    let all = recent?.deref();
    if (!all) {
      all = compute();
      recent = new WeakRef(all);
    }
    return all.slice(bytesOf(type, from * columns), bytesOf(type, to * columns));
  };
  const floats = (from = 0, to = rows) => decode(type, bytes(from, to), (to - from) * columns);
  return { name, shape, type, atOnce: true, bytes, floats };
}

/** The transpose of a matrix, as float32. */
export function transposed(base: Tensor): Tensor {
  const [rows, columns] = base.shape;
  return computed(base.name, [columns, rows], () => {
    const values = base.floats();
    const out = new Float32Array(values.length);
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c];
    return out;
  });
}

/** A vector with `amount` added to each element, as float32 (norm gains that are stored less one). */
export function raised(base: Tensor, amount: number): Tensor {
  return computed(base.name, base.shape, () => base.floats().map((value) => value + amount));
}
