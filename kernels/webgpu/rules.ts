// Verification rules on the device, behind the pass that made the probabilities: what is drafted goes up before, the
// verdict comes back with the results. Nothing waits in between.
//
// Verdicts are those of the rules in TypeScript to the last bit, because all that decides is computed in float64
// (rules/f64.wgsl) and summed in whole units. Where that cannot be, the verdict is not settled, and TypeScript decides.
import { type DeviceRule, mostUniforms } from "../../src/device-rule.ts";
import type { DraftTree } from "../../src/tree.ts";
import type { Device, Kernel } from "./device.ts";
import { MOST_ROWS } from "./kernels.ts";
import type { Buffers, RuleOnDevice, Upload } from "./rules/device-rule.ts";
import { RULES } from "./rules/table.ts";
import type { GrowingBuffer } from "./steps.ts";

/** A verdict that can be recorded: everything is compiled and uploaded. */
export interface Prepared extends Pick<Upload, "bytes" | "read">, Pick<RuleOnDevice, "parts" | "record"> {
  /** Of the pass. */
  readonly rows: number;
}

export class WebGpuRules {
  /** What `record` leaves, of which `Prepared.bytes` are to be copied into the staging buffer. */
  readonly verdict: GPUBuffer;
  readonly #shape: GPUBuffer;
  readonly #factors: GPUBuffer;
  readonly #work: GPUBuffer;
  readonly #tree: GrowingBuffer;
  readonly #numbers: GrowingBuffer;

  constructor(private readonly device: Device, private readonly vocab: number) {
    this.verdict = device.storage(2 * MOST_ROWS * 8, "verdict");
    this.#shape = device.uniform(16, "shape of verdicts");
    this.#factors = device.storage(MOST_ROWS * 8, "factors of rows");
    this.#work = device.storage(vocab * 8, "what is owed");
    this.#tree = { buffer: device.storage(16, "draft") };
    this.#numbers = { buffer: device.storage(16, "what was drafted from") };
  }

  /**
   * Compiles and uploads what the next `record` needs, and nothing else: one verdict at a time. Undefined where this
   * rule, law or draft cannot be judged on the device.
   */
  async prepare(
    { name, parameters = {} }: DeviceRule,
    tree: DraftTree,
    uniforms: Float64Array,
  ): Promise<Prepared | undefined> {
    const rule = RULES.get(name);
    const rows = tree.tokens.length + 1;
    if (rule === undefined || rows > MOST_ROWS || uniforms.length < mostUniforms(tree)) return undefined;
    if (tree.tokens.some((token) => !(token >= 0 && token < this.vocab))) return undefined;
    for (const kernel of rule.kernels) if (!this.device.compiled(kernel)) await this.device.pipeline(kernel);
    const upload = rule.upload({ tree, parameters, vocab: this.vocab }, uniforms);
    if (upload === undefined) return undefined;
    const { words, numbers, shape, bytes, read } = upload;
    const size = numbers.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (Math.max(size, words.byteLength) > this.device.largestBinding) return undefined;
    this.#upload(this.#tree, words.byteLength, [words]);
    this.#upload(this.#numbers, size, numbers);
    if (shape !== undefined) this.device.write(this.#shape, shape);
    return { parts: rule.parts, record: rule.record, rows, bytes, read };
  }

  /**
   * Records the verdict behind a pass that left `probabilities` [rows, vocab], float32, and `best` [rows, BEST_WORDS].
   * `greedy` looks only at the latter, all others only at the former.
   */
  record(encoder: GPUCommandEncoder, { record, rows }: Prepared, probabilities: GPUBuffer, best: GPUBuffer): void {
    const pass = encoder.beginComputePass();
    const run = (kernel: Kernel, buffers: readonly GPUBuffer[], groups: number) => {
      const compiled = this.device.compiled(kernel)!;
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, this.device.bind(compiled, buffers));
      pass.dispatchWorkgroups(groups);
      this.device.counts.dispatches++;
    };
    const buffers: Buffers = {
      probabilities,
      best,
      shape: this.#shape,
      factors: this.#factors,
      drafted: this.#tree.buffer,
      numbers: this.#numbers.buffer,
      work: this.#work,
      verdict: this.verdict,
    };
    record(run, buffers, rows);
    pass.end();
  }

  /** `parts`, one behind the other, in a buffer that has room for `bytes`. */
  #upload(to: GrowingBuffer, bytes: number, parts: readonly ArrayBufferView[]): void {
    const { device } = this;
    if (to.buffer.size < bytes) {
      const { label } = to.buffer;
      device.destroy(to.buffer);
      to.buffer = device.storage(Math.min(2 * bytes, Math.max(bytes, device.largestBinding)), label);
    }
    let at = 0;
    for (const part of parts) {
      device.write(to.buffer, part, at);
      at += part.byteLength;
    }
  }
}
