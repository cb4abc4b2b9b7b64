// Matrices in the device's memory: the file's own numbers, uploaded in pieces of whole rows.
import type { ModelSource, Tensor } from "../../src/model/source.ts";
import { blockForm, blocks } from "../../src/model/blocks.ts";
import { HunchError } from "../../src/errors.ts";
import type { Device } from "./device.ts";
import type { WeightForm } from "./kernels.ts";

/** Some neighbouring outputs of a matrix that have one form and fit one binding. */
export interface Piece {
  readonly form: WeightForm;
  /** Where the outputs stand in the result's row. */
  readonly from: number;
  readonly outputs: number;
  /** Of 8 elements: the length of a row of weights. */
  readonly units: number;
  /** Codes or numbers; for the exact container scales and offsets as well. */
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
  if (form) return { kind: form.bits === 4 ? "b4" : "b8", block: form.block, affine: form.affine };
  return { kind: tensor.type === "F16" ? "f16" : tensor.type === "BF16" ? "bf16" : "f32" };
}

/** Bytes of one unit of 8 elements. */
const UNIT_BYTES = { f32: 32, f16: 16, bf16: 16, b8: 8, b4: 4 } as const;

/** Bytes that a model's matrices take on the device; vectors hardly count. */
export function weightBytes(source: ModelSource, exact: boolean): number {
  let bytes = 0;
  for (const name of source.names) {
    const tensor = source.tensor(name);
    const [rows, columns] = tensor.shape;
    const embedded = name === "positions.weight" || (name === "embed.weight" && source.has("output.weight"));
    if (columns === undefined || embedded) continue; // rows of tables are read where the file is
    const form = formOf(tensor, exact);
    bytes += rows * Math.ceil(columns / 8) * UNIT_BYTES[form.kind];
    if ("block" in form) bytes += rows * columns / form.block * (form.affine ? 8 : 4);
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

function same(a: WeightForm, b: WeightForm): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function uploadRun(device: Device, run: readonly Part[], units: number, columns: number, from: number): Piece {
  const { form } = run[0];
  const outputs = run.reduce((sum, part) => sum + part.to - part.from, 0);
  const label = run[0].tensor.name;
  const codes = device.storage(outputs * units * UNIT_BYTES[form.kind], label);
  const perRow = "block" in form ? columns / form.block : 0;
  const scales = perRow ? device.storage(outputs * perRow * 4, `${label}, scales`) : undefined;
  const offsets = perRow && "affine" in form && form.affine
    ? device.storage(outputs * perRow * 4, `${label}, offsets`)
    : undefined;
  let at = 0;
  for (const { tensor, from, to } of run) {
    const step = Math.max(1, Math.floor(STRETCH / (columns * 4)));
    for (let row = from; row < to; row += step) {
      const end = Math.min(to, row + step);
      if (scales) {
        const part = blocks(tensor, row, end)!;
        device.write(codes, part.codes, at * units * UNIT_BYTES[form.kind]);
        device.write(scales, part.scales, at * perRow * 4);
        if (offsets) device.write(offsets, part.offsets!, at * perRow * 4);
      } else {
        device.write(codes, padded(tensor, form, row, end, columns), at * units * UNIT_BYTES[form.kind]);
      }
      at += end - row;
    }
  }
  return {
    form,
    from,
    outputs,
    units,
    buffers: scales ? [codes, scales, offsets ?? scales] : [codes],
    bias: uploadBias(device, run, outputs),
  };
}

function uploadBias(device: Device, run: readonly Part[], outputs: number): GPUBuffer | undefined {
  if (!run.some(({ bias }) => bias)) return undefined;
  const values = new Float32Array(outputs);
  let at = 0;
  for (const { bias, from, to } of run) {
    if (bias) values.set(bias.floats().subarray(from, to), at);
    at += to - from;
  }
  return uploadFloats(device, values, `${run[0].tensor.name}, bias`);
}

export function uploadFloats(device: Device, values: Float32Array, label: string): GPUBuffer {
  const buffer = device.storage(values.byteLength, label);
  device.write(buffer, values);
  return buffer;
}

/** Rows as numbers, each filled up with zeros to whole units. */
function padded(tensor: Tensor, form: WeightForm, from: number, to: number, columns: number): ArrayBufferView {
  const length = Math.ceil(columns / 8) * 8;
  if (form.kind === "f32") {
    const values = tensor.floats(from, to);
    if (length === columns) return values;
    const out = new Float32Array((to - from) * length);
    for (let row = 0; row < to - from; row++) {
      out.set(values.subarray(row * columns, (row + 1) * columns), row * length);
    }
    return out;
  }
  const bytes = tensor.bytes(from, to);
  if (length === columns) return bytes;
  const out = new Uint8Array((to - from) * length * 2);
  for (let row = 0; row < to - from; row++) {
    out.set(bytes.subarray(row * columns * 2, (row + 1) * columns * 2), row * length * 2);
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
    { file: source.path },
    "the file contradicts its own hyper-parameters",
  );
}
