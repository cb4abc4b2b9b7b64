// What hunch export can be told.
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import { choice, float, integer } from "@optique/core/valueparser";
import { debug, modelOption } from "../options.ts";
import { methodParser } from "../words/suggest.ts";
import { TARGETS } from "./engines.ts";

export const exportOptions = object({
  engine: argument(choice(Object.keys(TARGETS), { metavar: "ENGINE" }), { description: message`For whom.` }),
  model: modelOption,
  drafter: optional(option("-d", "--drafter", methodParser("drafter"), {
    description: message`Who guesses. Default: as ${"hunch tune"} found out, else suffix.`,
  })),
  rule: optional(option("--rule", methodParser("rule"), { description: message`What keeps guesses.` })),
  controller: optional(option("--controller", methodParser("controller"), {
    description: message`Who decides how much to guess.`,
  })),
  tokens: optional(option("--tokens", integer({ min: 1, max: 1024, metavar: "N" }), {
    description: message`Tokens of a draft, for engines that draft so many in every round.`,
  })),
  temperature: withDefault(
    option("-t", "--temperature", float({ min: 0, metavar: "T" }), {
      description: message`Of the texts: greedy ones and sampled ones are tuned apart. Default: 0.`,
    }),
    0,
  ),
  debug,
});

export type ExportCommand = InferValue<typeof exportOptions>;
