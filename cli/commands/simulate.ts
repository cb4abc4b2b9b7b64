// hunch simulate: what a drafter would bring, by calculation.
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { simulateOptions } from "../simulate/options.ts";

export const simulateCommand = command("simulate", simulateOptions, {
  brief: message`What would a drafter bring here, or on another machine?`,
  description:
    message`From how often guesses are kept, by depth, and what passes cost, by rows: tokens per second, the best depth and width, and the acceptance from which on drafting pays.`,
}).map((options) => async (): Promise<number> => (await import("../simulate/simulate.ts")).simulate(options));
