// typical: keep what the target finds plausible. RELAXED: the text is not distributed as the target's.
// Medusa: Simple LLM Inference Acceleration Framework with Multiple Decoding Heads (Cai et al., 2024,
// arXiv 2401.10774), section 2.3.1: a drafted token x stands where p(x) > min(ε, δ·exp(−H(p))), H the entropy of p in
// nats. The longest path of standing tokens wins, of equally long ones the likeliest. The next token is drawn from p.
import { entropy, normalise, probability } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { longestStanding, pathTo } from "../../src/walk.ts";

/** `epsilon` and `delta` in 0…1: the higher, the stricter; ε = 1 and δ = 1 still keep what is likelier than e^−H. */
export function typical(epsilon: number, delta: number): VerificationRule {
  return {
    name: "typical",
    lossless: false,
    laws: ["point", "iid", "distinct", "top-and-one", "beam"],
    device: { name: "typical", epsilon, delta },
    verify(tree, scores, chance) {
      const end = longestStanding(tree, (row, tokens) => {
        const p = normalise(scores.distribution(row));
        const likely = tokens.map((token) => probability(p, token));
        if (likely.every((value) => value > epsilon)) return likely; // whatever the entropy is
        const limit = Math.min(epsilon, delta * Math.exp(-entropy(p)));
        return likely.map((value) => value > limit ? value : 0);
      });
      return { path: pathTo(tree, end), next: chance.pick(normalise(scores.distribution(end + 1))) };
    },
  };
}

export default definePlugin({
  kind: "rule",
  name: "typical",
  summary: "RELAXED: keep what the target finds plausible, by its probability and entropy",
  options: {
    epsilon: { type: "number", default: 0.09, min: 0, max: 1, summary: "keep whatever is likelier than this" },
    delta: { type: "number", default: 0.3, min: 0, max: 1, summary: "or likelier than this times exp(−entropy)" },
  },
  paper: {
    title: "Medusa: Simple LLM Inference Acceleration Framework with Multiple Decoding Heads",
    year: 2024,
    arxiv: "2401.10774",
  },
  create: ({ epsilon, delta }) => typical(Number(epsilon), Number(delta)),
});
