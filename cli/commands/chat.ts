// hunch chat: a conversation in the terminal, or over a pipe with one turn per line.
import { merge } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import type { InferValue } from "@optique/core/parser";
import { methodOptions, modelOptions, outputOptions, samplingOptions, systemOption } from "../options.ts";
import { templateOptions } from "../options.ts";

const options = merge(systemOption, templateOptions, samplingOptions, methodOptions, modelOptions, outputOptions);

export type ChatCommand = InferValue<typeof options>;

export const chatCommand = command("chat", options, {
  brief: message`Talk with the model; /help lists what else can be said.`,
}).map((options) => async (): Promise<number> => (await import("../chat.ts")).chat(options));
