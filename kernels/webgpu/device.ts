// The thin layer over a WebGPU device: buffers that are counted, pipelines cached by source, and errors for people.
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import type { FoundAdapter } from "./adapter.ts";
import { type Features, PLAIN } from "./features.ts";

/** GPUBufferUsage by name: runtimes without a WebGPU of their own lack the global object. */
const USAGE = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 } as const;
const COMPUTE_STAGE = 0x4;
const MAP_READ = 0x1;

/** Largest piece of one upload: enough to be quick, little enough that no adapter refuses it. */
export const CHUNK = 16 << 20;

/** How long a device is given to say that it was lost, once something else has failed. */
const LOSS_MS = 200;

export type Access = "uniform" | "read" | "write";

export interface Kernel {
  /** For messages: the operation's name. */
  readonly name: string;
  readonly code: string;
  /** How binding i of group 0 is used. */
  readonly bindings: readonly Access[];
}

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export interface Counts {
  buffersCreated: number;
  buffersDestroyed: number;
  bytes: number;
  pipelines: number;
  dispatches: number;
  submits: number;
  /** Uploaded, and read back. */
  writtenBytes: number;
  readBytes: number;
}

/** What all engines on one adapter share: the device, its pipelines, and what has gone wrong. */
interface Core {
  readonly gpu: GPUDevice;
  readonly pipelines: Map<string, Pipeline>;
  /** From now on others get another device. */
  readonly forget: () => void;
  failure: string | undefined;
  /** Devices of ours that are open on it. */
  users: number;
  /** What the self-test found out; undefined before it. */
  tested: Tested | undefined;
  /** Smallest subgroup that the adapter tells of; 1 where it has none. */
  readonly smallestSubgroup: number;
}

export interface Tested {
  /** Whether a row's bits are its own, whatever stands beside it. */
  readonly exact: boolean;
  /** What works on this adapter. */
  readonly features: Features;
}

/** Used where the adapter has them. */
const WANTED = ["subgroups", "shader-f16"] as const;

/** By adapter: a draft model and its target compile nothing twice. */
const cores = new Map<string, Promise<Core>>();

async function openCore({ adapter, name }: FoundAdapter, forget: () => void): Promise<Core> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  let gpu: GPUDevice;
  try {
    gpu = await adapter.requestDevice({
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
      requiredFeatures: WANTED.filter((feature) => adapter.features.has(feature)),
    });
  } catch (error) {
    forget();
    throw new UnsupportedError(
      `the WebGPU adapter ${name} gives no device: ${error instanceof Error ? error.message : error}`,
      { hint: "use --backend onnx" },
    );
  }
  const smallestSubgroup = gpu.features.has("subgroups") ? adapter.info.subgroupMinSize ?? 1 : 1;
  const core: Core = {
    gpu,
    pipelines: new Map(),
    forget,
    failure: undefined,
    users: 0,
    tested: undefined,
    smallestSubgroup,
  };
  const fail = (failure: string) => {
    core.failure ??= failure;
    forget();
  };
  gpu.lost.then(({ message }) => {
    if (core.users > 0) fail(`the graphics device was lost: ${message || "no reason given"}`);
  }, () => {});
  gpu.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    fail(`the graphics device refused an operation: ${(event as GPUUncapturedErrorEvent).error.message}`);
  });
  return core;
}

/** One engine's share of a WebGPU device: its buffers and counts are its own. */
export class Device {
  readonly counts: Counts = {
    buffersCreated: 0,
    buffersDestroyed: 0,
    bytes: 0,
    pipelines: 0,
    dispatches: 0,
    submits: 0,
    writtenBytes: 0,
    readBytes: 0,
  };
  readonly gpu: GPUDevice;
  readonly #buffers = new Set<GPUBuffer>();
  /** Buffers that the device may still refuse. */
  readonly #creating = new Set<Promise<void>>();
  /** What was done with such buffers, until the device has said what it thinks of that. */
  readonly #guards = new Set<Promise<void>>();
  #failure: string | undefined;
  #closed = false;

