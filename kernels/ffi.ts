// Calling into a shared library from Bun and from Deno: one small surface, addresses as plain numbers.

/** What C functions take and give here. `ptr`: an address; `i32`, `u32`, `f32`: by value; `usize`, `i64`: by value. */
export type CType = "ptr" | "i32" | "usize" | "i64" | "f32" | "void";
export type CFunction = (...args: (number | bigint)[]) => number;

export interface Library {
  /** A function that the library exports. Throws where it has no such symbol. */
  symbol(name: string, args: readonly CType[], result: CType): CFunction;
  /** A function at an address. */
  at(address: number, args: readonly CType[], result: CType): CFunction;
}

export interface Ffi {
  open(path: string): Library;
  /** Address of a buffer's first byte; the caller keeps the buffer alive. Buffers of length 0 give 0. */
  address(buffer: ArrayBufferView): number;
  /** A view of `length` bytes of native memory; valid as long as that memory is. */
  view(address: number, length: number): ArrayBuffer;
  /** Text at an address, up to its zero byte. */
  text(address: number): string;
}

/** The surface of `bun:ffi` that is used here. */
interface BunFfi {
  dlopen(path: string, symbols: Record<string, unknown>): { symbols: Record<string, CFunction> };
  CFunction(definition: Record<string, unknown>): CFunction;
  ptr(buffer: ArrayBufferView): number;
  toArrayBuffer(address: number, offset: number, length: number): ArrayBuffer;
  CString: new (address: number) => { toString(): string };
}

function bunFfi(bun: BunFfi): Ffi {
  const types: Record<CType, string> = { ptr: "ptr", i32: "i32", usize: "u64", i64: "i64", f32: "f32", void: "void" };
  const definition = (args: readonly CType[], result: CType) => ({
    args: args.map((type) => types[type]),
    returns: types[result],
  });
  // Bun gives a null pointer as null.
  const numeric = (call: CFunction): CFunction => (...args) => Number(call(...args) ?? 0);
  return {
    open(path) {
      return {
        symbol: (name, args, result) => numeric(bun.dlopen(path, { [name]: definition(args, result) }).symbols[name]!),
        at: (address, args, result) => numeric(bun.CFunction({ ptr: address, ...definition(args, result) })),
      };
    },
    address: (buffer) => buffer.byteLength === 0 ? 0 : bun.ptr(buffer),
    view: (address, length) => bun.toArrayBuffer(address, 0, length),
    text: (address) => new bun.CString(address).toString(),
  };
}

/** The surface of Deno's FFI that is used here. */
interface DenoFfi {
  dlopen(path: string, symbols: Record<string, unknown>): { symbols: Record<string, (...args: unknown[]) => unknown> };
  UnsafeFnPointer: new (pointer: unknown, definition: unknown) => { call(...args: unknown[]): unknown };
  UnsafePointer: {
    create(value: bigint): unknown;
    of(buffer: ArrayBufferView): unknown;
    value(pointer: unknown): bigint;
  };
  UnsafePointerView: {
    getArrayBuffer(pointer: unknown, length: number): ArrayBuffer;
    getCString(pointer: unknown): string;
  };
}

function denoFfi(deno: DenoFfi): Ffi {
  // Addresses travel as usize numbers: no pointer object has to be made for each call.
  const types: Record<CType, string> = {
    ptr: "usize",
    i32: "i32",
    usize: "usize",
    i64: "i64",
    f32: "f32",
    void: "void",
  };
  const definition = (args: readonly CType[], result: CType) => ({
    parameters: args.map((type) => types[type]),
    result: types[result],
  });
  const pointer = (address: number) => deno.UnsafePointer.create(BigInt(address));
  return {
    open(path) {
      return {
        symbol(name, args, result) {
          const call = deno.dlopen(path, { [name]: definition(args, result) }).symbols[name]!;
          return (...values) => Number(call(...values) ?? 0);
        },
        at(address, args, result) {
          const callable = new deno.UnsafeFnPointer(pointer(address), definition(args, result));
          return (...values) => Number(callable.call(...values) ?? 0);
        },
      };
    },
    address: (buffer) => buffer.byteLength === 0 ? 0 : Number(deno.UnsafePointer.value(deno.UnsafePointer.of(buffer))),
    view: (address, length) => deno.UnsafePointerView.getArrayBuffer(pointer(address), length),
    text: (address) => deno.UnsafePointerView.getCString(pointer(address)),
  };
}

/** The FFI of the runtime this is; undefined where it has none. */
export async function loadFfi(): Promise<Ffi | undefined> {
  const runtime = globalThis as { Bun?: unknown; Deno?: DenoFfi };
  if (runtime.Bun) {
    const name = "bun:ffi"; // kept from type checkers and bundlers of other runtimes
    return bunFfi(await import(name) as BunFfi);
  }
  return typeof runtime.Deno?.dlopen === "function" ? denoFfi(runtime.Deno) : undefined;
}
