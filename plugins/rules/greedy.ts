// greedy: the target's likeliest token decides. Lossless for greedy decoding (temperature 0), for every draft law.
// Blockwise Parallel Decoding for Deep Autoregressive Models (Stern et al., 2018, arXiv 1811.03115), exact variant.
import { definePlugin } from "../../src/registry.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { pathTo } from "./walk.ts";

export const greedy: VerificationRule = {
  name: "greedy",
  lossless: true,
  greedy: true,
  independent: true,
  laws: ["point", "iid", "distinct", "top-and-one", "beam"],
  verify(tree, scores) {
    let node = -1;
    while (true) {
      const next = scores.argmax(node + 1);
      let child = node + 1; // children stand after their parent
      while (child < tree.tokens.length && !(tree.parents[child] === node && tree.tokens[child] === next)) child++;
      if (child === tree.tokens.length) return { path: pathTo(tree, node), next };
      node = child;
    }
  },
};

export default definePlugin({
  kind: "rule",
  name: "greedy",
  summary: "keep drafted tokens that are the target's likeliest; for temperature 0",
  paper: { title: "Blockwise Parallel Decoding for Deep Autoregressive Models", year: 2018, arxiv: "1811.03115" },
  create: () => greedy,
});
