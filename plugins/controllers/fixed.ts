// fixed: the same plan in every round, whether it pays or not. For comparing; `cost` is for using.
import type { Controller } from "../../src/controller.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";

/** `depth` 0: as deep as there are nodes. */
export function fixed(nodes: number, depth = 0): Controller {
  const plan = { nodes, depth: depth === 0 ? nodes : depth };
  return { name: "fixed", plan: () => plan, observe() {} };
}

export default definePlugin({
  kind: "controller",
  name: "fixed",
  summary: "the same draft size in every round",
  options: {
    nodes: { type: "integer", default: 8, min: 0, max: 1024, summary: "most drafted tokens a round" },
    depth: { type: "integer", default: 0, min: 0, max: 1024, summary: "most of them in a row; 0: as many as nodes" },
  },
  create: ({ nodes, depth }) => fixed(nodes, depth),
});
