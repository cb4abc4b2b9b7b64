// hunch chat: a conversation in the terminal, or over a pipe with one turn per line.
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { chatOptions } from "../chat/options.ts";

export const chatCommand = command("chat", chatOptions, {
  brief: message`Talk with the model; /help lists what else can be said.`,
}).map((options) => async (): Promise<number> => (await import("../chat/chat.ts")).chat(options));
