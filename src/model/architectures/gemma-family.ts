// What the Gemma family shares.
import type { ModelFile } from "../spec/architecture.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { activationOf } from "../spec/decoder.ts";
import type { Activation, AttentionSpec, ModelSpec } from "../spec/spec.ts";
import { layers } from "../spec/names.ts";
import { raised } from "../tensors/weights.ts";

/** Where the four norms a layer differ from Llama's names. */
export const GEMMA_NAMES = layers("model.layers.N.", {
  "attention.postNorm": "post_attention_layernorm",
  "feedForward.norm": "pre_feedforward_layernorm",
  "feedForward.postNorm": "post_feedforward_layernorm",
});

/** Gemma's own word decides; `hidden_act` stands in old files and means nothing. */
export function gemmaActivation(file: ModelFile): Activation {
  return activationOf(file, "gelu_pytorch_tanh", "hidden_activation");
}

/** Hugging Face stores the gains of norms less one; GGUF stores them ready. */
export function addOneToGains(tensors: Map<string, Tensor>, _spec: ModelSpec, file: ModelFile): void {
  if (file.kind === "gguf") return;
  for (const [name, tensor] of tensors) {
    if (/(^|\.)(norm|qNorm|kNorm|postNorm)\.weight$/.test(name)) tensors.set(name, raised(tensor, 1));
  }
}

/**
 * Factor on q·k. Hugging Face tells it; GGUF does not, but the largest model of each generation, known by its number of
 * layers, takes the width per head instead of the head's size.
 */
export function gemmaScale(file: ModelFile, attention: AttentionSpec, layersOfLargest: number): number {
  const { hyper } = file;
  if (file.kind === "huggingFace") return 1 / Math.sqrt(hyper.positive(["query_pre_attn_scalar"], 256));
  const largest = hyper.integer(["block_count"]) === layersOfLargest;
  return 1 / Math.sqrt(largest ? hyper.integer(["embedding_length"]) / attention.heads : attention.headSize);
}
