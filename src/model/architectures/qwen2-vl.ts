// The text part of Qwen2-VL (2024, arXiv:2409.12191) and Qwen2.5-VL (2025, arXiv:2502.13923): Qwen2. Its rotation has
// sections for time, height and width, which are one and the same position in a text.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { layerWindows } from "../spec/windows.ts";
import { qwen2 } from "./qwen2.ts";

/** Names that tell of the sections, or of what images add. */
export const SECTIONS = [/\.rope\.dimension_sections$/, /\.n_deepstack_layers$/, /\.mrope_(section|interleaved)$/];

export const qwen2Vl: Architecture = {
  name: "qwen2_vl",
  gguf: "qwen2vl",
  huggingFace: "qwen2_5_vl_text",
  multimodal: ["qwen2_5_vl", "qwen2_vl", "qwen2_vl_text"],
  tensors: qwen2.tensors,
  harmless: SECTIONS,
  spec(file) {
    return decoderSpec(file, {
      name: "qwen2_vl",
      rope: { interleaved: false, sections: true, base: 1_000_000 },
      attention: layerWindows(file),
    });
  },
};
