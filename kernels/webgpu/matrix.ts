// Matrices in the device's memory: the file's own numbers, uploaded in pieces of whole rows.
import type { ModelSource } from "../../src/model/source.ts";
import type { Blocks, Tensor } from "../../src/model/tensors/tensor.ts";
import { blockForm, blocks, halfForm, storedBlocks } from "../../src/model/tensors/blocks.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import type { Device } from "./device.ts";
import type { BlockForm, WeightForm } from "./kernels.ts";

/** Some neighbouring outputs of a matrix that have one form and fit one binding. */
export interface Piece {
  readonly form: WeightForm;
  /** Where the outputs stand in the result's row. */
  readonly from: number;
  readonly outputs: number;
  /** Of 8 elements: the length of a row of weights. */
  readonly units: number;
  /** Codes or numbers; for the exact container scales with offsets as well. */
  readonly buffers: readonly GPUBuffer[];
  readonly bias: GPUBuffer | undefined;
}

export interface Matrix {
  readonly outputs: number;
  readonly columns: number;
  readonly pieces: readonly Piece[];
}

/** Bytes that are decoded at a time. */
const STRETCH = 8 << 20;

/** What a tensor with `rows` × `columns` elements is stored as. `exact`: its own numbers in as few bytes as it has. */
export function formOf(tensor: Tensor, exact: boolean): WeightForm {
  if (!exact) return { kind: "f32" };
  const form = blockForm(tensor);
  if (form) {
    const { bits, block, affine } = form;
    return { kind: bits === 4 ? "b4" : "b8", block, affine, half: halfForm(tensor) };
  }
  return { kind: tensor.type === "F16" ? "f16" : tensor.type === "BF16" ? "bf16" : "f32" };
}

/** Bytes of one unit of 8 elements. */
const UNIT_BYTES = { f32: 32, f16: 16, bf16: 16, b8: 8, b4: 4 } as const;

/** Words that a row's scales and offsets take, as ops/scales.wgsl has them. */
function scaleWords(form: WeightForm, columns: number): number {
  if (!("block" in form)) return 0;
  const numbers = columns / form.block * (form.affine ? 2 : 1);
  return form.half ? Math.ceil(numbers / 2) : numbers;
}

/** Bytes that a model's matrices take on the device; vectors hardly count. */
export function weightBytes(source: ModelSource, exact: boolean): number {
  let bytes = 0;
  for (const name of source.names) {
    const tensor = source.tensor(name);
    const [rows, columns] = tensor.shape;
    const inFile = name === "embed.weight" && source.has("output.weight"); // as embed.ts says
    if (columns === undefined || inFile) continue;
    const form = formOf(tensor, exact);
    bytes += rows * (Math.ceil(columns / 8) * UNIT_BYTES[form.kind] + scaleWords(form, columns) * 4);
  }
  return bytes;
}

interface Part {
  readonly tensor: Tensor;
  readonly bias: Tensor | undefined;
  readonly form: WeightForm;
  readonly from: number;
  readonly to: number;
}

/**
 * The matrices of these canonical names one below the other, each [its rows, columns], with their biases. Throws
 * HunchError("input") naming a tensor of another shape.
 */
export function uploadMatrix(
  device: Device,
  source: ModelSource,
  parts: readonly { readonly name: string; readonly bias?: string; readonly rows: number }[],
  columns: number,
  exact: boolean,
): Matrix {
  const units = Math.ceil(columns / 8);
  const runs: Part[][] = [];
  let outputs = 0;
  for (const { name, bias = `${name}.bias`, rows } of parts) {
    const tensor = shaped(source, `${name}.weight`, [rows, columns]);
    const vector = source.has(bias) ? shaped(source, bias, [rows]) : undefined;
    const form = formOf(tensor, exact);
    const most = Math.max(1, Math.floor(device.largestBinding / (units * UNIT_BYTES[form.kind])));
    for (let from = 0; from < rows; from += most) {
      const part = { tensor, bias: vector, form, from, to: Math.min(rows, from + most) };
      const run = runs.at(-1);
      const held = run?.reduce((sum, { from, to }) => sum + to - from, 0) ?? 0;
      if (run && same(run[0].form, form) && held + part.to - from <= most) run.push(part);
      else runs.push([part]);
    }
    outputs += rows;
  }
  let from = 0;
  const pieces = runs.map((run) => {
    const piece = uploadRun(device, run, units, columns, from);
    from += piece.outputs;
    return piece;
  });
  return { outputs, columns, pieces };
}