  private constructor(
    private readonly core: Core,
    readonly adapterName: string,
    readonly provider: string,
  ) {
    this.gpu = core.gpu;
    core.users++;
  }

  /** Throws UnsupportedError where the adapter gives no device. */
  static async open(found: FoundAdapter): Promise<Device> {
    const key = `${found.provider} ${found.name}`;
    for (;;) {
      let opened = cores.get(key);
      if (!opened) {
        const made = openCore(found, () => {
          if (cores.get(key) === made) cores.delete(key);
        });
        cores.set(key, opened = made);
      }
      const core = await opened;
      // Its last user may have closed it meanwhile.
      if (cores.get(key) === opened) return new Device(core, found.name, found.provider);
    }
  }

  /** Runs `test` once for all who share the device. */
  async tested(test: () => Promise<Tested>): Promise<Tested> {
    return this.core.tested ??= await test();
  }

  /** What kernels may use: what the self-test found to work, and nothing before it. */
  get features(): Features {
    return this.core.tested?.features ?? PLAIN;
  }

  /** What the adapter claims to have, for the self-test to find out. */
  get offered(): Omit<Features, "subnormals"> {
    return { subgroups: Math.min(16, this.core.smallestSubgroup), float16: this.gpu.features.has("shader-f16") };
  }

  /** Most bytes of one storage binding. */
  get largestBinding(): number {
    return Math.min(this.gpu.limits.maxStorageBufferBindingSize, this.gpu.limits.maxBufferSize);
  }

  /** Zeroed storage of at least `bytes`. */
  storage(bytes: number, label: string): GPUBuffer {
    return this.#create(bytes, USAGE.storage | USAGE.copySource | USAGE.copyTarget, label);
  }

  uniform(bytes: number, label: string): GPUBuffer {
    return this.#create(bytes, USAGE.uniform | USAGE.copyTarget, label);
  }

  /** Memory that JavaScript can read once a pass has copied into it. */
  staging(bytes: number): GPUBuffer {
    return this.#create(bytes, USAGE.mapRead | USAGE.copyTarget, "results");
  }

  destroy(buffer: GPUBuffer): void {
    if (!this.#buffers.delete(buffer)) return;
    this.counts.buffersDestroyed++;
    this.counts.bytes -= buffer.size;
    buffer.destroy();
  }

  /** Uploads in pieces; lengths must be multiples of 4 bytes. */
  write(buffer: GPUBuffer, data: ArrayBufferView, at = 0): void {
    this.counts.writtenBytes += data.byteLength;
    for (let from = 0; from < data.byteLength; from += CHUNK) {
      const length = Math.min(CHUNK, data.byteLength - from);
      const piece = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset + from, length);
      this.guarded(() => this.gpu.queue.writeBuffer(buffer, at + from, piece));
    }
  }

  /** The kernel's pipeline where it was made before. */
  compiled({ code }: Kernel): Pipeline | undefined {
    return this.core.pipelines.get(code);
  }

