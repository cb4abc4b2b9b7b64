// token on ONNX Runtime: the first draft is kept with probability min(1, p/q), else the residual is drawn from.
import type { GraphBuilder } from "../graph.ts";
import {
  at,
  draw,
  integer,
  keeps,
  pick,
  raw,
  residual,
  results,
  RULE_FEEDS,
  sums,
  target,
  TOKEN,
  whole,
} from "../rule-graphs.ts";
import { walkDrafts } from "./drafted.ts";
import type { OnnxRule } from "./onnx-rule.ts";

export const token: OnnxRule = {
  name: "token",
  verify: (tree, pass) =>
    tree.law === "top-and-one" ? undefined : walkDrafts(tree, pass, (place) => pass.say("token", tokenGraph, place)),
};

function tokenGraph(g: GraphBuilder, vocab: number): void {
  const p = target(g);
  g.input(RULE_FEEDS.drawn, "float64", ["V"]);
  g.input(RULE_FEEDS.drafts, "int64", ["n"]);
  g.input(RULE_FEEDS.uniforms, "float64", ["u"]);
  const q = raw(g, RULE_FEEDS.drawn);
  const x = pick(g, RULE_FEEDS.drafts, integer(g, 0));
  const kept = keeps(g, at(g, p, x), at(g, q, x), pick(g, RULE_FEEDS.uniforms, integer(g, 0)));
  const [token, used] = g.choose(
    kept,
    [TOKEN, TOKEN],
    (g) => [x, integer(g, 1)],
    (g) => {
      const owed = residual(g, whole(g, p), whole(g, q));
      return [draw(g, owed, pick(g, RULE_FEEDS.uniforms, integer(g, 1)), vocab), integer(g, 2)];
    },
  );
  results(g, { token, used, sums: sums(g, p, q) });
}
