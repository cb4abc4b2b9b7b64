// What hunch simulate can be told.
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { float, string } from "@optique/core/valueparser";
import { integer } from "../words/integer.ts";
import { path } from "@optique/run/valueparser";
import { debug, modelOptions } from "../options.ts";

export const simulateOptions = merge(
  object("Guesses", {
    acceptance: optional(option("--acceptance", string({ metavar: "SHARES" }), {
      description:
        message`How often guesses are kept, by depth, of those whose elders were: ${"0.8,0.7,0.6"}; the last goes on.`,
    })),
    published: optional(option("--published", string({ metavar: "NAME" }), {
      description:
        message`Acceptance as others reported it of their drafters on Spec-Bench: ${"eagle-2"}, ${"medusa"}, ${"prompt-lookup"}, …`,
    })),
    others: optional(option("--others", string({ metavar: "SHARES" }), {
      description:
        message`How often the second, third, … child is right in proportion to the first, for trees: ${"0.15,0.05"}.`,
    })),
    draftMs: optional(option("--draft-ms", float({ min: 0, metavar: "MS" }), {
      description: message`Milliseconds of a step of the drafter. Default: as measured, else 0.`,
    })),
    from: optional(option("--from", path({ metavar: "FILE" }), {
      description:
        message`Take what is not given from a results.json of ${"hunch bench"}: acceptance, drafting and cost.`,
    })),
    setting: optional(option("--setting", string({ metavar: "NAME" }), {
      description: message`Whose guesses in that file. Default: the first beside plain decoding.`,
    })),
  }),
  object("Cost", {
    cost: optional(option("--cost", string({ metavar: "CURVE" }), {
      description:
        message`Milliseconds of a pass by its rows: ${"1:20,8:24,32:40"}. Default: that of --from, else measured here.`,
    })),
    most: withDefault(
      option("--nodes", integer({ min: 1, max: 256, metavar: "N" }), {
        description: message`Largest draft. Default: 16.`,
      }),
      16,
    ),
    json: withDefault(flag("--json", { description: message`As JSON.` }), false),
  }),
  modelOptions,
  object({ debug }),
);

export type SimulateCommand = InferValue<typeof simulateOptions>;
