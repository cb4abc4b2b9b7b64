// Drafters that are a proposer and a tree shape and nothing else. Not a method of its own.
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { definePlugin, type OptionSpecs, type Plugin } from "../../src/plugins/plugin.ts";

/** The drafter of the same name: what the proposer says, in a shape that an option names. */
export function drafterOf(proposer: Plugin<"proposer">): Plugin<"drafter"> {
  const { name, summary, argument, paper, options } = proposer;
  const all: OptionSpecs = {
    ...options,
    shape: { type: "string", default: "chain", summary: "tree shape, as in `hunch plugin list`" },
  };
  return definePlugin<"drafter", OptionSpecs>({
    kind: "drafter",
    name,
    summary,
    argument,
    paper,
    options: all,
    async create(values, path, context) {
      const { shape, ...own } = values;
      const form = await context.resolve("shape", String(shape));
      return new ProposedDrafter(name, await proposer.create(own, path, context), form);
    },
  });
}
