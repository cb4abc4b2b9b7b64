// hunch plugin list: every method there is, built in or loaded, with its options and its paper.
import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { debug } from "../options.ts";

const list = object({
  filters: multiple(argument(string({ metavar: "FILTER" }), {
    description:
      message`Only these: a kind (${"rules"}), a law, ${"lossless"}, ${"relaxed"}, or a part of the name. Several must all hold.`,
  })),
  plugins: multiple(option("--plugin", path({ metavar: "FILE" }), {
    description: message`Load methods from a TypeScript or JavaScript file first. Repeatable.`,
  })),
  json: withDefault(flag("--json", { description: message`As JSON.` }), false),
  debug,
});

export const pluginCommand = command(
  "plugin",
  command("list", list, { brief: message`What can be given to ${commandLine("--drafter")} and the like.` }),
  { brief: message`Drafters, rules, controllers and other methods.` },
).map((options) => async (): Promise<number> => {
  const { listPlugins } = await import("../engine/plugins.ts");
  return await listPlugins(options);
});
