// The options that commands share. Help, errors, suggestions and shell completion all come from here.
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag, negatableFlag, option } from "@optique/core/primitives";
import { choice, float, string } from "@optique/core/valueparser";
import { integer } from "./words/integer.ts";
import { path } from "@optique/run/valueparser";
import { backendParser, methodParser, modelParser, storeParser } from "./words/suggest.ts";
import { WEIGHT_FORMATS } from "../src/weight-format.ts";

export const modelOption = optional(option("-m", "--model", modelParser("FILE"), {
  description: message`Model file, or a name from ${"hunch model list"}. Default: the model that comes with hunch.`,
}));

export const backendOption = withDefault(
  option("--backend", backendParser(), {
    description:
      message`What computes: auto (the fastest here), onnx, onnx:PROVIDER, webgpu, reference, or a plugin's.`,
  }),
  "auto",
);

export const strictOption = withDefault(
  negatableFlag({ positive: "--strict", negative: "--no-strict" }, {
    description: message`Scores do not depend on what is computed beside them, to the last bit. Default: strict.`,
  }),
  true,
);

export const threadsOption = optional(option("--threads", integer({ min: 1, max: 1024, metavar: "N" }), {
  description: message`Processor threads. Default: one per core.`,
}));

/** Which model, computed how. */
export const modelOptions = object("Model", {
  model: modelOption,
  backend: backendOption,
  format: withDefault(
    option("--format", choice(["auto", ...WEIGHT_FORMATS], { metavar: "FORMAT" }), {
      description:
        message`Weights: exact (the file's own numbers), int8, float32; auto: what drafting makes the fastest here.`,
    }),
    "auto",
  ),
  strict: strictOption,
  context: optional(option("--context", integer({ min: 1, metavar: "TOKENS" }), {
    description: message`Most tokens of prompt and answer together. Default: what the model was made for.`,
  })),
  threads: threadsOption,
});

/** How the answer is made faster. */
export const methodOptions = object("Speculation", {
  drafter: optional(option("-d", "--drafter", methodParser("drafter"), {
    description:
      message`Who guesses: none, lookup, model:FILE, …; see ${"hunch plugin list"}. Default: as ${"hunch tune"} found out, else suffix.`,
  })),
  rule: optional(option("--rule", methodParser("rule"), {
    description: message`What keeps guesses. Default: greedy at temperature 0, else match.`,
  })),
  controller: optional(option("--controller", methodParser("controller"), {
    description: message`Who decides how much to guess.`,
  })),
  store: optional(option("--store", storeParser(), {
    description: message`Draft from this store of texts, and add the answers to it; made where there is none.`,
  })),
  device: optional(option("--device", string({ metavar: "WHERE" }), {
    description: message`Other backends for draft models: draft=BACKEND,target=BACKEND. Default: the target's.`,
  })),
  plugins: multiple(option("--plugin", path({ metavar: "FILE" }), {
    description: message`Load methods from a TypeScript or JavaScript file. Repeatable.`,
  })),
});

/** How the next token is chosen. */
export const samplingOptions = object("Sampling", {
  temperature: optional(option("-t", "--temperature", float({ metavar: "T" }), {
    description: message`0: always the likeliest token (default); 1: as the model has it.`,
  })),
  topK: optional(option("--top-k", integer({ metavar: "K" }), {
    description: message`Only the K likeliest tokens; 0: all.`,
  })),
  topP: optional(option("--top-p", float({ metavar: "P" }), {
    description: message`Only the likeliest tokens that make up this probability; 1: all.`,
  })),
  minP: optional(option("--min-p", float({ metavar: "P" }), {
    description: message`Only tokens at least this likely in proportion to the likeliest.`,
  })),
  typical: optional(option("--typical", float({ metavar: "P" }), {
    description: message`Locally typical sampling, up to this probability; 1: off.`,
  })),
  repetitionPenalty: optional(option("--repetition-penalty", float({ metavar: "X" }), {
    description: message`Make recent tokens less likely by this factor; 1: off. Also at temperature 0.`,
  })),
  seed: optional(option("--seed", string({ metavar: "SEED" }), {
    description:
      message`Start of the random numbers; the same seed gives the same text, on the same machine in the same format.`,
  })),
  stop: multiple(option("--stop", string({ metavar: "TEXT" }), {
    description: message`End before this text. Repeatable.`,
  })),
  maxTokens: optional(option("-n", "--max-tokens", integer({ min: 1, metavar: "N" }), {
    description: message`Most tokens to make. Default: 512.`,
  })),
  overflow: withDefault(
    option("--overflow", choice(["refuse", "truncate"], { metavar: "WHAT" }), {
      description: message`Where the context is too short: refuse, or truncate the oldest part of the prompt.`,
    }),
    "refuse",
  ),
});

export const systemOption = object("Prompt", {
  system: optional(option("-s", "--system", string({ metavar: "TEXT" }), {
    description: message`System prompt. "" for none. Default: the model's own, where its template has one.`,
  })),
});

/** The model's chat template, and what it is told besides the messages. */
export const templateOptions = object("Prompt", {
  chatTemplate: optional(option("--chat-template", path({ metavar: "FILE" }), {
    description: message`A Jinja template in place of the model's own, or for a model that has none.`,
  })),
  templateVariables: multiple(option("--template-variable", string({ metavar: "NAME=JSON" }), {
    description:
      message`Tell the chat template something, as in enable_thinking=false; ${"hunch model info"} lists what it reads. Repeatable.`,
  })),
  noThink: withDefault(
    flag("--no-think", { description: message`Answer without thinking first, for models whose template knows that.` }),
    false,
  ),
  addBos: withDefault(
    flag("--add-bos", { description: message`Put the beginning token in front where the template does not.` }),
    false,
  ),
});

export const outputOptions = object("Output", {
  color: withDefault(
    option("--color", choice(["auto", "always", "never"], { metavar: "WHEN" }), {
      description: message`Mark drafted and accepted tokens; auto: on terminals.`,
    }),
    "auto",
  ),
  summary: withDefault(
    negatableFlag({ positive: "--summary", negative: ["-q", "--quiet"] }, {
      description: message`Speed and acceptance on stderr. Default: where stderr is a terminal.`,
    }),
    undefined,
  ),
  debug: withDefault(
    flag("--debug", { description: message`Show where errors come from, and what the backend auto came to.` }),
    false,
  ),
});

export const debug = withDefault(flag("--debug", { description: message`Show where errors come from.` }), false);

export const engineOptions = merge(modelOptions, methodOptions);

export type ModelOptions = InferValue<typeof modelOptions>;
export type MethodOptions = InferValue<typeof methodOptions>;
export type SamplingOptions = InferValue<typeof samplingOptions>;
export type TemplateOptions = InferValue<typeof templateOptions>;
export type OutputOptions = InferValue<typeof outputOptions>;
