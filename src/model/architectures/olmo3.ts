// OLMo 3 (Allen Institute for AI, 2025): OLMo 2 with windows. In GGUF it goes by OLMo 2's name.
import type { Architecture } from "../spec/architecture.ts";
import { olmo2, olmoSpec } from "./olmo2.ts";

export const olmo3: Architecture = {
  name: "olmo3",
  huggingFace: "olmo3",
  tensors: olmo2.tensors,
  names: olmo2.names,
  defaults: { huggingFace: { sliding_window: 4096, rope_theta: 500_000 } },
  spec: (file) => olmoSpec(file, "olmo3"),
};
