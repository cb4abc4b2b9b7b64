// SmolLM3 (2025): Llama where every fourth layer has no rotation, after RoPE to NoPE and Back Again (2025,
// arXiv:2501.18795). GGUF does not tell which; the interval is part of the architecture there.
import type { Architecture, ModelFile } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { layerWindows } from "../spec/windows.ts";
import { llama } from "./llama.ts";

export const smollm3: Architecture = {
  name: "smollm3",
  gguf: "smollm3",
  huggingFace: "smollm3",
  tensors: llama.tensors,
  spec(file) {
    const rotated = rotatedLayers(file);
    const window = layerWindows(file);
    return decoderSpec(file, {
      name: "smollm3",
      rope: { interleaved: file.kind === "gguf", base: 2_000_000 },
      attention: (n, common) => ({ ...window(n), rope: rotated(n) ? common.rope : undefined }),
    });
  },
};

function rotatedLayers(file: ModelFile): (n: number) => boolean {
  const count = file.hyper.integer(["block_count", "num_hidden_layers"]);
  const list = file.hyper.numbers(["no_rope_layers"], count); // 1 means: rotated
  const interval = file.hyper.integer(["no_rope_layer_interval"], 4);
  return (n) => list ? list[n] !== 0 : (n + 1) % interval !== 0;
}
