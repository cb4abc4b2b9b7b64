// What hunch check can be told.
import { merge, object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, flag, option } from "@optique/core/primitives";
import { choice, float, string } from "@optique/core/valueparser";
import { integer } from "../words/integer.ts";
import { path } from "@optique/run/valueparser";
import { debug, modelOptions } from "../options.ts";
import { methodParser } from "../words/suggest.ts";
import { DRAFT_LAWS } from "../../src/tree.ts";

const proofOptions = object("Check", {
  rules: multiple(argument(methodParser("rule", "RULE"), {
    description: message`Rules to check, such as ${"token"} or ${"lenient?lenience=0.8"}.`,
  })),
  all: withDefault(flag("--all", { description: message`Every rule there is.` }), false),
  laws: multiple(
    option("--law", choice(DRAFT_LAWS, { metavar: "LAW" }), {
      description: message`Only this draft law. Repeatable. Default: all that the rule lists.`,
    }),
  ),
  vocab: optional(option("--vocab", integer({ min: 2, max: 12, metavar: "N" }), {
    description: message`Tokens of the cases. Default: 2, 3 and 4.`,
  })),
  drafts: optional(option("--drafts", integer({ min: 1, max: 5, metavar: "N" }), {
    description: message`Drafts of one place. Default: 2 and 3.`,
  })),
  depth: optional(option("--depth", integer({ min: 1, max: 4, metavar: "N" }), {
    description: message`Drafted tokens in a row. Default: 2 and 3.`,
  })),
  rounds: withDefault(
    option("--rounds", integer({ min: 1, max: 1000, metavar: "N" }), {
      description: message`Draw so many times as many cases.`,
    }),
    1,
  ),
  case: optional(option("--case", path({ metavar: "FILE" }), {
    description: message`Only this case: p, q, the tree and the law in JSON, as failures are printed.`,
  })),
  quick: withDefault(
    flag("--quick", { description: message`Few small cases, for a first look and for tests.` }),
    false,
  ),
  sweep: withDefault(
    flag("--sweep", { description: message`Relaxed rules also with other values of options.` }),
    false,
  ),
  seed: withDefault(
    option("--seed", string({ metavar: "SEED" }), { description: message`Start of the random cases.` }),
    "hunch check",
  ),
  plugins: multiple(option("--plugin", path({ metavar: "FILE" }), {
    description: message`Load rules from a TypeScript or JavaScript file. Repeatable.`,
  })),
  timeout: withDefault(
    option("--timeout", float({ min: 0.1, max: 86400, metavar: "SECONDS" }), {
      description: message`Most time for one case with code of a ${commandLine("--plugin")}. Default: 60.`,
    }),
    60,
  ),
  json: withDefault(flag("--json", { description: message`As JSON.` }), false),
  debug,
});

const boundOptions = object("Bound", {
  bound: withDefault(
    flag("--bound", {
      description: message`Instead: how much of a model's real distributions each rule keeps, beside the bound.`,
    }),
    false,
  ),
  chiSquare: withDefault(
    flag("--chi-square", {
      description: message`Instead: tokens drawn by each rule against the model's own distribution, by chi-square.`,
    }),
    false,
  ),
  proposer: withDefault(
    option("--proposer", methodParser("proposer"), {
      description: message`Whose drafts ${commandLine("--bound")} and ${
        commandLine("--chi-square")
      } judge: model:FILE, successors, …`,
    }),
    "successors",
  ),
  file: optional(option("-f", "--file", path({ metavar: "FILE" }), {
    description: message`Text to take the places from. Default: a short text of our own.`,
  })),
  places: withDefault(
    option("--places", integer({ min: 1, max: 1000, metavar: "N" }), { description: message`Places of the text.` }),
    8,
  ),
  draws: withDefault(
    option("--draws", integer({ min: 1, max: 1000000, metavar: "N" }), {
      description: message`Drafts for each number in the table. Default: 200.`,
    }),
    200,
  ),
  temperature: withDefault(
    option("-t", "--temperature", float({ min: 0.05, max: 100, metavar: "T" }), {
      description: message`Of target and drafter. Default: 1.`,
    }),
    1,
  ),
  topK: withDefault(
    option("--top-k", integer({ min: 0, metavar: "K" }), {
      description: message`Only the K likeliest tokens, of target and drafter; 0: all (default).`,
    }),
    0,
  ),
});

const shapeOptions = object("Shapes", {
  shapes: multiple(
    option("--shape", methodParser("shape"), {
      description: message`Instead: a tree shape together with every rule for its law; all: every shape. Repeatable.`,
    }),
  ),
});

const drafterOptions = object("Drafters", {
  drafters: multiple(
    option("-d", "--drafter", methodParser("drafter"), {
      description:
        message`Instead: a drafter, given tiny models of several pairs of vocabularies and a text to learn from, together with every rule for its law; all: every drafter of a second model. Repeatable.`,
    }),
  ),
});

export const checkOptions = merge(proofOptions, shapeOptions, drafterOptions, boundOptions, modelOptions);

export type CheckCommand = InferValue<typeof checkOptions>;
