// typical: keep what the target finds plausible. RELAXED: the text is not distributed as the target's.
// Medusa: Simple LLM Inference Acceleration Framework with Multiple Decoding Heads (Cai et al., 2024,
// arXiv 2401.10774), section 2.3.1: a drafted token x stands where p(x) > min(ε, δ·exp(−H(p))), H the entropy of p in
// nats. The longest path of standing tokens wins, of equally long ones the likeliest.
//
// Two deviations. The next token is drawn from p, so that what was not drafted has the target's own distribution; the
// paper takes the likeliest, which is `next=likeliest` here. And at temperature 0 the paper goes back to greedy decoding,
// which is the rule `greedy` here; `typical` then looks at the raw soft-max, and the next token is its likeliest.
import { entropy, normalise, probability } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Scores } from "../../src/backend.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { Verdict } from "../../src/verdict.ts";
import { DRAFT_LAWS, type DraftTree } from "../../src/tree.ts";
import { longestStanding, pathTo } from "../../src/draft/walk.ts";

/** How the token after the accepted ones comes about. */
export type Next = "drawn" | "likeliest";

/** `epsilon` and `delta` in 0…1: the higher, the stricter; ε = 1 and δ = 1 still keep what is likelier than e^−H. */
export function typical(epsilon: number, delta: number, next: Next = "drawn"): VerificationRule {
  const longest = (tree: DraftTree, scores: Scores) =>
    longestStanding(tree, (row, tokens) => {
      const p = normalise(scores.distribution(row));
      const likely = tokens.map((token) => probability(p, token));
      if (likely.every((value) => value > epsilon)) return likely; // whatever the entropy is
      const limit = Math.min(epsilon, delta * Math.exp(-entropy(p)));
      return likely.map((value) => value > limit ? value : 0);
    });
  const verifyGreedily = (tree: DraftTree, scores: Scores): Verdict => {
    const end = longest(tree, scores);
    return { path: pathTo(tree, end), next: scores.argmax(end + 1) };
  };
  return {
    name: "typical",
    lossless: false,
    laws: DRAFT_LAWS,
    ...(next === "drawn" && { device: { name: "typical", parameters: { epsilon, delta } } }),
    verify(tree, scores, chance) {
      if (next === "likeliest") return verifyGreedily(tree, scores);
      const end = longest(tree, scores);
      return { path: pathTo(tree, end), next: chance.pick(normalise(scores.distribution(end + 1))) };
    },
    verifyGreedily,
  };
}

export default definePlugin({
  kind: "rule",
  name: "typical",
  summary: "RELAXED: keep what the target finds plausible, by its probability and entropy",
  options: {
    epsilon: { type: "number", default: 0.09, min: 0, max: 1, summary: "keep whatever is likelier than this" },
    delta: { type: "number", default: 0.3, min: 0, max: 1, summary: "or likelier than this times exp(−entropy)" },
    next: {
      type: "string",
      default: "drawn",
      choices: ["drawn", "likeliest"],
      summary: "the token after the accepted ones; likeliest: as the paper has it",
    },
  },
  paper: {
    title: "Medusa: Simple LLM Inference Acceleration Framework with Multiple Decoding Heads",
    year: 2024,
    arxiv: "2401.10774",
  },
  create: ({ epsilon, delta, next }) => typical(epsilon, delta, next),
});
