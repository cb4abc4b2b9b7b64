// What hunch bench can be told.
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, flag, option } from "@optique/core/primitives";
import { float, string } from "@optique/core/valueparser";
import { integer } from "../words/integer.ts";
import { path } from "@optique/run/valueparser";
import { debug, modelOptions } from "../options.ts";
import { methodParser, storeParser } from "../words/suggest.ts";

/** What is measured with; `hunch tune` takes the same. */
export const promptOptions = object("Prompts", {
  data: multiple(option("--data", string({ metavar: "NAME" }), {
    description:
      message`Prompts: spec-bench, humaneval, edits, bfcl, a JSONL file of requests, or a file that is one prompt. Repeatable. Default: the four sets.`,
  })),
  prompts: withDefault(
    option("--prompts", integer({ min: 1, max: 10000, metavar: "N" }), {
      description: message`Most prompts of each kind of work. Default: 2.`,
    }),
    2,
  ),
  raw: withDefault(flag("--raw", { description: message`No chat template.` }), false),
  maxTokens: withDefault(
    option("-n", "--max-tokens", integer({ min: 1, metavar: "N" }), {
      description: message`Most tokens of an answer. Default: 128.`,
    }),
    128,
  ),
  temperature: withDefault(
    option("-t", "--temperature", float({ metavar: "T" }), { description: message`0: greedy (default).` }),
    0,
  ),
  topK: optional(option("--top-k", integer({ metavar: "K" }), { description: message`Only the K likeliest tokens.` })),
  topP: optional(option("--top-p", float({ metavar: "P" }), {
    description: message`Only the likeliest tokens that make up this probability.`,
  })),
  seed: withDefault(
    option("--seed", string({ metavar: "SEED" }), { description: message`Start of the random numbers.` }),
    "bench",
  ),
});

export const runOptions = merge(
  object("Methods, each with every other", {
    drafters: multiple(option("-d", "--drafter", methodParser("drafter"), {
      description: message`Who guesses. Repeatable. Default: suffix.`,
    })),
    shapes: multiple(option("--shape", methodParser("shape"), {
      description: message`Tree shapes, for drafters that have them. Repeatable.`,
    })),
    rules: multiple(option("--rule", methodParser("rule"), {
      description: message`What keeps guesses. Repeatable. Default: greedy at temperature 0, else match.`,
    })),
    controllers: multiple(option("--controller", methodParser("controller"), {
      description: message`Who decides how much to guess. Repeatable. Default: the drafter's own, or cost.`,
    })),
    plugins: multiple(option("--plugin", path({ metavar: "FILE" }), {
      description: message`Load methods from a TypeScript or JavaScript file. Repeatable.`,
    })),
    store: optional(option("--store", storeParser(), {
      description: message`Drafters may look things up in this store of texts; nothing is added to it.`,
    })),
    device: optional(option("--device", string({ metavar: "WHERE" }), {
      description: message`Other backends for draft models: draft=BACKEND,target=BACKEND.`,
    })),
  }),
  promptOptions,
  modelOptions,
  object("Measuring", {
    turns: withDefault(
      option("--turns", integer({ min: 1, max: 100, metavar: "N" }), {
        description: message`How often every prompt is answered by everybody. Default: 1.`,
      }),
      1,
    ),
    out: withDefault(
      option("-o", "--out", path({ metavar: "FOLDER" }), {
        description: message`Where results go, as JSON, Markdown, CSV and HTML. Default: hunch-bench.`,
      }),
      "hunch-bench",
    ),
    seconds: optional(option("--seconds", integer({ min: 1, max: 86400, metavar: "N" }), {
      description: message`Stop after so long, with what was measured by then. Default: all prompts.`,
    })),
    resume: withDefault(flag("--resume", { description: message`Go on with what was measured there before.` }), false),
    json: withDefault(
      flag("--json", { description: message`The results as JSON on stdout, in place of Markdown.` }),
      false,
    ),
    quiet: withDefault(flag("-q", "--quiet", { description: message`No table on stderr while it runs.` }), false),
  }),
  object({ debug }),
);

export const compareOptions = object({
  before: argument(path({ metavar: "BEFORE" }), { description: message`The results.json of an earlier benchmark.` }),
  after: argument(path({ metavar: "AFTER" }), { description: message`That of a later one, on the same prompts.` }),
  tolerance: withDefault(
    option("--tolerance", float({ min: 0, max: 1, metavar: "SHARE" }), {
      description: message`How much slower is no regression, 0 to 1. Default: 0.03.`,
    }),
    0.03,
  ),
  json: withDefault(flag("--json", { description: message`As JSON.` }), false),
  debug,
});

export type PromptOptions = InferValue<typeof promptOptions>;
export type BenchCommand = InferValue<typeof runOptions>;
export type CompareCommand = InferValue<typeof compareOptions>;
