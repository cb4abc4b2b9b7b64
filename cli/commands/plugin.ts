// hunch plugin list: every method there is, built in or loaded, with its options and its paper.
import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { command, flag, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { EXIT } from "../../src/errors.ts";
import { debug } from "../options.ts";

const list = object({
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
  const { openRegistry } = await import("../methods.ts");
  const { pluginJson, pluginLines } = await import("../output/plugins.ts");
  const { paintFor } = await import("../output/colour.ts");
  const { stdout } = await import("../output/streams.ts");
  const registry = await openRegistry(options.plugins);
  if (options.json) stdout.line(JSON.stringify(pluginJson(registry.list())));
  else for (const line of pluginLines(registry.list(), paintFor(stdout))) stdout.line(line);
  return EXIT.ok;
});
