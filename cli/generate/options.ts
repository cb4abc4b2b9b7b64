// What hunch generate can be told.
import { group, merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, flag, negatableFlag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { integer } from "../words/integer.ts";
import { path } from "@optique/run/valueparser";
import { MOST_LOGPROBS } from "./requests.ts";
import {
  methodOptions,
  modelOptions,
  outputOptions,
  samplingOptions,
  systemOption,
  templateOptions,
} from "../options.ts";

const promptOptions = object({
  prompt: optional(argument(string({ metavar: "PROMPT" }), {
    description: message`What to answer. Text on stdin goes in front of it, as its context.`,
  })),
  files: multiple(option("-f", "--file", path({ metavar: "FILE" }), {
    description: message`Read the prompt from a file; with a PROMPT, its context. Repeatable.`,
  })),
  raw: withDefault(
    flag("--raw", { description: message`No chat template: the model goes on with the prompt as it stands.` }),
    false,
  ),
});

const formatOptions = object("Output", {
  newline: withDefault(
    negatableFlag({ positive: "--newline", negative: "--no-newline" }, {
      description: message`End a text that is redirected with a line break, where it has none. Default: do.`,
    }),
    true,
  ),
  json: withDefault(flag("--json", { description: message`One JSON object with text, tokens and stats.` }), false),
  jsonl: withDefault(
    flag("--jsonl", { description: message`One request per line of stdin, one result per line of stdout.` }),
    false,
  ),
  logprobs: optional(option("--logprobs", integer({ min: 0, max: MOST_LOGPROBS, metavar: "K" }), {
    description: message`With --json or --jsonl: how likely each token was, and the K likeliest in its place.`,
  })),
  showPrompt: withDefault(
    flag("--show-prompt", {
      description: message`Print the prompt as the model gets it, and its token ids, and answer nothing.`,
    }),
    false,
  ),
  showTree: withDefault(
    flag("--show-tree", {
      description: message`Each round's draft as a tree on stderr: accepted, refused, how likely.`,
    }),
    false,
  ),
});

export const generateOptions = merge(
  group("Prompt", promptOptions),
  systemOption,
  templateOptions,
  samplingOptions,
  methodOptions,
  modelOptions,
  formatOptions,
  outputOptions,
);

export type GenerateCommand = InferValue<typeof generateOptions>;
