// hunch model: what a model file is, which there are, and what each weight format does to its answers.
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { integer } from "../words/integer.ts";
import { path } from "@optique/run/valueparser";
import { match } from "ts-pattern";
import { HunchError } from "../../src/errors.ts";
import { MIX_NAMES } from "../model/mixes.ts";
import { REAL_SHAPES } from "../model/real-shapes.ts";
import { debug, modelOption } from "../options.ts";
import { backendParser, modelParser } from "../words/suggest.ts";
import { WEIGHT_FORMATS } from "../../src/weight-format.ts";

const json = withDefault(flag("--json", { description: message`As JSON.` }), false);

const file = optional(argument(modelParser("MODEL"), {
  description: message`A model file or name. Default: the model that comes with hunch.`,
}));

const info = object({
  action: constant("info"),
  file,
  model: modelOption,
  tensors: withDefault(flag("--tensors", { description: message`Every tensor with its shape and type.` }), false),
  json,
  debug,
});

const list = object({ action: constant("list"), json, debug });

const quality = object({
  action: constant("quality"),
  file,
  model: modelOption,
  text: optional(option("--text", path({ metavar: "FILE" }), {
    description: message`The text to judge by. Default: a page about rivers.`,
  })),
  tokens: withDefault(
    option("--tokens", integer({ min: 2, metavar: "N" }), { description: message`Most tokens of the text.` }),
    512,
  ),
  formats: multiple(option("--format", choice(WEIGHT_FORMATS, { metavar: "FORMAT" }), {
    description: message`Only this format. Repeatable. Default: all that the backend has.`,
  })),
  backend: withDefault(
    option("--backend", backendParser(), { description: message`What computes.` }),
    "auto",
  ),
  threads: optional(option("--threads", integer({ min: 1, max: 1024, metavar: "N" }), {
    description: message`Processor threads.`,
  })),
  json,
  debug,
});

const convert = object({
  action: constant("convert"),
  out: argument(path({ metavar: "OUT" }), { description: message`The file to write.` }),
  model: modelOption,
  format: withDefault(
    option("--format", choice(WEIGHT_FORMATS, { metavar: "FORMAT" }), {
      description: message`Weights: exact (the file's own numbers; default), int8, float32.`,
    }),
    "exact",
  ),
  context: optional(option("--context", integer({ min: 1, metavar: "TOKENS" }), {
    description: message`Longest text, for models whose rotation depends on it. Default: what the model was made for.`,
  })),
  debug,
});

const random = object({
  action: constant("random"),
  out: argument(path({ metavar: "OUT" }), { description: message`The GGUF file to write.` }),
  like: option("--like", choice(Object.keys(REAL_SHAPES), { metavar: "MODEL" }), {
    description: message`Whose shape.`,
  }),
  mix: withDefault(
    option("--mix", choice(MIX_NAMES, { metavar: "MIX" }), {
      description: message`Types of the weights: q4_k_m (default), q4_0, q8_0, f16.`,
    }),
    "q4_k_m",
  ),
  model: modelOption,
  debug,
});

export const modelCommand = command(
  "model",
  or(
    command("info", info, { brief: message`What a model file is: architecture, size, formats, tokenizer.` }),
    command("list", list, { brief: message`Models that can be named without a path.` }),
    command("convert", convert, { brief: message`One file in one weight format, which loads without the original.` }),
    command("random", random, {
      brief: message`A file of a real model's shape with random weights, to measure what passes cost.`,
    }),
    command("quality", quality, { brief: message`What each weight format costs in likelihood and divergence.` }),
  ),
  { brief: message`Model files: info, list, convert, random, quality.` },
).map((options) => async (): Promise<number> => {
  return await match(options)
    .with(
      { action: "info" },
      async (asked) => (await import("../model/info.ts")).modelInfo({ ...asked, file: named(asked) }),
    )
    .with({ action: "list" }, async (asked) => (await import("../model/info.ts")).modelList(asked))
    .with({ action: "convert" }, async (asked) => (await import("../model/convert.ts")).modelConvert(asked))
    .with({ action: "random" }, async (asked) => (await import("../model/random.ts")).modelRandom(asked))
    .with(
      { action: "quality" },
      async (asked) => (await import("../model/quality.ts")).modelQuality({ ...asked, file: named(asked) }),
    )
    .exhaustive();
});

/** The model, by argument or by option. */
function named({ file, model }: { readonly file: string | undefined; readonly model: string | undefined }) {
  if (file === undefined || model === undefined) return file ?? model;
  throw new HunchError("usage", `two models are named, ${file} and ${model}`, { hint: "leave one of them out" });
}
