// What weights that a folder stores in several tensors each are taken for.
import type { Tensor } from "./tensor.ts";

export interface PackedWeights {
  /** By the names that the weights have unpacked. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Names of the stored tensors that they are made of. */
  readonly used: ReadonlySet<string>;
}