/**
 * The matrices of all experts one below the other, each made of those named for it. Throws UnsupportedError where they are
 * not of one form, or too large together.
 */
export function uploadExperts(
  device: Device,
  source: ModelSource,
  names: readonly (readonly string[])[],
  rows: number,
  columns: number,
  exact: boolean,
): Piece {
  const parts = names.flat().map((name) => ({ name, rows }));
  const { pieces } = uploadMatrix(device, source, parts, columns, exact);
  if (pieces.length === 1) return { ...pieces[0], outputs: rows * names[0].length };
  const message = "experts of several weight types, or of more than one buffer's size, are not supported on WebGPU";
  throw new UnsupportedError(message, { file: source.path, field: parts[0].name, hint: "use --backend onnx" });
}

/**
 * Two matrices of one shape with their outputs alternating, so that a thread that has one has the other: gate and up of a
 * feed-forward. Undefined where they are of different forms or do not fit one binding.
 */
export function uploadPaired(
  device: Device,
  source: ModelSource,
  names: readonly [string, string],
  rows: number,
  columns: number,
  exact: boolean,
): Piece | undefined {
  const units = Math.ceil(columns / 8);
  const run = names.map((name): Part => {
    const tensor = shaped(source, `${name}.weight`, [rows, columns]);
    const bias = source.has(`${name}.bias`) ? shaped(source, `${name}.bias`, [rows]) : undefined;
    return { tensor, bias, form: formOf(tensor, exact), from: 0, to: rows };
  });
  const { form } = run[0];
  const fits = 2 * rows * units * UNIT_BYTES[form.kind] <= device.largestBinding;
  return fits && same(form, run[1].form) ? uploadRun(device, run, units, columns, 0, true) : undefined;
}

function same(a: WeightForm, b: WeightForm): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function uploadRun(
  device: Device,
  run: readonly Part[],
  units: number,
  columns: number,
  from: number,
  paired = false,
): Piece {
  const { form } = run[0];
  const outputs = run.reduce((sum, part) => sum + part.to - part.from, 0);
  const label = run[0].tensor.name;
  const codes = device.storage(outputs * units * UNIT_BYTES[form.kind], label);
  const words = scaleWords(form, columns);
  const scales = words ? device.storage(outputs * words * 4, `${label}, scales`) : undefined;
  let at = 0;
  const write = (rows: RowsOf) => {
    device.write(codes, rows.codes, at * units * UNIT_BYTES[form.kind]);
    if (scales) device.write(scales, rows.scales!, at * words * 4);
  };
  const step = Math.max(1, Math.floor(STRETCH / (columns * 4)));
  if (paired) {
    const [gate, up] = run;
    for (let row = 0; row < gate.to; row += step) {
      const end = Math.min(gate.to, row + step);
      const [a, b] = [gate, up].map(({ tensor }) => readRows(tensor, form, row, end, columns));
      write({
        codes: alternate(a.codes, b.codes, end - row),
        scales: a.scales && alternate(a.scales, b.scales!, end - row),
      });
      at += 2 * (end - row);
    }
  } else {
    for (const { tensor, from, to } of run) {
      for (let row = from; row < to; row += step) {
        const end = Math.min(to, row + step);
        write(readRows(tensor, form, row, end, columns));
        at += end - row;
      }
    }
  }
  return {
    form,
    from,
    outputs,
    units,
    buffers: scales ? [codes, scales] : [codes],
    bias: uploadBias(device, run, outputs, paired),
  };
}

