// ONNX Runtime through its C ABI: sessions, tensors bound to our own memory, runs. Nothing is copied on the way.
//
// OrtApi is a table of function pointers whose order never changes: entries are only appended. The indices below were
// checked against the header of API version 22; the library must offer at least that.
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import { type CFunction, type CType, type Ffi, type Library, loadFfi } from "../ffi.ts";

const API_VERSION = 22;

const TABLE = {
  getErrorMessage: [2, ["ptr"], "ptr"],
  createEnv: [3, ["i32", "ptr", "ptr"], "ptr"],
  disableTelemetryEvents: [6, ["ptr"], "ptr"],
  createSessionFromArray: [8, ["ptr", "ptr", "usize", "ptr", "ptr"], "ptr"],
  run: [9, ["ptr", "ptr", "ptr", "ptr", "usize", "ptr", "usize", "ptr"], "ptr"],
  createSessionOptions: [10, ["ptr"], "ptr"],
  enableProfiling: [14, ["ptr", "ptr"], "ptr"],
  disableMemPattern: [17, ["ptr"], "ptr"],
  setGraphOptimizationLevel: [23, ["ptr", "i32"], "ptr"],
  setIntraOpThreads: [24, ["ptr", "i32"], "ptr"],
  createTensor: [49, ["ptr", "ptr", "usize", "ptr", "usize", "i32", "ptr"], "ptr"],
  createCpuMemoryInfo: [69, ["i32", "i32", "ptr"], "ptr"],
  releaseStatus: [93, ["ptr"], "void"],
  releaseSession: [95, ["ptr"], "void"],
  releaseValue: [96, ["ptr"], "void"],
  releaseSessionOptions: [100, ["ptr"], "void"],
  getAvailableProviders: [125, ["ptr", "ptr"], "ptr"],
  addSessionConfigEntry: [130, ["ptr", "ptr", "ptr"], "ptr"],
  appendCuda: [204, ["ptr", "ptr"], "ptr"],
  createCudaOptions: [205, ["ptr"], "ptr"],
  releaseCudaOptions: [208, ["ptr"], "void"],
  appendExecutionProvider: [216, ["ptr", "ptr", "ptr", "ptr", "usize"], "ptr"],
} as const satisfies Record<string, readonly [number, readonly CType[], CType]>;

type Api = { [name in keyof typeof TABLE]: CFunction };

/** Element types of tensors, numbered as ONNX numbers them. */
const ELEMENT = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float64: 11 } as const;
export type Element = keyof typeof ELEMENT;

const encoder = new TextEncoder();
const cString = (text: string) => encoder.encode(text + "\0");

/**
 * From 1.30 on the library sends usage reports to its makers, from the moment its environment is made, unless this
 * variable is set. It asks C, which `process.env` does not reach in every runtime, so C is told. Its own switch,
 * DisableTelemetryEvents, comes too late; it is used as well, for Windows, where the C library is another one.
 */
function disableTelemetry(ffi: Ffi, library: Library): void {
  process.env.ORT_DISABLE_TELEMETRY = "1";
  if (process.platform === "win32") return;
  const name = cString("ORT_DISABLE_TELEMETRY"), value = cString("1");
  library.symbol("setenv", ["ptr", "ptr", "i32"], "i32")(ffi.address(name), ffi.address(value), 1);
}

/** A tensor over memory of ours. `shape` may be given anew for the same memory by `Runtime.tensor`. */
export interface Value {
  readonly handle: number;
  readonly data: ArrayBufferView;
}

/** Execution providers as ONNX Runtime spells them. */
const SPELLING: Readonly<Record<string, string>> = { webgpu: "WebGPU", cuda: "CUDA", coreml: "CoreML", dml: "DML" };

export interface SessionOptions {
  readonly threads: number;
  readonly provider: string;
  readonly config?: Readonly<Record<string, string>>;
  /** ONNX Runtime writes what each node took to a file whose name begins so, when the session is closed. */
  readonly profile?: string;
}

