// typical on ONNX Runtime: a draft stands where p(x) > min(ε, δ·exp(−H(p))).
import { longestStanding, pathTo } from "../../../src/draft/walk.ts";
import type { GraphBuilder } from "../graph.ts";
import { DATA_TYPE } from "../proto.ts";
import { integer, pick, results, RULE_FEEDS, sums, target, whole, zero } from "../rule-graphs.ts";
import type { OnnxRule } from "./onnx-rule.ts";

export const typical: OnnxRule = {
  name: "typical",
  verify(tree, pass, { epsilon, delta }) {
    const node = longestStanding(
      tree,
      (row, drafts) => pass.likely("typical", typicalGraph, row, drafts, [epsilon, delta]),
    );
    return { path: pathTo(tree, node), next: pass.draw(node + 1) };
  },
};

function typicalGraph(g: GraphBuilder): void {
  const row = target(g);
  g.input(RULE_FEEDS.drafts, "int64", ["n"]);
  g.input(RULE_FEEDS.limits, "float64", [2]);
  const p = whole(g, row);
  const likely = pick(g, p, RULE_FEEDS.drafts);
  const [epsilon, delta] = [0, 1].map((i) => pick(g, RULE_FEEDS.limits, integer(g, i)));
  const open = g.op("LessOrEqual", [likely, epsilon]); // what is likelier stands whatever the entropy is
  const anyOpen = g.op("ReduceMax", [g.op("Cast", [open], { to: { int: DATA_TYPE.int32 } })], { keepdims: { int: 1 } });
  const [limit] = g.choose(
    g.op("Cast", [anyOpen], { to: { int: DATA_TYPE.bool } }),
    [{ type: "float64", shape: [1] }],
    (g) => {
      // Far below any float32, so that 0·ln 0 counts as 0.
      const logs = g.op("Log", [g.op("Max", [p, g.constant("float64", [1e-300])])]);
      const minusEntropy = g.op("ReduceSum", [g.op("Mul", [p, logs])], { keepdims: { int: 1 } });
      return [g.op("Min", [epsilon, g.op("Mul", [delta, g.op("Exp", [g.op("Min", [minusEntropy, zero(g)])])])])];
    },
    () => [epsilon],
  );
  const stands = g.op("Greater", [likely, limit]);
  results(g, { likely: g.op("Where", [stands, likely, zero(g)]), sums: sums(g, row, row) });
}
