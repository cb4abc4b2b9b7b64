// The architectures that are known. A new one is a file here and a line below.
import type { Architecture } from "../spec/architecture.ts";
import { cohere2 } from "./cohere2.ts";
import { ernie4_5 } from "./ernie4_5.ts";
import { exaone4 } from "./exaone4.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3 } from "./gemma3.ts";
import { glm4 } from "./glm4.ts";
import { gpt2 } from "./gpt2.ts";
import { gptNeox } from "./gpt-neox.ts";
import { gptOss } from "./gpt-oss.ts";
import { granite } from "./granite.ts";
import { granite4 } from "./granite4.ts";
import { llama } from "./llama.ts";
import { ministral3 } from "./ministral3.ts";
import { mistral } from "./mistral.ts";
import { mixtral } from "./mixtral.ts";
import { olmo2 } from "./olmo2.ts";
import { olmo3 } from "./olmo3.ts";
import { olmoe } from "./olmoe.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen2Vl } from "./qwen2-vl.ts";
import { qwen3 } from "./qwen3.ts";
import { qwen3Moe } from "./qwen3-moe.ts";
import { qwen3Vl } from "./qwen3-vl.ts";
import { seedOss } from "./seed-oss.ts";
import { smollm3 } from "./smollm3.ts";

export const ARCHITECTURES: readonly Architecture[] = [
  llama,
  mistral,
  ministral3,
  qwen2,
  qwen2Vl,
  qwen3,
  qwen3Vl,
  phi3,
  gptNeox,
  gpt2,
  gemma,
  gemma2,
  gemma3,
  olmo2,
  olmo3,
  smollm3,
  granite,
  granite4,
  seedOss,
  ernie4_5,
  exaone4,
  glm4,
  cohere2,
  mixtral,
  qwen3Moe,
  olmoe,
  gptOss,
];
