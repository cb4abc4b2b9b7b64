// Memory that a graph reads or writes, kept from pass to pass.
import type { Element, Runtime, Value } from "./runtime.ts";

/** A buffer that grows, and the tensor of the shape it was last bound with. */
export class Feed<T extends Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array> {
  data: T;
  value: Value = { handle: 0, data: new Uint8Array(0) };
  #shape = "";

  private constructor(
    private readonly runtime: Runtime,
    private readonly element: Element,
    private readonly make: (length: number) => T,
  ) {
    this.data = make(0);
  }

  static floats(runtime: Runtime): Feed<Float32Array> {
    return new Feed<Float32Array>(runtime, "float32", (length) => new Float32Array(length));
  }

  static doubles(runtime: Runtime): Feed<Float64Array> {
    return new Feed<Float64Array>(runtime, "float64", (length) => new Float64Array(length));
  }

  static longs(runtime: Runtime): Feed<BigInt64Array> {
    return new Feed<BigInt64Array>(runtime, "int64", (length) => new BigInt64Array(length));
  }

  static ints(runtime: Runtime): Feed<Int32Array> {
    return new Feed<Int32Array>(runtime, "int32", (length) => new Int32Array(length));
  }

  static bools(runtime: Runtime): Feed<Uint8Array> {
    return new Feed<Uint8Array>(runtime, "bool", (length) => new Uint8Array(length));
  }

  /** Memory of at least `shape`'s product, bound with that shape. What was in it is undefined where it grew. */
  bind(shape: readonly number[]): T {
    const length = shape.reduce((a, b) => a * b, 1);
    const key = shape.join();
    if (key === this.#shape && this.value.handle) return this.data;
    if (length > this.data.length) this.data = this.make(Math.max(length, 2 * this.data.length));
    if (this.value.handle) this.runtime.release(this.value);
    this.value = this.runtime.tensor(this.data.subarray(0, length), this.element, shape);
    this.#shape = key;
    return this.data;
  }

  close(): void {
    if (this.value.handle) this.runtime.release(this.value);
    this.value = { handle: 0, data: this.value.data };
  }
}
