// What hunch claims can be told.
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, flag, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { debug, modelOptions } from "../options.ts";

export const claimsOptions = merge(
  object({
    ids: multiple(argument(string({ metavar: "CLAIM" }), { description: message`Only these, by their short names.` })),
    prompts: withDefault(
      option("--prompts", integer({ min: 1, max: 1000, metavar: "N" }), {
        description: message`Prompts of each kind of work. Default: 1.`,
      }),
      1,
    ),
    maxTokens: withDefault(
      option("-n", "--max-tokens", integer({ min: 8, metavar: "N" }), {
        description: message`Most tokens of an answer. Default: 64.`,
      }),
      64,
    ),
    list: withDefault(flag("--list", { description: message`The claims, without testing any.` }), false),
    json: withDefault(flag("--json", { description: message`As JSON.` }), false),
  }),
  modelOptions,
  object({ debug }),
);

export type ClaimsCommand = InferValue<typeof claimsOptions>;
