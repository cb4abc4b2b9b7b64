// token: speculative sampling. Keep a draft x with probability min(1, p(x)/q(x)), else draw from norm(max(p − q, 0)).
// Fast Inference from Transformers via Speculative Decoding (Leviathan et al., 2022, arXiv 2211.17192), theorem 3.5 and
// appendix A.1; at the same time Accelerating LLM Decoding with Speculative Sampling (Chen et al., 2023, arXiv 2302.01318).
//
// One draft per place: of several siblings the first decides. A residual draw that another sibling holds still goes
// down to that sibling. A chosen draft (law `point`) has q = 1 on itself: kept with probability p(x), else p without x.
import { probability, residual } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { acceptance, type Step, tokenLevel } from "./walk.ts";

export const tokenStep: Step = ({ p, q, drafts }, chance) => {
  const x = drafts[0];
  return chance.flip(acceptance(probability(p, x), probability(q, x))) ? x : chance.pick(residual(p, q));
};

export const token: VerificationRule = {
  ...tokenLevel("token", ["point", "iid", "distinct", "beam"], tokenStep),
  device: { name: "token" },
};

export default definePlugin({
  kind: "rule",
  name: "token",
  summary: "speculative sampling: keep a draft with probability min(1, p/q), else draw from what is left of p",
  paper: { title: "Fast Inference from Transformers via Speculative Decoding", year: 2022, arxiv: "2211.17192" },
  create: () => token,
});
