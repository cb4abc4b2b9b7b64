// How one verification rule runs on the device. Each file beside this one that is named after a rule holds one.
import type { Verified } from "../../../src/device-rule.ts";
import type { DraftTree } from "../../../src/tree.ts";
import type { Kernel } from "../device.ts";
import type { Part } from "../scores.ts";

/** The draft to judge, and what decides. */
export interface Draft {
  readonly tree: DraftTree;
  /** Those that the rule named with itself. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly vocab: number;
}

/** What goes up before the kernels run. */
export interface Upload {
  /** The draft. */
  readonly words: Uint32Array;
  /** What was drafted from, one behind the other; nothing where the rule draws nothing. */
  readonly numbers: readonly Float64Array[];
  /** The kernels' uniform structure, where they have one. */
  readonly shape?: DataView;
  /** Bytes of the verdict. */
  readonly bytes: number;
  /** `words`: the verdict as the kernels left it. Undefined where they could not settle it. */
  read(words: Uint32Array): Verified | undefined;
}

/** What the kernels read and write. */
export interface Buffers {
  /** float32 [rows, vocab] */
  readonly probabilities: GPUBuffer;
  /** [rows, BEST_WORDS] */
  readonly best: GPUBuffer;
  readonly shape: GPUBuffer;
  /** float64 [rows], what makes each row sum to 1 */
  readonly factors: GPUBuffer;
  readonly drafted: GPUBuffer;
  readonly numbers: GPUBuffer;
  /** float64 [vocab] */
  readonly work: GPUBuffer;
  readonly verdict: GPUBuffer;
}

export interface RuleOnDevice {
  /** As `DeviceRule.name` has it. */
  readonly name: string;
  /** What a pass must have made of its scores. */
  readonly parts: readonly Part[];
  readonly kernels: readonly Kernel[];
  /** Undefined where this law or draft cannot be judged on the device. */
  upload(draft: Draft, uniforms: Float64Array): Upload | undefined;
  record(run: (kernel: Kernel, buffers: readonly GPUBuffer[], groups: number) => void, to: Buffers, rows: number): void;
}
