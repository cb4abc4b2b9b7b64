// Taking packed matrices apart. The parts are views: rows of the file's own tensor.
import { HunchError } from "../../errors.ts";
import type { ModelFile } from "./architecture.ts";
import type { Tensor } from "../tensors/tensor.ts";
import type { ModelSpec } from "./spec.ts";
import { gather, slice } from "../tensors/weights.ts";

/** Rows of q, then of k, then of v. Shapes are checked afterwards, so a wrong size shows there. */
export function splitQkv(tensors: Map<string, Tensor>, spec: ModelSpec): void {
  eachPacked(tensors, spec, "attention.qkv", (tensor, prefix, part, n) => {
    const { heads, kvHeads, headSize } = spec.layers[n].attention;
    const q = heads * headSize, k = kvHeads * headSize;
    tensors.set(`${prefix}attention.q.${part}`, slice(tensor, 0, q));
    tensors.set(`${prefix}attention.k.${part}`, slice(tensor, q, k));
    tensors.set(`${prefix}attention.v.${part}`, slice(tensor, q + k, tensor.shape[0] - q - k));
  });
}

/** For each head its rows of q, then of k, then of v (GPT-NeoX). */
export function splitInterleavedQkv(tensors: Map<string, Tensor>, spec: ModelSpec, file: ModelFile): void {
  eachPacked(tensors, spec, "attention.qkv", (tensor, prefix, part, n) => {
    const { heads, headSize } = spec.layers[n].attention;
    if (tensor.shape[0] !== 3 * heads * headSize) {
      const message = `the tensor has ${tensor.shape[0]} rows, not 3 × ${heads} heads of ${headSize}`;
      throw new HunchError("input", message, {
        file: file.path,
        field: tensor.name,
        hint: "the file contradicts itself",
      });
    }
    ["q", "k", "v"].forEach((name, which) => {
      const order = Int32Array.from({ length: heads * headSize }, (_, row) => {
        const head = Math.floor(row / headSize);
        return (head * 3 + which) * headSize + row % headSize;
      });
      tensors.set(`${prefix}attention.${name}.${part}`, gather(tensor, order));
    });
  });
}

/** Rows of gate, then of up. */
export function splitGateUp(tensors: Map<string, Tensor>, spec: ModelSpec): void {
  eachPacked(tensors, spec, "feedForward.gateUp", (tensor, prefix, part, n) => {
    const { hidden } = spec.layers[n].feedForward;
    tensors.set(`${prefix}feedForward.gate.${part}`, slice(tensor, 0, hidden));
    tensors.set(`${prefix}feedForward.up.${part}`, slice(tensor, hidden, tensor.shape[0] - hidden));
  });
}

/** Matrices of all experts, [experts, out, in] in the file, biases [experts, out]. */
export function splitExperts(tensors: Map<string, Tensor>, spec: ModelSpec, file: ModelFile): void {
  for (const part of ["gate", "up", "down"]) {
    eachPacked(tensors, spec, `feedForward.experts.${part}`, (tensor, prefix, kind, n) => {
      const { count } = spec.layers[n].feedForward.experts!;
      const matrix = kind === "weight";
      checkExperts(tensor, matrix ? 3 : 2, count, file);
      for (let expert = 0; expert < count; expert++) {
        const name = `${prefix}feedForward.experts.${expert}.${part}.${kind}`;
        tensors.set(name, matrix ? slice(tensor, expert * tensor.shape[1], tensor.shape[1]) : rowOf(tensor, expert));
      }
    });
  }
}

/** Throws HunchError("input") where the tensor is not one of so many dimensions, of so many experts. */
export function checkExperts({ name, shape }: Tensor, dimensions: number, count: number, { path }: ModelFile): void {
  if (shape.length === dimensions && shape[0] === count) return;
  const message = `the tensor is [${shape.join(", ")}], not of ${dimensions} dimensions for ${count} experts`;
  throw new HunchError("input", message, { file: path, field: name, hint: "the file contradicts itself" });
}

/** Row `row` of a matrix as a vector. */
export function rowOf(base: Tensor, row: number): Tensor {
  return {
    name: base.name,
    shape: base.shape.slice(1),
    type: base.type,
    bytes: () => base.bytes(row, row + 1),
    floats: () => base.floats(row, row + 1),
  };
}

function eachPacked(
  tensors: Map<string, Tensor>,
  spec: ModelSpec,
  name: string,
  split: (tensor: Tensor, prefix: string, part: "weight" | "bias", layer: number) => void,
): void {
  for (let n = 0; n < spec.layers.length; n++) {
    for (const part of ["weight", "bias"] as const) {
      const prefix = `layers.${n}.`;
      const tensor = tensors.get(`${prefix}${name}.${part}`);
      if (!tensor) continue;
      tensors.delete(`${prefix}${name}.${part}`);
      split(tensor, prefix, part, n);
    }
  }
}
