// A controller in one file: drafts one token more than were accepted last time. See docs/plugins.md.
//
//   hunch --plugin docs/examples/streak.ts --controller "streak?most=12" "Count from one to thirty in words."
import type { Controller } from "../../src/controller.ts";
import type { Plugin } from "../../src/plugins/plugin.ts";

function streak(most: number): Controller {
  let next = 1;
  return {
    name: "streak",
    plan: ({ remaining }) => {
      const size = Math.min(next, Math.max(0, remaining - 1)); // the target adds a token of its own
      return { nodes: size, depth: size };
    },
    observe({ verdict }) {
      next = Math.min(most, verdict.path.length + 1);
    },
  };
}

const options = {
  most: { type: "integer", default: 8, min: 1, max: 64, summary: "most tokens of a draft" },
} as const;

const plugin: Plugin<"controller", typeof options> = {
  kind: "controller",
  name: "streak",
  summary: "one more than were accepted last time",
  options,
  create: ({ most }) => streak(most),
};
export default plugin;
