// recursive: one draft after the other by speculative sampling, each refusal leaving the target what it still owes.
// SpecInfer: Accelerating Generative LLM Serving with Tree-based Speculative Inference and Verification (Miao et al.,
// 2023, arXiv 2305.09781), algorithm 2, for independent draws. Without replacement, where q loses each refused token as
// well: Multi-Candidate Speculative Decoding (Yang et al., 2024, arXiv 2401.06706) and Sequoia (Chen et al., 2024,
// arXiv 2402.12374). For beams: Recursive Speculative Decoding (Jeon et al., 2024, arXiv 2402.14160), theorem 3.1:
// whatever else a stochastic beam decides, each next sibling is a draw from q without its elder siblings.
//
// Lossless for every law: each draft is judged against the very distribution it was drawn from.
import { type Distribution, point, probability, residual, without } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { acceptance, type Siblings, type Step, tokenLevel } from "./walk.ts";
import { DRAFT_LAWS } from "../../src/tree.ts";

/** What draft `i` was drawn from, given that the ones before it were drawn; undefined where q has nothing left. */
export function drawnFrom({ p, q, drawn, drafts, law }: Siblings, i: number): Distribution | undefined {
  switch (law) {
    case "iid":
      return q;
    case "point":
      return point(p.vocab, drafts[i]);
    case "distinct":
    case "beam":
      return i === 0 ? q : without(drawn, drafts.slice(0, i));
    case "top-and-one": // the likeliest tokens were chosen, the last was drawn from the rest
      return i < drafts.length - 1 ? point(p.vocab, drafts[i]) : i === 0 ? q : without(drawn, drafts.slice(0, i));
  }
}

export const recursiveStep: Step = (siblings, chance) => {
  let p = siblings.p;
  for (let i = 0; i < siblings.drafts.length; i++) {
    const x = siblings.drafts[i];
    const q = drawnFrom(siblings, i);
    if (q === undefined) break; // no law draws from nothing; such a draft says nothing about the target
    if (chance.flip(acceptance(probability(p, x), probability(q, x)))) return x;
    p = residual(p, q);
  }
  return chance.pick(p);
};

export const recursive: VerificationRule = {
  ...tokenLevel("recursive", DRAFT_LAWS, recursiveStep),
  device: { name: "recursive" },
};

export default definePlugin({
  kind: "rule",
  name: "recursive",
  summary: "several drafts one after the other, each refusal leaving the target what it still owes",
  paper: {
    title: "SpecInfer: Accelerating Generative LLM Serving with Tree-based Speculative Inference and Verification",
    year: 2023,
    arxiv: "2305.09781",
  },
  create: () => recursive,
});