/** One loaded library. */
export class Runtime {
  static readonly #loaded = new Map<string, Promise<Runtime>>();
  readonly #ffi: Ffi;
  readonly #api: Api;
  readonly #env: number;
  readonly #memory: number;
  readonly #slot = new BigUint64Array(2); // where functions leave their results

  /** Loads the library once per process. Throws UnsupportedError where it cannot be loaded. */
  static load(path: string): Promise<Runtime> {
    let runtime = Runtime.#loaded.get(path);
    if (!runtime) Runtime.#loaded.set(path, runtime = Runtime.#open(path));
    return runtime;
  }

  static async #open(path: string): Promise<Runtime> {
    const ffi = await loadFfi();
    if (!ffi) {
      throw new UnsupportedError("this JavaScript runtime has no foreign function interface", {
        hint: "use Bun or Deno",
      });
    }
    let getApiBase: CFunction;
    let library;
    try {
      library = ffi.open(path);
      getApiBase = library.symbol("OrtGetApiBase", [], "ptr");
    } catch (error) {
      throw new UnsupportedError(`ONNX Runtime cannot be loaded: ${(error as Error).message}`, { file: path });
    }
    disableTelemetry(ffi, library);
    const [getApi, getVersion] = new BigUint64Array(ffi.view(getApiBase(), 16));
    const table = library.at(Number(getApi), ["i32"], "ptr")(API_VERSION);
    if (table === 0) {
      const version = ffi.text(library.at(Number(getVersion), [], "ptr")());
      throw new UnsupportedError(`ONNX Runtime ${version} is too old: API version ${API_VERSION} is needed`, {
        file: path,
      });
    }
    const pointers = new BigUint64Array(ffi.view(table, 8 * 217));
    const api = {} as Record<string, CFunction>;
    for (const [name, [index, args, result]] of Object.entries(TABLE)) {
      api[name] = library.at(Number(pointers[index]), args, result);
    }
    return new Runtime(ffi, api as Api);
  }

  private constructor(ffi: Ffi, api: Api) {
    this.#ffi = ffi;
    this.#api = api;
    const name = cString("hunch");
    this.#env = this.#result(api.createEnv(4, ffi.address(name), this.#out())); // 4: fatal errors only; the others come back as a status
    this.#check(api.disableTelemetryEvents(this.#env));
    this.#memory = this.#result(api.createCpuMemoryInfo(0, 0, this.#out()));
  }

  /** Execution providers in this library, in its own spelling. */
  providers(): string[] {
    this.#check(this.#api.getAvailableProviders(this.#out(), this.#out() + 8));
    const count = Number(this.#slot[1] & 0xffffffffn);
    const names = new BigUint64Array(this.#ffi.view(Number(this.#slot[0]), 8 * count));
    return [...names].map((address) => this.#ffi.text(Number(address)));
  }

  /** A tensor over `data`, which must hold shape's product of elements and live as long as the value. */
  tensor(data: ArrayBufferView, element: Element, shape: readonly number[]): Value {
    const dims = BigInt64Array.from(shape, BigInt);
    const status = this.#api.createTensor(
      this.#memory,
      // An empty tensor still needs an address.
      this.#ffi.address(data.byteLength ? data : this.#slot),
      data.byteLength,
      this.#ffi.address(dims),
      shape.length,
      ELEMENT[element],
      this.#out(),
    );
    return { handle: this.#result(status), data };
  }

  release(value: Value): void {
    this.#api.releaseValue(value.handle);
  }

  session(model: Uint8Array, options: SessionOptions): Session {
    const handle = this.#result(this.#api.createSessionOptions(this.#out()));
    const add = (key: string, value: string) => {
      const [k, v] = [cString(key), cString(value)];
      this.#check(this.#api.addSessionConfigEntry(handle, this.#ffi.address(k), this.#ffi.address(v)));
    };
    try {
      this.#check(this.#api.setIntraOpThreads(handle, options.threads));
      this.#check(this.#api.setGraphOptimizationLevel(handle, 99));
      // Row counts vary from pass to pass: patterns learnt for one width would be kept for each.
      this.#check(this.#api.disableMemPattern(handle));
      for (const [key, value] of Object.entries(options.config ?? {})) add(key, value);
      if (options.profile !== undefined) {
        const prefix = cString(options.profile);
        this.#check(this.#api.enableProfiling(handle, this.#ffi.address(prefix)));
      }
      if (options.provider !== "cpu") this.#append(handle, options.provider);
      const status = this.#api.createSessionFromArray(
        this.#env,
        this.#ffi.address(model),
        model.byteLength,
        handle,
        this.#out(),
      );
      return new Session(this.#result(status), this.#ffi, this.#api, (status) => this.#check(status));
    } finally {
      this.#api.releaseSessionOptions(handle);
    }
  }

  #append(options: number, provider: string): void {
    const refuse = (why: string): never => {
      const here = this.providers().map((name) => name.replace("ExecutionProvider", ""));
      throw new UnsupportedError(`execution provider ${provider} cannot be used here: ${why}`, {
        hint: `this ONNX Runtime was built with ${here.join(", ")}`,
      });
    };
    const name = SPELLING[provider] ?? provider;
    if (!this.providers().some((known) => known.toLowerCase() === `${name}ExecutionProvider`.toLowerCase())) {
      refuse("this ONNX Runtime was built without it");
    }
    const text = cString(name);
    try {
      if (provider === "cuda") {
        const cuda = this.#result(this.#api.createCudaOptions(this.#out()));
        try {
          this.#check(this.#api.appendCuda(options, cuda));
        } finally {
          this.#api.releaseCudaOptions(cuda);
        }
      } else {
        this.#check(this.#api.appendExecutionProvider(options, this.#ffi.address(text), 0, 0, 0));
      }
    } catch (error) {
      refuse((error as Error).message);
    }
  }

  #out(): number {
    return this.#ffi.address(this.#slot);
  }

  #result(status: number): number {
    this.#check(status);
    return Number(this.#slot[0]);
  }

  #check(status: number): void {
    if (status === 0) return;
    const message = this.#ffi.text(this.#api.getErrorMessage(status)).split("\n")[0]
      .replace(/^\S*onnxruntime\S* .* was false\. /, ""); // where in its source it gave up
    this.#api.releaseStatus(status);
    throw new HunchError("unavailable", `ONNX Runtime: ${message}`);
  }
}

