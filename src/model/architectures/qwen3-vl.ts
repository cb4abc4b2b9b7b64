// The text part of Qwen3-VL (Alibaba, 2025): Qwen3, with a rotation whose sections are one position in a text (see
// qwen2-vl.ts). What images add to the first layers is nothing in a text.
import type { Architecture } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { SECTIONS } from "./qwen2-vl.ts";
import { qwen3 } from "./qwen3.ts";

export const qwen3Vl: Architecture = {
  name: "qwen3_vl",
  gguf: "qwen3vl",
  huggingFace: "qwen3_vl_text",
  multimodal: ["qwen3_vl"],
  tensors: qwen3.tensors,
  harmless: SECTIONS,
  spec(file) {
    return decoderSpec(file, {
      name: "qwen3_vl",
      headSize: 128,
      rope: { interleaved: false, sections: true, base: 500_000 },
    });
  },
};
