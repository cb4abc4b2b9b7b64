// A tree shape in one file: independent draws from q, all children of the root. See docs/plugins.md.
//
//   hunch --plugin docs/examples/siblings.ts --drafter "model:small.gguf?shape=(siblings?most=3)" --rule recursive "…"
import type { Plugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";

const NOTHING = new Int32Array(0);

function siblings(most: number): TreeShape {
  return {
    name: "siblings",
    law: "iid", // drawn with replacement: two may be equal
    async grow(proposer, plan, chance) {
      const count = plan.depth < 1 ? 0 : Math.min(plan.nodes, most);
      const [q] = count === 0 ? [] : await proposer.propose({ tokens: NOTHING, parents: NOTHING });
      const drawn = q === undefined || plan.goOn?.(q, 1) === false ? 0 : count;
      return {
        tokens: Int32Array.from({ length: drawn }, () => chance.pick(q)),
        parents: new Int32Array(drawn).fill(-1),
        law: "iid",
        q: (node) => node === -1 && drawn > 0 ? q : undefined,
      };
    },
  };
}

const options = {
  most: { type: "integer", default: 2, min: 1, max: 64, summary: "most children of the root" },
} as const;

const plugin: Plugin<"shape", typeof options> = {
  kind: "shape",
  name: "siblings",
  summary: "independent draws beside one another",
  options,
  create: ({ most }) => siblings(most),
};
export default plugin;
