// What hunch tune can be told.
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { promptOptions } from "../bench/options.ts";
import { debug, modelOptions } from "../options.ts";
import { methodParser } from "../words/suggest.ts";

export const tuneOptions = merge(
  object("Search", {
    seconds: withDefault(
      option("--seconds", integer({ min: 1, max: 86400, metavar: "N" }), {
        description: message`How long to search. Default: 300.`,
      }),
      300,
    ),
    drafters: multiple(option("-d", "--drafter", methodParser("drafter"), {
      description: message`Only these drafters, and suffix. Repeatable. Default: all that need no file.`,
    })),
    plugins: multiple(option("--plugin", path({ metavar: "FILE" }), {
      description: message`Load methods from a TypeScript or JavaScript file; later runs load it, too. Repeatable.`,
    })),
    device: optional(option("--device", string({ metavar: "WHERE" }), {
      description: message`Other backends for draft models: draft=BACKEND,target=BACKEND.`,
    })),
    forget: withDefault(
      flag("--forget", { description: message`Search nothing, and forget what was found before.` }),
      false,
    ),
    json: withDefault(flag("--json", { description: message`As JSON.` }), false),
  }),
  promptOptions,
  modelOptions,
  object({ debug }),
);

export type TuneCommand = InferValue<typeof tuneOptions>;