/** A graph ready to run. */
export class Session {
  #open = true;
  readonly #alive: unknown[] = [];

  constructor(
    private readonly handle: number,
    private readonly ffi: Ffi,
    private readonly api: Api,
    private readonly check: (status: number) => void,
  ) {}

  /** Fixes the order of inputs and outputs; the result runs the graph on values in that order. */
  runner(inputs: readonly string[], outputs: readonly string[]): (inputs: Value[], outputs: Value[]) => void {
    const names = [...inputs, ...outputs].map(cString);
    const addresses = BigUint64Array.from(names, (name) => BigInt(this.ffi.address(name)));
    const handles = new BigUint64Array(names.length);
    const nameTable = this.ffi.address(addresses);
    const valueTable = this.ffi.address(handles);
    const split = 8 * inputs.length;
    // Memory that only native code looks at must stay reachable for as long as the runner is.
    this.#alive.push(names, addresses);
    return (inputValues, outputValues) => {
      if (!this.#open) throw new Error("the session is closed");
      for (let i = 0; i < inputValues.length; i++) handles[i] = BigInt(inputValues[i].handle);
      for (let i = 0; i < outputValues.length; i++) handles[inputs.length + i] = BigInt(outputValues[i].handle);
      this.check(
        this.api.run(
          this.handle,
          0,
          nameTable,
          valueTable,
          inputs.length,
          nameTable + split,
          outputs.length,
          valueTable + split,
        ),
      );
    };
  }

  close(): void {
    if (this.#open) this.api.releaseSession(this.handle);
    this.#open = false;
  }
}
