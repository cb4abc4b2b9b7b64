// traversal: a tree is judged from its leaves to its root, so a path is refused only after all that hangs below it.
// Traversal Verification for Speculative Tree Decoding (Weng et al., 2025, arXiv 2505.12398), algorithm 2. On a chain it
// is block verification.
//
// Every node carries r, how far the path to it is covered by the target: r(root) = 1, r(x) = min(1, r(parent)·p(x)/q(x)).
// The first leaf is kept with probability r, together with its path. If refused it is deleted, and its parent's place is
// set to what is then still owed: with m = Σ max(r·p − q, 0),
//   r ← m/(m + 1 − r),   p ← norm(max(r·p − q, 0)),   q ← what the next sibling was drawn from.
// A node whose children are all refused is a leaf itself. The root is always kept, and the next token is drawn from the
// p of the place where the walk ends.
//
// Independent draws may repeat a token, of which the paper says nothing: equal siblings are one place, judged with the
// children of all of them when the first comes up. A place is kept with probability r whatever number of children it
// has, so that the others of its name came up too tells nothing about the rest. Once it is refused, r·p < q there: its
// p is 0 from then on, and what comes of the others is refused unseen.
import { type Distribution, excess, mass, normalise, point, probability } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { drawnFrom } from "./recursive.ts";
import { acceptance, childrenOf, holding, pathTo } from "./walk.ts";
import { DRAFT_LAWS } from "../../src/tree.ts";

export const traversal: VerificationRule = {
  name: "traversal",
  lossless: true,
  laws: DRAFT_LAWS,
  verify(tree, scores, chance) {
    /**
     * Judges what hangs below a place, one node or equal siblings, itself covered by `covered`; the verdict, or undefined
     * where all is refused.
     */
    const judge = (place: readonly number[], covered: number): { end: number; p: Distribution } | undefined => {
      const [node] = place;
      const children = childrenOf(tree, place);
      const target = () => normalise(scores.distribution(node + 1));
      if (children.length === 0) { // most nodes: what follows them is looked at only where they are kept
        return node < 0 || chance.flip(covered) ? { end: node, p: target() } : undefined;
      }
      const drafts = children.map((child) => tree.tokens[child]);
      const original = target();
      const drawn = tree.q(tree.parents[children[0]]) ?? point(scores.vocab, drafts[0]);
      const q = normalise(drawn);
      let p = original;
      let r = covered;
      for (let i = 0; i < children.length; i++) {
        const from = drawnFrom({ p: original, q, drawn, drafts, law: tree.law }, i);
        if (from === undefined) break;
        const share = acceptance(r * probability(p, drafts[i]), probability(from, drafts[i]));
        const below = share > 0 ? judge(holding(tree, children, drafts[i]), share) : undefined;
        if (below !== undefined) return below;
        const owed = excess(p, from, r);
        const left = mass(owed);
        // Nothing is owed: a place that was covered whole (r = 1) stays so, any other is given up.
        r = left > 0 ? left / (left + 1 - r) : r >= 1 ? 1 : 0;
        if (left > 0) p = normalise(owed);
      }
      return node < 0 || chance.flip(r) ? { end: node, p } : undefined;
    };
    const { end, p } = judge([-1], 1)!; // the root is never refused
    return { path: pathTo(tree, end), next: chance.pick(p) };
  },
};

export default definePlugin({
  kind: "rule",
  name: "traversal",
  summary: "judge a tree from its leaves to its root; block verification for trees",
  paper: { title: "Traversal Verification for Speculative Tree Decoding", year: 2025, arxiv: "2505.12398" },
  create: () => traversal,
});
