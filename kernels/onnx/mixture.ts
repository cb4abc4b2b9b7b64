// A mixture of experts as nodes: a router's scores choose for every row which experts it goes through. Each expert is a
// branch of its own, which runs where some row chose it, with these rows only: what nobody chose costs a look at a flag.
//
// Bits: an expert's products are those of any other matrix, whose rows do not depend on how many there are beside them; a
// row's results are added up in the order of its own scores.
import type { ExpertsSpec } from "../../src/model/spec/spec.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { DATA_TYPE } from "./proto.ts";

/**
 * rows [R, width], scores [R, experts] → [R, width], added up in the graph that the result is given. `block` is what
 * expert number `expert` makes of some rows; `runs`, bool [1]: none of them runs where it is false.
 */
export function mixture(
  g: GraphBuilder,
  rows: Value,
  scores: Value,
  { count, used, share }: ExpertsSpec,
  width: number,
  block: (g: GraphBuilder, rows: Value, expert: number) => Value,
  runs?: Value,
): (g: GraphBuilder) => Value {
  const longs = (...values: number[]) => g.constant("int64", values);
  const [best, chosen] = g.several("TopK", [scores, longs(used)], 2, { axis: { int: -1 } });
  const weights = share === "chosen"
    ? g.op("Softmax", [best], { axis: { int: -1 } })
    : g.op("GatherElements", [g.op("Softmax", [scores], { axis: { int: -1 } }), chosen], { axis: { int: 1 } });

  // Who goes where: 1 where row r chose expert e, [experts, R].
  const nobody = g.op("Cast", [g.op("Greater", [scores, scores])], { to: { int: DATA_TYPE.int64 } });
  const ones = g.op("Add", [g.op("Mul", [chosen, longs(0)]), longs(1)]);
  const marked = g.op("ScatterElements", [nobody, chosen, ones], { axis: { int: 1 } });
  const byExpert = g.op("Transpose", [marked], { perm: { ints: [1, 0] } });
  const visited = g.op("Cast", [g.op("ReduceMax", [byExpert, longs(1)], { keepdims: { int: 0 } })], {
    to: { int: DATA_TYPE.bool },
  });
  const nothing = g.op("ConstantOfShape", [longs(0, width)]);
  const flags = g.several("Split", [visited], count, { axis: { int: 0 }, num_outputs: { int: count } });
  const found = flags.map((flag, expert) =>
    g.choose(runs ? g.op("And", [flag, runs]) : flag, [{ type: "float32", shape: [`X${expert}`, width] }], (g) => {
      const one = g.op("Gather", [byExpert, g.constant("int64", [expert], [])]);
      const places = g.op("Reshape", [g.op("NonZero", [one]), longs(-1)]);
      // The first row once more: single rows go through other kernels with other rounding, and two cost what one does.
      const padded = g.op("Concat", [places, g.op("Slice", [places, longs(0), longs(1)])], { axis: { int: 0 } });
      const out = block(g, g.op("Gather", [rows, padded]), expert);
      return [g.op("Slice", [out, longs(0), longs(-1), longs(0)])];
    }, () => [nothing])[0]
  );
  return (g) => addUp(g, { found, byExpert, chosen, weights, used, width });
}

interface Mixed {
  readonly found: readonly Value[];
  readonly byExpert: Value;
  readonly chosen: Value;
  readonly weights: Value;
  readonly used: number;
  readonly width: number;
}

/** What the experts found, [R, width]. */
function addUp(g: GraphBuilder, { found, byExpert, chosen, weights, used, width }: Mixed): Value {
  const longs = (...values: number[]) => g.constant("int64", values);
  const all = g.op("Concat", found, { axis: { int: 0 } });
  // Where in `all` the result of row r from expert e stands: results lie by expert, then by row.
  const before = g.op("CumSum", [g.op("Reshape", [byExpert, longs(-1)]), longs(0)], { exclusive: { int: 1 } });
  const places = g.op("Transpose", [g.op("Reshape", [before, g.op("Shape", [byExpert])])], { perm: { ints: [1, 0] } });
  const own = g.op("GatherElements", [places, chosen], { axis: { int: 1 } });
  const weighted = g.op("Mul", [g.op("Gather", [all, own]), g.op("Unsqueeze", [weights, longs(2)])]);
  const parts = g.split(weighted, Array(used).fill(1), 1);
  const sum = parts.reduce((sum, part) => g.op("Add", [sum, part]));
  return g.op("Reshape", [sum, longs(-1, width)]);
}
