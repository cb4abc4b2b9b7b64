// A drafter in one file: guesses that a token is followed by what followed it last time. See docs/plugins.md.
//
//   hunch --plugin docs/examples/successor.ts --drafter successor "Count from one to thirty in words."
import type { Drafter } from "../../src/drafter.ts";
import type { Plugin } from "../../src/plugins/plugin.ts";

function successor(longest: number): Drafter {
  const next = new Map<number, number>();
  let last = -1;
  const read = (token: number) => {
    if (last >= 0) next.set(last, token);
    last = token;
  };
  return {
    name: "successor",
    laws: ["point"], // its tokens are chosen, not sampled
    begin(prompt) {
      next.clear();
      last = -1;
      prompt.forEach(read);
    },
    draft(plan) {
      const tokens: number[] = [];
      const most = Math.min(plan.nodes, plan.depth, longest);
      for (let token = next.get(last); token !== undefined && tokens.length < most; token = next.get(token)) {
        tokens.push(token);
      }
      return {
        tokens: Int32Array.from(tokens),
        parents: Int32Array.from(tokens, (_, node) => node - 1), // a chain: each continues the one before it
        law: "point",
        q: () => undefined,
      };
    },
    observe({ committed }) {
      committed.forEach(read);
    },
  };
}

const options = {
  longest: { type: "integer", default: 4, min: 1, max: 64, summary: "most tokens of a draft" },
} as const;

const plugin: Plugin<"drafter", typeof options> = {
  kind: "drafter",
  name: "successor",
  summary: "what followed this token last time",
  options,
  create: ({ longest }) => successor(longest),
};
export default plugin;
