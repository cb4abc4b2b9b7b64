// lenient: recursive rejection that forgives. RELAXED: the text is not distributed as the target's.
// Fast Inference from Transformers via Speculative Decoding (Leviathan et al., 2022, arXiv 2211.17192), appendix A.5:
// with a lenience l in (0, 1], a draft stands with probability min(1, p/(l·q)), and after a refusal the target owes
// norm(max(p/l − q, 0)). No token becomes likelier than p/l. With l = 1 it is the rule `recursive`, lossless.
//
// With `top` = k > 0 instead: a draft stands where it is among the k likeliest tokens of the target (the membership
// test of Medusa's and EAGLE's early programs), else the target draws for itself.
//
// Temperature 0, of which the same appendix says that lenience must come before the soft-max is sharpened: the likeliest
// draft stands where p(x) ≥ l·max p of the raw soft-max; or, with `top`, where it is among its k likeliest.
import { probability, residual, top as likeliest } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { drawnFrom } from "./recursive.ts";
import { acceptance, type Step, tokenLevel, walkGreedily } from "./walk.ts";
import { DRAFT_LAWS } from "../../src/tree.ts";

const byRatio = (lenience: number): Step => (siblings, chance) => {
  let p = siblings.p;
  for (let i = 0; i < siblings.drafts.length; i++) {
    const x = siblings.drafts[i];
    const q = drawnFrom(siblings, i);
    if (q === undefined) break;
    if (chance.flip(acceptance(probability(p, x), lenience * probability(q, x)))) return x;
    p = residual(p, q, 1 / lenience);
  }
  return chance.pick(p);
};

const byMembership = (k: number): Step => ({ p, drafts }, chance) => {
  const members = likeliest(p, k);
  return drafts.find((x) => members.includes(x)) ?? chance.pick(p);
};

/** `lenience` in (0, 1]; `top` ≥ 0, where 0 means that the ratio decides. */
export function lenient(lenience: number, top: number): VerificationRule {
  const step = top > 0 ? byMembership(top) : byRatio(lenience);
  return {
    ...tokenLevel("lenient", DRAFT_LAWS, step, false),
    verifyGreedily: (tree, scores) =>
      walkGreedily(tree, scores, ({ p, drafts, own }) => {
        const best = drafts.reduce((a, b) => probability(p, b) > probability(p, a) ? b : a);
        const stands = top > 0
          ? likeliest(p, top).includes(best)
          : probability(p, best) >= lenience * probability(p, own);
        return stands ? best : own;
      }),
  };
}

export default definePlugin({
  kind: "rule",
  name: "lenient",
  summary: "RELAXED: keep drafts as if they were l times as likely in q, or all among the target's k likeliest",
  options: {
    lenience: { type: "number", default: 0.5, min: 0.01, max: 1, summary: "l: 1 is lossless, less keeps more" },
    top: { type: "integer", default: 0, min: 0, max: 1000, summary: "k: keep any of the k likeliest; 0: by ratio" },
  },
  paper: { title: "Fast Inference from Transformers via Speculative Decoding", year: 2022, arxiv: "2211.17192" },
  create: ({ lenience, top }) => lenient(lenience, top),
});
