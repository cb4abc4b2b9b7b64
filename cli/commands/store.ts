// hunch store: texts of your own in which drafts are looked up.
import { object, or } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { match } from "ts-pattern";
import { debug, modelOption } from "../options.ts";
import { storeParser } from "../words/suggest.ts";
import { sizeOf } from "./cache.ts";

const json = withDefault(flag("--json", { description: message`As JSON.` }), false);

const name = argument(storeParser(), { description: message`The store.` });

const files = multiple(
  argument(path({ metavar: "FILE" }), {
    description:
      message`Text files, folders of them, lines of JSON (${".jsonl"}), saved conversations (${".json"}), ${"-"}: stdin.`,
  }),
  { min: 1 },
);

export const storeCommand = command(
  "store",
  or(
    command(
      "build",
      object({
        action: constant("build"),
        name,
        files,
        model: modelOption,
        limit: optional(option("--limit", string({ metavar: "SIZE" }), {
          description: message`Most room on the disk, such as ${"500MB"}; then the oldest texts go. Default: 100MB.`,
        })),
        debug,
      }),
      { brief: message`Make a store of texts.` },
    ),
    command("add", object({ action: constant("add"), name, files, model: modelOption, debug }), {
      brief: message`Add texts to a store.`,
    }),
    command("list", object({ action: constant("list"), json, debug }), {
      brief: message`Which stores there are.`,
    }),
    command("info", object({ action: constant("info"), name, json, debug }), {
      brief: message`What is in a store, and whether all of it is whole.`,
    }),
    command(
      "shrink",
      object({
        action: constant("shrink"),
        name,
        size: optional(argument(string({ metavar: "SIZE" }), {
          description: message`The new limit, such as ${"20MB"}; without it, the one that it has.`,
        })),
        debug,
      }),
      { brief: message`Give a store another limit, drop its oldest texts, and make few files of many.` },
    ),
    command(
      "remove",
      object({
        action: constant("remove"),
        names: multiple(argument(storeParser(), { description: message`Stores.` }), { min: 1 }),
        debug,
      }),
      { brief: message`Remove stores and all that is in them.` },
    ),
  ),
  {
    brief: message`Texts in which drafts are looked up: build, add, list, info, shrink, remove.`,
    description: message`Texts in which drafts are looked up. ${
      commandLine("--store NAME")
    } makes one as well, and adds the answers to it.`,
  },
).map((options) => async (): Promise<number> => {
  const store = await import("../store/store.ts");
  return await match(options)
    .with(
      { action: "build" },
      (asked) => store.fillStore({ ...asked, limit: asked.limit === undefined ? undefined : sizeOf(asked.limit) }),
    )
    .with({ action: "add" }, (asked) => store.fillStore(asked))
    .with({ action: "list" }, (asked) => store.listStores(asked))
    .with({ action: "info" }, (asked) => store.storeInfo(asked))
    .with(
      { action: "shrink" },
      (asked) => store.shrinkStore({ ...asked, limit: asked.size === undefined ? undefined : sizeOf(asked.size) }),
    )
    .with({ action: "remove" }, (asked) => store.removeStores(asked))
    .exhaustive();
});
