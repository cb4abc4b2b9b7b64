// The head of a GGUF file, version 3: metadata and the table of tensors.

export const ALIGNMENT = 32;

/** A value with its type's number. */
export interface Value {
  readonly type: number;
  readonly bytes: Uint8Array;
}

export type Entry = readonly [key: string, value: Value];

export interface TensorPlan {
  readonly name: string;
  /** Fastest first. */
  readonly dimensions: readonly number[];
  readonly type: { readonly id: number };
  /** Bytes. */
  readonly size: number;
}

const bytesOf = (numbers: ArrayBufferView): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength).slice();
const string = (value: string) => {
  const content = new TextEncoder().encode(value);
  return [bytesOf(BigUint64Array.of(BigInt(content.length))), content];
};

export const u32 = (value: number): Value => ({ type: 4, bytes: bytesOf(Uint32Array.of(value)) });
export const float = (value: number): Value => ({ type: 6, bytes: bytesOf(Float32Array.of(value)) });
export const flag = (value: boolean): Value => ({ type: 7, bytes: Uint8Array.of(value ? 1 : 0) });
export const text = (value: string): Value => ({ type: 8, bytes: Buffer.concat(string(value)) });
export const texts = (values: readonly string[]): Value =>
  array(8, values.length, Buffer.concat(values.flatMap(string)));
export const floats = (values: Float32Array): Value => array(6, values.length, bytesOf(values));
export const integers = (values: Int32Array): Value => array(5, values.length, bytesOf(values));

function array(type: number, length: number, content: Uint8Array): Value {
  return {
    type: 9,
    bytes: Buffer.concat([bytesOf(Uint32Array.of(type)), bytesOf(BigUint64Array.of(BigInt(length))), content]),
  };
}

/** Up to where the first tensor begins. Tensors stand in their order, each at a multiple of ALIGNMENT. */
export function ggufHeader(entries: readonly Entry[], tensors: readonly TensorPlan[]): Uint8Array {
  const parts: Uint8Array[] = [
    new TextEncoder().encode("GGUF"),
    u32(3).bytes,
    bytesOf(BigUint64Array.of(BigInt(tensors.length), BigInt(entries.length))),
  ];
  for (const [key, { type, bytes }] of entries) parts.push(...string(key), u32(type).bytes, bytes);
  let offset = 0;
  for (const { name, dimensions, type, size } of tensors) {
    parts.push(...string(name), u32(dimensions.length).bytes);
    parts.push(
      bytesOf(BigUint64Array.from(dimensions, BigInt)),
      u32(type.id).bytes,
      bytesOf(BigUint64Array.of(BigInt(offset))),
    );
    offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
  }
  const head = Buffer.concat(parts);
  return Buffer.concat([head, new Uint8Array(-head.length & (ALIGNMENT - 1))]);
}
