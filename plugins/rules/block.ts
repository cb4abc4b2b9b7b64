// block: a chain is judged as a whole; the longest prefix that stands is kept.
// Block Verification Accelerates Speculative Decoding (Sun et al., 2024, arXiv 2403.10444), algorithm 2: never accepts
// fewer tokens than the token rule in expectation, and no rule for one chain accepts more.
//
//   b_0 = 1,  b_i = min(1, b_{i−1} · p_i(x_i)/q_i(x_i))                        how far the chain up to x_i is covered
//   r_i = Σ max(b_i·p_{i+1} − q_{i+1}, 0),  h_i = r_i/(r_i + 1 − b_i),  h_γ = b_γ
//   τ   = the greatest i with u_i ≤ h_i;  next from p_{γ+1} where τ = γ, else from norm(max(b_τ·p_{τ+1} − q_{τ+1}, 0))
//
// On a tree, which the paper leaves to others, the chain is that of first children. What the residual draws may be a
// younger sibling (never the refused child: where b·p > q its own b is 1 and it stands): nothing below it was looked at
// yet, so the block starts anew there. Equal siblings are one place: what hangs below a repeat makes the chain longer.
// How long it is may depend on what was drawn, for P(τ ≥ i | x_1 … x_i) = b_i however it goes on. A chosen draft (law
// `point`) has q = 1 on itself.
import type { Chance } from "../../src/chance.ts";
import { type Distribution, excessMass, normalise, point, probability, residual } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { acceptance, childrenOf, holding, pathTo } from "./walk.ts";

export const block: VerificationRule = {
  name: "block",
  lossless: true,
  laws: ["point", "iid", "distinct", "beam"],
  device: { name: "block" },
  verify(tree, scores, chance) {
    let root = [-1]; // a place is one node, or equal siblings
    while (true) {
      const chain = [root];
      const tokens: number[] = [];
      const targets: Distribution[] = [];
      const drafts: Distribution[] = [];
      while (true) {
        const here = chain[chain.length - 1];
        targets.push(normalise(scores.distribution(here[0] + 1)));
        const children = childrenOf(tree, here);
        if (children.length === 0) break;
        const [eldest] = children;
        const q = tree.q(tree.parents[eldest]);
        drafts.push(q === undefined ? point(scores.vocab, tree.tokens[eldest]) : normalise(q));
        tokens.push(tree.tokens[eldest]);
        chain.push(holding(tree, children, tree.tokens[eldest]));
      }
      const { kept, next } = verifyChain(tokens, targets, drafts, chance);
      const end = chain[kept];
      root = holding(tree, childrenOf(tree, end), next);
      if (root.length === 0) return { path: pathTo(tree, end[0]), next };
    }
  },
};

/** `targets` has one more entry than `tokens` and `drafts`: p after the whole chain. */
function verifyChain(tokens: number[], targets: Distribution[], drafts: Distribution[], chance: Chance) {
  const covered = [1];
  tokens.forEach((token, i) => {
    // b·p/q capped at 1, in the form that is safe at the ends.
    covered.push(acceptance(covered[i] * probability(targets[i], token), probability(drafts[i], token)));
  });
  const all = tokens.length;
  if (chance.flip(covered[all])) return { kept: all, next: chance.pick(targets[all]) };
  for (let i = all - 1; i > 0; i--) {
    const left = excessMass(targets[i], drafts[i], covered[i]);
    const denominator = left + 1 - covered[i];
    if (chance.flip(denominator > 0 ? left / denominator : 1)) {
      return { kept: i, next: chance.pick(residual(targets[i], drafts[i], covered[i])) };
    }
  }
  return { kept: 0, next: chance.pick(residual(targets[0], drafts[0])) }; // h_0 = 1
}

export default definePlugin({
  kind: "rule",
  name: "block",
  summary: "judge a chain as a whole, keep its longest prefix that stands; on chains no less than token",
  paper: { title: "Block Verification Accelerates Speculative Decoding", year: 2024, arxiv: "2403.10444" },
  create: () => block,
});
