// What hunch bench passes can be told.
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { WEIGHT_FORMATS } from "../../../src/weight-format.ts";
import { backendOption, debug, modelOption, strictOption, threadsOption } from "../../options.ts";
import { integer } from "../../words/integer.ts";

export const passesOptions = object({
  model: modelOption,
  backend: backendOption,
  formats: multiple(option("--format", choice(WEIGHT_FORMATS, { metavar: "FORMAT" }), {
    description: message`Only this weight format. Repeatable. Default: all that the backend has for the model.`,
  })),
  strict: strictOption,
  threads: threadsOption,
  plugins: multiple(option("--plugin", path({ metavar: "FILE" }), {
    description: message`Load a backend from a TypeScript or JavaScript file. Repeatable.`,
  })),
  rows: optional(option("--rows", string({ metavar: "LIST" }), {
    description: message`Rows of the passes that are timed. Default: ${"1,2,4,8,16,32"}; with --nodes ${"1"}.`,
  })),
  past: optional(option("--past", integer({ min: 1, metavar: "N" }), {
    description: message`Tokens in the cache before each. Default: 256, or what the context has room for.`,
  })),
  turns: withDefault(
    option("--turns", integer({ min: 1, max: 100, metavar: "N" }), {
      description: message`How often everything is timed, the formats in turns. Default: 7.`,
    }),
    7,
  ),
  nodes: withDefault(
    flag("--nodes", {
      description:
        message`Where the time of a pass goes in place of how much it is, by ONNX Runtime's profiler; onnx:cpu.`,
    }),
    false,
  ),
  json: withDefault(flag("--json", { description: message`As JSON.` }), false),
  debug,
});

export type PassesCommand = InferValue<typeof passesOptions>;