function uploadBias(device: Device, run: readonly Part[], outputs: number, paired: boolean): GPUBuffer | undefined {
  if (!run.some(({ bias }) => bias)) return undefined;
  const parts = run.map(({ bias, from, to }) => bias ? bias.floats().subarray(from, to) : new Float32Array(to - from));
  const values = new Float32Array(outputs);
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  const ordered = paired ? alternate(parts[0], parts[1], outputs / 2) : values;
  return uploadFloats(device, ordered, `${run[0].tensor.name}, bias`);
}

export function uploadFloats(device: Device, values: Float32Array, label: string): GPUBuffer {
  const buffer = device.storage(values.byteLength, label);
  device.write(buffer, values);
  return buffer;
}

/** Some rows of a matrix as the device wants them. */
interface RowsOf {
  readonly codes: Uint8Array;
  readonly scales?: Uint32Array<ArrayBuffer>;
}

function readRows(tensor: Tensor, form: WeightForm, from: number, to: number, columns: number): RowsOf {
  if ("block" in form) {
    const read = form.half && !tensor.blocks ? storedBlocks(tensor, from, to)! : blocks(tensor, from, to)!;
    return { codes: read.codes, scales: packScales(read, form) };
  }
  const element = form.kind === "f32" ? 4 : 2;
  const length = Math.ceil(columns / 8) * 8;
  let bytes = tensor.bytes(from, to);
  if (form.kind === "f32") {
    const values = tensor.floats(from, to);
    bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }
  if (length === columns) return { codes: bytes };
  const out = new Uint8Array((to - from) * length * element); // each row filled up with zeros to whole units
  for (let row = 0; row < to - from; row++) {
    out.set(bytes.subarray(row * columns * element, (row + 1) * columns * element), row * length * element);
  }
  return { codes: out };
}

/** Scales and offsets as ops/scales.wgsl has them. */
export function packScales(
  { scales, offsets, rows, columns, block }: Blocks,
  form: BlockForm,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(rows * scaleWords(form, columns));
  const numbers = form.half ? new Float16Array(words.buffer) : new Float32Array(words.buffer);
  const perRow = columns / block;
  if (offsets) {
    for (let i = 0; i < scales.length; i++) {
      numbers[2 * i] = scales[i];
      numbers[2 * i + 1] = offsets[i];
    }
  } else {
    const stride = numbers.length / rows;
    for (let row = 0; row < rows; row++) numbers.set(scales.subarray(row * perRow, (row + 1) * perRow), row * stride);
  }
  return words;
}

/** Row 0 of a, row 0 of b, row 1 of a, … */
function alternate<T extends Uint8Array | Uint32Array | Float32Array>(a: T, b: T, rows: number): T {
  const length = a.length / rows;
  const out = new (a.constructor as new (length: number) => T)(2 * a.length);
  for (let row = 0; row < rows; row++) {
    out.set(a.subarray(row * length, (row + 1) * length), 2 * row * length);
    out.set(b.subarray(row * length, (row + 1) * length), (2 * row + 1) * length);
  }
  return out;
}

/** Throws HunchError("input") where the tensor has another shape. */
export function shaped(source: ModelSource, name: string, ...shapes: readonly (readonly number[])[]): Tensor {
  const tensor = source.tensor(name);
  if (shapes.some((shape) => shape.join() === tensor.shape.join())) return tensor;
  const wanted = shapes.map((shape) => `[${shape.join(", ")}]`).join(" or ");
  throw new HunchError(
    "input",
    `the tensor ${tensor.name} has the shape [${tensor.shape.join(", ")}] where ${name} must be ${wanted}`,
    { file: source.path, hint: "the file contradicts its own hyper-parameters" },
  );
}
