// block: a chain is judged as a whole; the longest prefix that stands is kept.
// Block Verification Accelerates Speculative Decoding (Sun et al., 2024, arXiv 2403.10444), algorithm 2: never accepts
// fewer tokens than the token rule in expectation, and no rule for one chain accepts more.
//
//   b_0 = 1,  b_i = min(1, b_{i−1} · p_i(x_i)/q_i(x_i))                        how far the chain up to x_i is covered
//   r_i = Σ max(b_i·p_{i+1} − q_{i+1}, 0),  h_i = r_i/(r_i + 1 − b_i),  h_γ = b_γ
//   τ   = the greatest i with u_i ≤ h_i;  next from p_{γ+1} where τ = γ, else from norm(max(b_τ·p_{τ+1} − q_{τ+1}, 0))
//
// On a tree the chain is that of first children. What the residual draws may be a younger sibling (never the
// refused child: where b·p > q its own b is 1 and it stands): nothing below it was looked at yet, so the block starts
// anew there. A chosen draft (law `point`) has q = 1 on itself.
import type { Chance } from "../../src/chance.ts";
import { type Distribution, excessMass, normalise, point, probability, residual } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { acceptance, childrenOf, pathTo } from "./walk.ts";

export const block: VerificationRule = {
  name: "block",
  lossless: true,
  laws: ["point", "iid", "distinct", "beam"],
  device: { name: "block" },
  verify(tree, scores, chance) {
    let root = -1;
    while (true) {
      const chain = [root];
      const targets: Distribution[] = [];
      const drafts: Distribution[] = [];
      while (true) {
        const here = chain[chain.length - 1];
        targets.push(normalise(scores.distribution(here + 1)));
        const [child] = childrenOf(tree, [here]);
        if (child === undefined) break;
        const q = tree.q(here);
        drafts.push(q === undefined ? point(scores.vocab, tree.tokens[child]) : normalise(q));
        chain.push(child);
      }
      const { kept, next } = judge(chain.slice(1).map((node) => tree.tokens[node]), targets, drafts, chance);
      const end = chain[kept];
      const sibling = childrenOf(tree, [end]).find((node) => tree.tokens[node] === next);
      if (sibling === undefined) return { path: pathTo(tree, end), next };
      root = sibling;
    }
  },
};

/** `targets` has one more entry than `tokens` and `drafts`: p after the whole chain. */
function judge(tokens: number[], targets: Distribution[], drafts: Distribution[], chance: Chance) {
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
  summary: "judge a chain as a whole and keep its longest prefix that stands; at least as much as token",
  paper: { title: "Block Verification Accelerates Speculative Decoding", year: 2024, arxiv: "2403.10444" },
  create: () => block,
});
