// target-init: of several tokens that the target drew, keep the one below which the draft goes furthest. RELAXED: the
// text is not distributed as the target's, for tokens whose drafts stand are said more often.
// Improving Multi-candidate Speculative Decoding (Lu et al., 2024, arXiv 2409.10644), to be used with the shape
// `target-init`.
//
// The target's own tokens stand; below them every drafted token stands by itself with probability min(1, p/q). Of the
// longest paths the first is kept. What may follow it is drawn from p, or from norm(max(p − q, 0)) where drafts were
// refused: several tokens without replacement. Which of them is said is settled by the next round, so this one commits
// the path only, its last token as `Verdict.next`; the next pass computes that token's row again. (The public code draws
// from p, not from the residual, where nothing below the target's own tokens stands.)
//
// With other shapes the target draws one token, which is committed at once. At temperature 0 there is one token to draw.
import type { Chance } from "../../src/chance.ts";
import { type Distribution, normalise, point, probability, residual, without } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { drawsOf } from "../shapes/target-init.ts";
import { acceptance, childrenOf, pathTo } from "./walk.ts";

export const targetInit: VerificationRule = {
  name: "target-init",
  lossless: false,
  laws: ["point", "distinct"],
  verify(tree, scores, chance) {
    const draws = drawsOf(tree);
    const given = draws?.given ?? 0;
    const target = (node: number) => normalise(scores.distribution(node + 1));
    const drawnFrom = (parent: number, child: number) =>
      normalise(tree.q(parent) ?? point(scores.vocab, tree.tokens[child]));
    const depth = new Map([[-1, 0]]); // of the nodes that stand
    let end = -1;
    tree.tokens.forEach((token, node) => {
      const parent = tree.parents[node];
      const above = depth.get(parent);
      if (above === undefined) return;
      const stands = node < given ||
        chance.flip(acceptance(probability(target(parent), token), probability(drawnFrom(parent, node), token)));
      if (!stands) return;
      depth.set(node, above + 1);
      if (above + 1 > depth.get(end)!) end = node;
    });
    // Below `end` nothing stands: what was drafted there was refused.
    const refused = childrenOf(tree, [end]);
    const p = target(end);
    const left = refused.length === 0
      ? p
      : tree.law === "point"
      ? without(p, refused.map((node) => tree.tokens[node])) ?? p
      : residual(p, drawnFrom(end, refused[0]));
    const next = drawSome(left, end < 0 ? 1 : draws?.wanted ?? 1, chance);
    const path = pathTo(tree, end);
    if (next.length === 1) return { path, next: next[0] };
    draws!.next = next;
    return { path: path.subarray(0, -1), next: tree.tokens[end] };
  },
};

/** Up to `count` tokens drawn without replacement; fewer where fewer have any probability. */
function drawSome(d: Distribution, count: number, chance: Chance): number[] {
  const drawn: number[] = [];
  for (let left: Distribution | undefined = d; drawn.length < count && left !== undefined; left = without(d, drawn)) {
    drawn.push(chance.pick(left));
  }
  return drawn;
}

export default definePlugin({
  kind: "rule",
  name: "target-init",
  summary: "RELAXED: of several tokens that the target drew, keep the one whose draft goes furthest",
  paper: { title: "Improving Multi-candidate Speculative Decoding", year: 2024, arxiv: "2409.10644" },
  create: () => targetInit,
});
