// greedy: the target's likeliest token decides. Lossless for greedy decoding (temperature 0), for every draft law.
// Blockwise Parallel Decoding for Deep Autoregressive Models (Stern et al., 2018, arXiv 1811.03115), exact variant.
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { walkDown } from "../../src/draft/walk.ts";
import { DRAFT_LAWS } from "../../src/tree.ts";

export const greedy: VerificationRule = {
  name: "greedy",
  lossless: true,
  greedy: true,
  independent: true,
  laws: DRAFT_LAWS,
  device: { name: "greedy" },
  verify: (tree, scores) => walkDown(tree, ({ row }) => scores.argmax(row)),
};

export default definePlugin({
  kind: "rule",
  name: "greedy",
  summary: "keep drafted tokens that are the target's likeliest; for temperature 0",
  paper: { title: "Blockwise Parallel Decoding for Deep Autoregressive Models", year: 2018, arxiv: "1811.03115" },
  create: () => greedy,
});
