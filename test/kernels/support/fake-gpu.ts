// A graphics device of which nothing is real but the bookkeeping: what was created, destroyed and written, and failures
// at will. It needs no adapter.
import type { FoundAdapter } from "../../../kernels/webgpu/adapter.ts";

export interface Write {
  readonly buffer: object;
  readonly at: number;
  readonly bytes: Uint8Array;
}

type Scope = { readonly filter: string; error: { message: string } | null };

export class FakeGpu extends EventTarget {
  readonly limits = { maxBufferSize: 1 << 28, maxStorageBufferBindingSize: 1 << 28 };
  readonly features = new Set<string>();
  readonly writes: Write[] = [];
  /** Sizes of buffers by whether they are alive. */
  readonly alive = new Map<object, number>();
  /** Bytes of memory. */
  memory = Infinity;
  /** What mapping a buffer fails with. */
  mapFailure: Error | undefined;
  destroyed = false;
  readonly lost: Promise<{ message: string; reason: string }>;
  readonly #scopes: Scope[] = [];
  #lose!: (info: { message: string; reason: string }) => void;

  constructor() {
    super();
    this.lost = new Promise((resolve) => this.#lose = resolve);
  }

  /** As `findAdapter` gives it. `name` must be another one for each device. */
  found(name: string): FoundAdapter {
    const adapter = {
      limits: this.limits,
      features: this.features,
      info: {},
      requestDevice: () => Promise.resolve(this),
    };
    return { adapter: adapter as unknown as GPUAdapter, name, provider: "dawn", software: false };
  }

  readonly queue = {
    writeBuffer: (buffer: object, at: number, bytes: Uint8Array) => {
      if (!this.alive.has(buffer)) this.complain("validation", "the buffer is invalid");
      else this.writes.push({ buffer, at, bytes: bytes.slice() });
    },
    onSubmittedWorkDone: () => Promise.resolve(),
  };

  createBuffer({ size }: { size: number }) {
    const held = [...this.alive.values()].reduce((a, b) => a + b, 0);
    const buffer = {
      size,
      destroy: () => void this.alive.delete(buffer),
      mapAsync: () => this.mapFailure ? Promise.reject(this.mapFailure) : Promise.resolve(),
      getMappedRange: (_from: number, bytes: number) => new ArrayBuffer(bytes),
    };
    if (held + size > this.memory) this.complain("out-of-memory", "no memory");
    else this.alive.set(buffer, size);
    return buffer;
  }

  pushErrorScope(filter: string): void {
    this.#scopes.push({ filter, error: null });
  }

  async popErrorScope(): Promise<{ message: string } | null> {
    const { error } = this.#scopes.pop()!;
    await new Promise((resolve) => setTimeout(resolve));
    return error;
  }

  /** An error as the device finds it: in the innermost scope that wants it, or in none. */
  complain(filter: string, message: string): void {
    const scope = this.#scopes.findLast((scope) => scope.filter === filter);
    if (scope) {
      scope.error ??= { message };
      return;
    }
    this.dispatchEvent(Object.assign(new Event("uncapturederror", { cancelable: true }), { error: { message } }));
  }

  lose(message: string): void {
    this.#lose({ message, reason: "unknown" });
  }

  destroy(): void {
    this.destroyed = true;
    this.#lose({ message: "destroyed", reason: "destroyed" });
  }
}
