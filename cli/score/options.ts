// What hunch score can be told.
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { integer } from "../words/integer.ts";
import { path } from "@optique/run/valueparser";
import { debug, modelOptions } from "../options.ts";

const textOptions = object("Text", {
  text: optional(argument(string({ metavar: "TEXT" }), {
    description: message`What to score, as it stands. Default: the file, or stdin.`,
  })),
  file: optional(option("-f", "--file", path({ metavar: "FILE" }), { description: message`Score a text file.` })),
  ids: optional(option("--ids", string({ metavar: "1,2,3" }), {
    description: message`Score these token ids in place of a text.`,
  })),
  window: optional(option("--window", integer({ min: 2, metavar: "N" }), {
    description: message`Cut the text into windows of N tokens, each scored as a text of its own.`,
  })),
  plugins: multiple(option("--plugin", path({ metavar: "FILE" }), {
    description: message`Load a backend from a TypeScript or JavaScript file. Repeatable.`,
  })),
});

const resultOptions = object("Output", {
  top: withDefault(
    option("--top", integer({ min: 0, max: 1000, metavar: "K" }), {
      description: message`Also the K likeliest tokens at every place.`,
    }),
    0,
  ),
  logits: optional(option("--logits", path({ metavar: "FILE" }), {
    description: message`Write all logits to a safetensors file: logits, float32 [tokens, vocabulary], and input_ids.`,
  })),
  json: withDefault(flag("--json", { description: message`One JSON object.` }), false),
  jsonl: withDefault(
    flag("--jsonl", { description: message`One request per line of stdin, one result per line of stdout.` }),
    false,
  ),
  debug,
});

export const scoreOptions = merge(textOptions, modelOptions, resultOptions);

export type ScoreCommand = InferValue<typeof scoreOptions>;
