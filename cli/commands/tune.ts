// hunch tune: find the fastest setting for a model here, and keep it for later runs.
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { tuneOptions } from "../tune/options.ts";

export const tuneCommand = command("tune", tuneOptions, {
  brief: message`Find the fastest drafter, controller and weight format for this model here.`,
  description:
    message`Measures drafters with shapes, rules, controllers and formats beside plain decoding, drops the slower half again and again, and keeps the winner: later runs of this model use it where nothing else is named. Only lossless rules are tried.`,
}).map((options) => async (): Promise<number> => (await import("../tune/tune.ts")).tune(options));
