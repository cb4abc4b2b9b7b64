// match: the target draws its own token; a drafted token stands where it is the one drawn. Lossless for every law.
// Every committed token takes exactly one number of the chance, so the text for a seed is the same with any drafter or
// none. Sample-and-match is what most programs do: llama.cpp, and Inference with Reference: Lossless Acceleration of
// Large Language Models (Yang et al., 2023, arXiv 2304.04487).
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { tokenLevel } from "./walk.ts";
import { DRAFT_LAWS } from "../../src/tree.ts";

export const match: VerificationRule = {
  ...tokenLevel("match", DRAFT_LAWS, ({ p }, chance) => chance.pick(p)),
  independent: true,
};

export default definePlugin({
  kind: "rule",
  name: "match",
  summary: "keep drafted tokens that the target draws itself; same seed, same text, with any drafter",
  paper: {
    title: "Inference with Reference: Lossless Acceleration of Large Language Models",
    year: 2023,
    arxiv: "2304.04487",
  },
  create: () => match,
});
