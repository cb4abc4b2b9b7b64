// chain: one token after another, each drawn from the proposer's q after the one before. The draft of speculative
// decoding as it was published.
// Fast Inference from Transformers via Speculative Decoding (Leviathan et al., 2022, arXiv 2211.17192).
import { type Distribution, isEmpty } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { chainTree } from "../../src/tree.ts";

export const chain: TreeShape = {
  name: "chain",
  law: "iid",
  single: true,
  async grow(proposer, plan, chance) {
    const length = Math.min(plan.nodes, plan.depth);
    const tokens: number[] = [];
    const draws: Distribution[] = [];
    let [q] = length > 0 ? await proposer.propose({ tokens: new Int32Array(0), parents: new Int32Array(0) }) : [];
    while (q !== undefined && !isEmpty(q) && tokens.length < length) {
      const on = plan.goOn?.(q, tokens.length + 1) ?? true;
      if (on === false) break;
      const token = chance.pick(q);
      draws.push(q);
      tokens.push(token);
      if (on === "last" || tokens.length === length) break; // the last token's own row is never computed
      const last = tokens.length - 1;
      [q] = await proposer.propose({ tokens: Int32Array.of(token), parents: Int32Array.of(last - 1) });
    }
    return chainTree(tokens, "iid", draws);
  },
};

export default definePlugin({
  kind: "shape",
  name: "chain",
  summary: "one drafted token after another, no branches",
  paper: { title: "Fast Inference from Transformers via Speculative Decoding", year: 2022, arxiv: "2211.17192" },
  create: () => chain,
});
