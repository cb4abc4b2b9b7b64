// hunch export: a setting for engines that serve at scale.
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { exportOptions } from "../export/options.ts";

export const exportCommand = command("export", exportOptions, {
  brief: message`The tuned setting as a command or configuration of another engine.`,
  description:
    message`For vllm, sglang, llama.cpp, tensorrt-llm or transformers, with what they lack of it and what comes nearest.`,
}).map((options) => async (): Promise<number> => (await import("../export/export.ts")).exportSetting(options));
