// 4-bit weights as GPTQ and AWQ pack them.
import type { Hyper } from "./hyper.ts";
import type { SafeTensor } from "./safetensors.ts";
import type { Tensor } from "./source.ts";

export interface PackedWeights {
  /** By the names that the weights have unpacked. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Names of the stored tensors that they are made of. */
  readonly used: ReadonlySet<string>;
}

/** Throws HunchError("input") for a method of quantisation that is not supported. */
export function packedWeights(_stored: ReadonlyMap<string, SafeTensor>, hyper: Hyper): PackedWeights {
  const config = hyper.inside(["quantization_config"]);
  if (config) throw config.wrong("quant_method", "quantised Hugging Face weights are not supported");
  return { tensors: new Map(), used: new Set() };
}
