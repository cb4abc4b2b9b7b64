// hunch score: how likely a text is, token by token; how engines and models are compared with each other.
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { scoreOptions } from "../score/options.ts";

export const scoreCommand = command("score", scoreOptions, {
  brief: message`How likely a text is: log-probability and rank of every token, perplexity.`,
  description: message`Scores a text from the argument, a file or stdin, or given token ids.`,
}).map((options) => async () => (await import("../score/score.ts")).score(options));
