// The real adapter, on whose devices everything that is made is counted, and some buffers cannot be had.
import { findAdapter, type FoundAdapter } from "../../../kernels/webgpu/adapter.ts";

export interface Counts {
  /** Buffers. */
  made: number;
  destroyed: number;
  /** Bytes of buffers that are not destroyed. */
  bytes: number;
  bindGroups: number;
  pipelines: number;
}

export type GpuEvent = "compile" | "submit";

/**
 * An adapter whose devices run out of memory over every buffer that `refuses` is true for. What the device makes of such a
 * buffer afterwards is real: it is invalid there. `meets` is called whenever a pipeline was asked for or work submitted.
 */
export async function faultyAdapter(
  refuses: (label: string, size: number) => boolean = () => false,
  meets: (event: GpuEvent) => void = () => {},
): Promise<{ found: FoundAdapter; counts: Counts }> {
  const counts: Counts = { made: 0, destroyed: 0, bytes: 0, bindGroups: 0, pipelines: 0 };
  const found = await findAdapter(process.env.HUNCH_TEST_WEBGPU, "");
  const adapter = changed(found.adapter, {
    requestDevice: async (wanted?: GPUDeviceDescriptor) =>
      faulty(await found.adapter.requestDevice(wanted), refuses, meets, counts),
  });
  return { found: { ...found, adapter }, counts };
}

function faulty(
  gpu: GPUDevice,
  refuses: (label: string, size: number) => boolean,
  meets: (event: GpuEvent) => void,
  counts: Counts,
): GPUDevice {
  /** For each open error scope: whether a buffer was refused within it. */
  const scopes: { filter: GPUErrorFilter; refused: boolean }[] = [];
  return changed(gpu, {
    pushErrorScope(filter: GPUErrorFilter) {
      scopes.push({ filter, refused: false });
      gpu.pushErrorScope(filter);
    },
    async popErrorScope() {
      const { refused } = scopes.pop()!;
      const error = await gpu.popErrorScope();
      return refused ? { message: "refused by a test" } : error;
    },
    createBuffer(wanted: GPUBufferDescriptor) {
      const buffer = refuses(wanted.label ?? "", wanted.size) ? refused(wanted) : gpu.createBuffer(wanted);
      const destroy = buffer.destroy.bind(buffer);
      let alive = true;
      counts.made++;
      counts.bytes += wanted.size;
      buffer.destroy = () => {
        if (alive) {
          counts.destroyed++;
          counts.bytes -= wanted.size;
        }
        alive = false;
        return destroy();
      };
      return buffer;
    },
    createBindGroup(wanted: GPUBindGroupDescriptor) {
      counts.bindGroups++;
      return gpu.createBindGroup(wanted);
    },
    createComputePipeline(wanted: GPUComputePipelineDescriptor) {
      counts.pipelines++;
      const pipeline = gpu.createComputePipeline(wanted);
      meets("compile");
      return pipeline;
    },
    queue: changed(gpu.queue, {
      submit(buffers: Iterable<GPUCommandBuffer>) {
        gpu.queue.submit([...buffers]);
        meets("submit");
      },
    }),
  });

  function refused(wanted: GPUBufferDescriptor): GPUBuffer {
    scopes.findLast(({ filter }) => filter === "out-of-memory")!.refused = true;
    gpu.pushErrorScope("validation"); // a buffer with every usage is invalid
    const buffer = gpu.createBuffer({ ...wanted, usage: 0x3ff });
    gpu.popErrorScope().catch(() => {});
    return buffer;
  }
}

/** `target` with some members replaced; native objects want to be themselves in their own methods. */
function changed<T extends object>(target: T, members: Record<string, unknown>): T {
  return new Proxy(target, {
    get(target, name) {
      if (typeof name === "string" && Object.hasOwn(members, name)) return members[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
