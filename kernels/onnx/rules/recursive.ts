// recursive on ONNX Runtime: one draft after the other, each refusal leaving the target what it still owes.
import type { DraftLaw } from "../../../src/tree.ts";
import type { GraphBuilder, Value } from "../graph.ts";
import { DATA_TYPE } from "../proto.ts";
import {
  at,
  draw,
  integer,
  keeps,
  one,
  pick,
  raw,
  renormalised,
  residual,
  results,
  RULE_FEEDS,
  sums,
  target,
  TOKEN,
  VECTOR,
  whole,
  zero,
} from "../rule-graphs.ts";
import { walkDrafts } from "./drafted.ts";
import type { OnnxRule } from "./onnx-rule.ts";

/** How siblings follow from one distribution; decides which graph runs. */
type Draws = "chosen" | "replaced" | "removed" | "top-and-one";

const DRAWS: Readonly<Record<DraftLaw, Draws>> = {
  point: "chosen",
  iid: "replaced",
  distinct: "removed",
  beam: "removed",
  "top-and-one": "top-and-one",
};

export const recursive: OnnxRule = {
  name: "recursive",
  verify(tree, pass) {
    const draws = DRAWS[tree.law];
    const build = (g: GraphBuilder, vocab: number) => recursiveGraph(g, vocab, draws);
    return walkDrafts(tree, pass, (place) => pass.say(`recursive ${draws}`, build, place));
  },
};

/** What a draft was drawn from. */
interface Source {
  /** Of the draft. [1] */
  readonly likelihood: Value;
  /** False where nothing was left to draw from. bool [1]; always true where absent. */
  readonly alive?: Value;
  readonly residual: (g: GraphBuilder) => Value;
}

function recursiveGraph(g: GraphBuilder, vocab: number, draws: Draws): void {
  const row = target(g);
  g.input(RULE_FEEDS.drafts, "int64", ["n"]);
  g.input(RULE_FEEDS.uniforms, "float64", ["u"]);
  const drawn = draws === "chosen" ? undefined : g.input(RULE_FEEDS.drawn, "float64", ["V"]);
  const q = drawn === undefined ? undefined : raw(g, drawn);
  const all = q && draws === "replaced" ? whole(g, q) : undefined;
  const count = g.op("Shape", [RULE_FEEDS.drafts]);
  const removes = draws === "removed" || draws === "top-and-one";
  const without = (g: GraphBuilder, values: Value, token: Value) =>
    g.op("ScatterElements", [values, token, zero(g)], { axis: { int: 0 } });
  const [owed, token, flips] = g.loop(
    count,
    [
      { ...VECTOR, start: whole(g, row) },
      { ...TOKEN, start: integer(g, -1) },
      { ...TOKEN, start: integer(g, 0) },
      // q without what was drafted already, not renormalised.
      ...(removes ? [{ ...VECTOR, start: drawn! }] : []),
    ],
    (g, turn, [p, , flips, rest]) => {
      const i = g.op("Reshape", [turn, integer(g, 1)]);
      const x = pick(g, RULE_FEEDS.drafts, i);
      const px = pick(g, p, x);
      const u = pick(g, RULE_FEEDS.uniforms, i);
      const verify = (g: GraphBuilder, { likelihood, alive, residual }: Source): Value[] => {
        let kept = keeps(g, px, likelihood, u);
        let refused = g.op("Not", [kept]);
        if (alive !== undefined) [kept, refused] = [kept, refused].map((flag) => g.op("And", [flag, alive]));
        const [owed] = g.choose(refused, [VECTOR], (g) => [residual(g)], () => [p]);
        const flipped = alive === undefined ? integer(g, 1) : g.op("Cast", [alive], { to: { int: DATA_TYPE.int64 } });
        return [refused, owed, g.op("Where", [kept, x, integer(g, -1)]), g.op("Add", [flips, flipped])];
      };
      const chosen = (g: GraphBuilder) =>
        verify(g, { likelihood: one(g), residual: (g) => renormalised(g, without(g, p, x), p) });
      const replaced = (g: GraphBuilder) =>
        verify(g, { likelihood: pick(g, all!, x), residual: (g) => residual(g, p, all!) });
      const removed = (g: GraphBuilder) => {
        const left = raw(g, rest);
        return verify(g, {
          likelihood: at(g, left, x),
          alive: g.op("Greater", [left.sum, zero(g)]),
          residual: (g) => residual(g, p, whole(g, left)),
        });
      };
      const verified = draws === "chosen"
        ? chosen(g)
        : draws === "replaced"
        ? replaced(g)
        : draws === "removed"
        ? removed(g)
        : g.choose(
          g.op("Equal", [i, g.op("Sub", [count, integer(g, 1)])]),
          [{ type: "bool", shape: [1] }, VECTOR, TOKEN, TOKEN],
          removed,
          chosen,
        );
      const [goOn, ...values] = verified;
      if (!removes) return { goOn, values };
      const [fewer] = g.choose(goOn, [VECTOR], (g) => [without(g, rest, x)], () => [rest]);
      return { goOn, values: [...values, fewer] };
    },
  );
  const [said, used] = g.choose(
    g.op("Less", [token, integer(g, 0)]),
    [TOKEN, TOKEN],
    (g) => [draw(g, owed, pick(g, RULE_FEEDS.uniforms, flips), vocab), g.op("Add", [flips, integer(g, 1)])],
    () => [token, flips],
  );
  results(g, { token: said, used, sums: sums(g, row, q ?? row) });
}
