// typical: keep what the target finds plausible. RELAXED: the text is not distributed as the target's.
// Medusa: Simple LLM Inference Acceleration Framework with Multiple Decoding Heads (Cai et al., 2024,
// arXiv 2401.10774), section 2.3.1: a drafted token x stands where p(x) > min(ε, δ·exp(−H(p))), H the entropy of p in
// nats. The longest path of standing tokens wins, of equally long ones the likeliest. The next token is drawn from p.
import { entropy, normalise, probability } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { childrenOf, pathTo } from "./walk.ts";

/** `epsilon` and `delta` in 0…1: the higher, the stricter; ε = 1 and δ = 1 still keep what is likelier than e^−H. */
export function typical(epsilon: number, delta: number): VerificationRule {
  return {
    name: "typical",
    lossless: false,
    laws: ["point", "iid", "distinct", "top-and-one", "beam"],
    verify(tree, scores, chance) {
      let best = { node: -1, depth: 0, likelihood: 0 };
      const visit = (at: typeof best): void => {
        if (at.depth > best.depth || (at.depth === best.depth && at.likelihood > best.likelihood)) best = at;
        const children = childrenOf(tree, [at.node]);
        if (children.length === 0) return;
        const p = normalise(scores.distribution(at.node + 1));
        const limit = Math.min(epsilon, delta * Math.exp(-entropy(p)));
        for (const child of children) {
          const value = probability(p, tree.tokens[child]);
          if (value > limit) visit({ node: child, depth: at.depth + 1, likelihood: at.likelihood + Math.log(value) });
        }
      };
      visit(best);
      return { path: pathTo(tree, best.node), next: chance.pick(normalise(scores.distribution(best.node + 1))) };
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
