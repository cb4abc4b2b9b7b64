// A model that lives in memory: for tests of engines that must not depend on a file format.
import { createHash } from "node:crypto";
import { HunchError } from "../../../src/errors.ts";
import type { ModelSource } from "../../../src/model/source.ts";
import type { Tensor, TensorType } from "../../../src/model/tensors/tensor.ts";
import type { ModelSpec } from "../../../src/model/spec/spec.ts";
import type { Tokenizer } from "../../../src/model/tokenizer.ts";

export interface MemoryTensor {
  readonly shape: readonly number[];
  /** What the tensor means, row-major. */
  readonly values: Float32Array;
  /** How it is stored; F32 where absent. */
  readonly packed?: { readonly type: TensorType; readonly bytes: Uint8Array };
}

export function memorySource(
  spec: ModelSpec,
  tensors: ReadonlyMap<string, MemoryTensor>,
  title = "in memory",
): ModelSource {
  const tensor = (name: string): Tensor => {
    const found = tensors.get(name);
    if (!found) throw new HunchError("input", `the tensor ${name} is missing`, { file: title });
    return memoryTensor(name, found);
  };
  return {
    path: title,
    format: "memory",
    title,
    spec,
    tokenizer: numberTokenizer(spec.vocab),
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    tensor,
    hash: async () => {
      const hash = createHash("sha256");
      hash.update(JSON.stringify(spec, (_, value) => ArrayBuffer.isView(value) ? Object.values(value) : value));
      for (const name of tensors.keys()) hash.update(name).update(tensor(name).bytes());
      return hash.digest("hex");
    },
    size: [...tensors.keys()].reduce((sum, name) => sum + tensor(name).bytes().length, 0),
    close: () => {},
  };
}

function memoryTensor(name: string, { shape, values, packed }: MemoryTensor): Tensor {
  const rows = shape.length === 1 ? 1 : shape[0];
  const bytes = packed?.bytes ?? new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const part = <T extends Float32Array | Uint8Array>(whole: T, from = 0, to = rows) =>
    whole.slice(from * whole.length / rows, to * whole.length / rows) as T;
  return {
    name,
    shape,
    type: packed?.type ?? "F32",
    bytes: (from, to) => part(bytes, from, to),
    floats: (from, to) => part(values, from, to),
  };
}

/** Token n is written "n ", and none ends a text. */
export function numberTokenizer(vocab: number): Tokenizer {
  const name = (token: number) => `${token} `;
  return {
    vocab,
    ends: [],
    encode: (text) => Int32Array.from(text.trim().split(/\s+/).filter((word) => word), Number),
    bytes: (token) => new TextEncoder().encode(name(token)),
    decode: (tokens) => Array.from(tokens, name).join(""),
    name,
  };
}