  /** Throws an Error with the numbered source where WGSL does not compile: a bug of ours, never of the user. */
  async pipeline({ name, code, bindings }: Kernel): Promise<Pipeline> {
    const known = this.core.pipelines.get(code);
    if (known) return known;
    this.gpu.pushErrorScope("validation");
    const module = this.gpu.createShaderModule({ label: name, code });
    const layout = this.gpu.createBindGroupLayout({
      label: name,
      entries: bindings.map((access, binding) => ({
        binding,
        visibility: COMPUTE_STAGE,
        buffer: { type: access === "uniform" ? "uniform" : access === "read" ? "read-only-storage" : "storage" },
      })),
    });
    const pipeline = this.gpu.createComputePipeline({
      label: name,
      layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    const [{ messages }, error] = await Promise.all([module.getCompilationInfo(), this.gpu.popErrorScope()]);
    const wrong = messages.filter(({ type }) => type === "error");
    if (error || wrong.length > 0) {
      await this.#lossFirst();
      const told = wrong.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos}: ${message}`);
      throw new Error(`the kernel ${name} does not compile: ${told.join("\n") || error!.message}\n${numbered(code)}`);
    }
    const made = { pipeline, layout };
    this.core.pipelines.set(code, made);
    this.counts.pipelines++;
    return made;
  }

  bind({ layout }: Pipeline, buffers: readonly GPUBuffer[]): GPUBindGroup {
    return this.gpu.createBindGroup({
      layout,
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  /**
   * Does what may use a buffer that the device is about to refuse: complaints about that are this engine's, not of all
   * who share the device.
   */
  guarded<T>(action: () => T): T {
    const pending = [...this.#creating];
    if (pending.length === 0) return action();
    this.gpu.pushErrorScope("validation");
    try {
      return action();
    } finally {
      const complaint = this.gpu.popErrorScope().then(async (error) => {
        await Promise.all(pending); // whose refusal says more
        if (error) this.#failure ??= `the graphics device refused an operation: ${error.message}`;
      }, () => {}).finally(() => this.#guards.delete(complaint));
      this.#guards.add(complaint);
    }
  }

  submit(encoder: GPUCommandEncoder): void {
    this.guarded(() => this.gpu.queue.submit([encoder.finish()]));
    this.counts.submits++;
  }

  /** Waits until the device has done what it was told, and throws HunchError("unavailable") where anything failed. */
  async settle(): Promise<void> {
    try {
      await Promise.all([this.gpu.queue.onSubmittedWorkDone(), ...this.#creating, ...this.#guards]);
    } catch (error) {
      await this.#lossFirst();
      this.#failure ??= `its work cannot be waited for: ${error instanceof Error ? error.message : error}`;
    }
    this.check();
  }

  /** Waits for what was submitted and maps `bytes` of a staging buffer. */
  async read(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await staging.mapAsync(MAP_READ, 0, bytes);
    } catch (error) {
      await this.#lossFirst();
      this.#failure ??= `its results cannot be read: ${error instanceof Error ? error.message : error}`;
    }
    await Promise.all([...this.#creating, ...this.#guards]);
    this.check();
    this.counts.readBytes += bytes;
    return staging.getMappedRange(0, bytes);
  }

  /** Throws HunchError("unavailable") once anything has gone wrong on the device. */
  check(): void {
    const failure = this.#failure ?? this.core.failure;
    if (failure === undefined) return;
    throw new HunchError("unavailable", failure.replaceAll(/\s+/g, " ").slice(0, 300), {
      hint: `${this.adapterName}: use a smaller model or context, or --backend onnx`,
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const buffer of [...this.#buffers]) this.destroy(buffer);
    if (--this.core.users > 0) return;
    this.core.forget();
    this.gpu.destroy();
  }

  /** A lost device explains whatever else goes wrong: throws if it says so in time. */
  async #lossFirst(): Promise<void> {
    await Promise.race([this.gpu.lost, new Promise((resolve) => setTimeout(resolve, LOSS_MS))]);
    this.check();
  }

  #create(bytes: number, usage: number, label: string): GPUBuffer {
    this.check();
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (size > this.gpu.limits.maxBufferSize) {
      const most = Math.floor(this.gpu.limits.maxBufferSize / 1e6);
      throw new HunchError(
        "unavailable",
        `${label} needs a buffer of ${Math.ceil(size / 1e6)} MB where ${this.adapterName} has at most ${most} MB`,
        { hint: "use a smaller context, or --backend onnx" },
      );
    }
    this.gpu.pushErrorScope("out-of-memory");
    const buffer = this.gpu.createBuffer({ size, usage, label });
    const created = this.gpu.popErrorScope().then((error) => {
      if (error) this.#failure ??= `the graphics device has no memory left for ${label}, ${Math.ceil(size / 1e6)} MB`;
      this.#creating.delete(created);
    }, () => void this.#creating.delete(created)); // lost meanwhile: told elsewhere
    this.#creating.add(created);
    this.#buffers.add(buffer);
    this.counts.buffersCreated++;
    this.counts.bytes += size;
    return buffer;
  }
}

/** Source with line numbers, as compilers count them. */
export function numbered(code: string): string {
  return code.split("\n").map((line, i) => `${String(i + 1).padStart(4)} | ${line}`).join("\n");
}
