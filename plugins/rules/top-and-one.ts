// top-and-one: the n − 1 likeliest tokens of q are drafted as they are, and one token is drawn from the rest of q.
// Towards Optimal Multi-draft Speculative Decoding (Hu et al., 2025, arXiv 2502.18779), "greedy draft sampling".
//
// An ordinary single-draft step against q_rest (q without the likeliest, renormalised). Because q_rest is 0 on them, the
// residual keeps all of p there, and a residual draw that lands on one was drafted too: the walk goes on below it.
// Kept: p(top) + Σ min(p, q_rest), which is the optimum for this law.
import { probability, residual, without } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { acceptance, type Step, tokenLevel } from "./walk.ts";

export const topAndOneStep: Step = ({ p, q, drawn, drafts }, chance) => {
  const last = drafts[drafts.length - 1];
  const rest = drafts.length === 1 ? q : without(drawn, drafts.slice(0, -1));
  if (rest === undefined) return chance.pick(p);
  return chance.flip(acceptance(probability(p, last), probability(rest, last))) ? last : chance.pick(residual(p, rest));
};

export const topAndOne: VerificationRule = {
  ...tokenLevel("top-and-one", ["top-and-one"], topAndOneStep),
  device: { name: "top-and-one" },
};

export default definePlugin({
  kind: "rule",
  name: "top-and-one",
  summary: "the likeliest drafts as they are and one drawn from the rest; optimal for that law",
  paper: { title: "Towards Optimal Multi-draft Speculative Decoding", year: 2025, arxiv: "2502.18779" },
  create: () => topAndOne,
});
