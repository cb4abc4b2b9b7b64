// What the graphs of verification rules are made of: one place of the draft tree per run, from the probabilities that a
// pass wrote. They repeat the rules of plugins/rules to the last bit. Sums are those of src/math/sum.ts, which do not depend on their
// order; everything else is done element by element, where float64 leaves no choice.
import { LIFT, LOW, ROUNDING } from "../../src/math/distribution.ts";
import { FINE, MOST, SMALL } from "../../src/math/sum.ts";
import type { GraphBuilder, Result, Value } from "./graph.ts";
import { DATA_TYPE } from "./proto.ts";

/** What the graphs are fed. V: the vocabulary. */
export const RULE_FEEDS = {
  row: "row", // float32 [V], the target's soft-max as the pass wrote it
  drawn: "drawn", // float64 [V], what the drafts were drawn from
  drafts: "drafts", // int64 [n]
  uniforms: "uniforms", // float64 [n + 1]
  limits: "limits", // float64 [2], epsilon and delta of the rule `typical`
} as const;

/** What they give. */
export const RULE_RESULTS = {
  token: "token", // int64 [1]
  used: "used", // int64 [1], uniform numbers
  sums: "sums", // float64 [2], of the row and of `drawn`: neither may be 0, infinite or no number
  likely: "likely", // float64 [n], probabilities of the drafts, 0 where they do not stand
} as const;

export const VECTOR: Result = { type: "float64", shape: ["V"] };
export const TOKEN: Result = { type: "int64", shape: [1] };

/** A distribution [V] whose values are still to be multiplied by `lift` and then by `factor`, both [1]. */
interface Raw {
  readonly values: Value;
  readonly sum: Value;
  /** 1, or a power of two where the sum is so little that its inverse is no number. */
  readonly lift: Value;
  readonly factor: Value;
}

export const one = (g: GraphBuilder) => g.constant("float64", [1]);
export const zero = (g: GraphBuilder) => g.constant("float64", [0]);
export const integer = (g: GraphBuilder, value: number) => g.constant("int64", [value]);
export const pick = (g: GraphBuilder, values: Value, at: Value) => g.op("Gather", [values, at]);
const running = (g: GraphBuilder, values: Value) => g.op("CumSum", [values, g.constant("int64", [0], [])]);
/** Not a division of one: ONNX Runtime makes a single division of that and a product, which rounds otherwise. */
const inverse = (g: GraphBuilder, value: Value) => g.op("Reciprocal", [value]);
const last = (g: GraphBuilder, values: Value) => pick(g, values, integer(g, -1));

const number = (g: GraphBuilder, value: number) => g.constant("float64", [value]);
const all = (g: GraphBuilder, values: Value) => g.op("ReduceSum", [values], { keepdims: { int: 1 } });

/** Values below 2 in the two parts of src/math/sum.ts, multiples of 2^-52 and of 2^-87. */
interface Parts {
  readonly coarse: Value;
  readonly fine: Value;
}

function partsOf(g: GraphBuilder, values: Value): Parts {
  const coarse = g.op("Sub", [g.op("Add", [values, one(g)]), one(g)]);
  const rest = g.op("Sub", [values, coarse]);
  return { coarse, fine: g.op("Sub", [g.op("Add", [rest, number(g, FINE)]), number(g, FINE)]) };
}

function sumOf(g: GraphBuilder, values: Value): Value {
  const { coarse, fine } = partsOf(g, values);
  return g.op("Add", [all(g, coarse), all(g, fine)]);
}

/** Whether a sum is not told yet: `tells` of src/math/sum.ts, with the scale that it was made at. bool [1] */
function untold(g: GraphBuilder, sum: Value, scale: Value): Value {
  const less = g.op("And", [g.op("Less", [sum, number(g, SMALL)]), g.op("Less", [scale, number(g, MOST)])]);
  const more = g.op("And", [g.op("GreaterOrEqual", [sum, number(g, 2)]), g.op("Less", [sum, number(g, Infinity)])]);
  return g.op("Or", [less, more]);
}

/** As `mass` of src/math/distribution.ts. [1] */
function mass(g: GraphBuilder, values: Value): Value {
  const first = sumOf(g, values);
  const scalar: Result = { type: "float64", shape: [1] };
  const closer = (g: GraphBuilder): Value[] => {
    const [sum, scale] = g.loop(
      integer(g, 2000),
      [{ ...scalar, start: first }, { ...scalar, start: one(g) }],
      (g, _, [sum, scale]) => {
        const up = g.op("Where", [g.op("Less", [sum, number(g, 2 ** -66)]), number(g, 2 ** 64), number(g, 2 ** 19)]);
        const step = g.op("Where", [g.op("GreaterOrEqual", [sum, number(g, 2)]), number(g, 2 ** -19), up]);
        const next = g.op("Min", [g.op("Mul", [scale, step]), number(g, MOST)]);
        const scaled = sumOf(g, g.op("Mul", [values, next]));
        return { goOn: untold(g, scaled, next), values: [scaled, next] };
      },
    );
    return [g.op("Div", [sum, scale])];
  };
  const [sum] = g.choose(untold(g, first, one(g)), [scalar], (g) => {
    const most = g.op("ReduceMax", [values], { keepdims: { int: 1 } });
    return g.choose(g.op("Greater", [most, zero(g)]), [scalar], closer, () => [first]); // of nothing but 0 the sum is 0
  }, () => [first]);
  return sum;
}

/** Values with this sum: what they are multiplied by until it is 1, which is 1 where it is so already. */
export function raw(g: GraphBuilder, values: Value): Raw {
  const sum = mass(g, values);
  const off = g.op("Abs", [g.op("Sub", [sum, one(g)])]);
  const lift = g.op("Where", [g.op("Less", [sum, number(g, LOW)]), number(g, LIFT), one(g)]);
  const factor = inverse(g, g.op("Mul", [sum, lift]));
  const near = g.op("LessOrEqual", [off, number(g, ROUNDING)]);
  return { values, sum, lift, factor: g.op("Where", [near, one(g), factor]) };
}

/** All of a distribution. Mostly there is nothing to lift, and one product less. */
export function whole(g: GraphBuilder, { values, lift, factor }: Raw): Value {
  const [made] = g.choose(
    g.op("Equal", [lift, one(g)]),
    [VECTOR],
    (g) => [g.op("Mul", [values, factor])],
    (g) => [g.op("Mul", [g.op("Mul", [values, lift]), factor])],
  );
  return made;
}

export const at = (g: GraphBuilder, { values, lift, factor }: Raw, token: Value) =>
  g.op("Mul", [g.op("Mul", [pick(g, values, token), lift]), factor]);

/** The target's row: to float64, scaled by its sum as `widened` of src/math/distribution.ts does. It sums to 1 then. */
export function target(g: GraphBuilder): Raw {
  g.input(RULE_FEEDS.row, "float32", ["V"]);
  const values = g.op("Cast", [RULE_FEEDS.row], { to: { int: DATA_TYPE.float64 } });
  const sum = mass(g, values);
  return { values, sum, lift: one(g), factor: inverse(g, sum) };
}

/** Tokens of a block that is skipped or searched as a whole. */
const BLOCK = 256;

/**
 * The token that `u` [1] draws in proportion to `weights` [V], as UniformChance does: the first whose running sum
 * exceeds u·sum. Both parts of a sum are exact, so whole blocks may be skipped. The weights sum to about 1.
 */
export function draw(g: GraphBuilder, weights: Value, u: Value, vocab: number): Value {
  const missing = (BLOCK - vocab % BLOCK) % BLOCK;
  const padding = g.constant("int64", [0, missing]);
  const parts = partsOf(g, missing === 0 ? weights : g.op("Pad", [weights, padding, zero(g)]));
  const blocks = [parts.coarse, parts.fine].map((part) => g.op("Reshape", [part, g.constant("int64", [-1, BLOCK])]));
  const reached = blocks.map((part) => running(g, g.op("ReduceSum", [part, integer(g, 1)], { keepdims: { int: 0 } })));
  const ends = g.op("Add", reached);
  const target = g.op("Mul", [u, last(g, ends)]);
  const beyond = g.op("Greater", [ends, target]);
  const position = (g: GraphBuilder, flags: Value, fromEnd: number) =>
    g.op("ArgMax", [g.op("Cast", [flags], { to: { int: DATA_TYPE.uint8 } })], {
      axis: { int: 0 },
      keepdims: { int: 1 },
      select_last_index: { int: fromEnd },
    });
  const [token] = g.choose(
    last(g, beyond),
    [TOKEN],
    (g) => {
      const block = position(g, beyond, 0);
      const sums = blocks.map((part, i) => {
        const start = pick(g, g.op("Concat", [zero(g), reached[i]], { axis: { int: 0 } }), block);
        const inside = g.op("Reshape", [pick(g, part, block), integer(g, BLOCK)]);
        return g.op("Add", [running(g, inside), start]);
      });
      const first = position(g, g.op("Greater", [g.op("Add", sums), target]), 0);
      return [g.op("Add", [g.op("Mul", [block, integer(g, BLOCK)]), first])];
    },
    // At the upper end of the range u·sum may be the whole sum: the last token that can be drawn.
    (g) => [position(g, g.op("Greater", [g.op("Add", [parts.coarse, parts.fine]), zero(g)]), 1)],
  );
  return token;
}

/** Whether a token is kept: `u` below min(1, p/q), never where p is 0. bool [1] */
export function keeps(g: GraphBuilder, p: Value, q: Value, u: Value): Value {
  const possible = g.op("Greater", [p, zero(g)]);
  const sure = g.op("Or", [g.op("GreaterOrEqual", [p, q]), g.op("GreaterOrEqual", [g.op("Div", [p, q]), one(g)])]);
  return g.op("And", [possible, g.op("Or", [sure, g.op("Less", [u, g.op("Div", [p, q])])])]);
}

/** norm(max(p − q, 0)), or p where nothing is left. */
export function residual(g: GraphBuilder, p: Value, q: Value): Value {
  return renormalised(g, g.op("Max", [g.op("Sub", [p, q]), zero(g)]), p);
}

/** `values`, made to sum to 1, or `otherwise` where they are all 0. */
export function renormalised(g: GraphBuilder, values: Value, otherwise: Value): Value {
  const left = raw(g, values);
  const [owed] = g.choose(g.op("Greater", [left.sum, zero(g)]), [VECTOR], (g) => [whole(g, left)], () => [otherwise]);
  return owed;
}

export function results(g: GraphBuilder, values: Partial<Record<keyof typeof RULE_RESULTS, Value>>): void {
  const types = {
    token: TOKEN,
    used: TOKEN,
    sums: { type: "float64", shape: ["s"] },
    likely: { type: "float64", shape: ["n"] },
  } as const;
  for (const [name, value] of Object.entries(values)) {
    const { type, shape } = types[name as keyof typeof types];
    g.output(g.op("Identity", [value], {}, name), type, shape);
  }
}

export const sums = (g: GraphBuilder, p: Raw, q: Raw) => g.op("Concat", [p.sum, q.sum], { axis: { int: 0 } });

/** Nothing was drafted: the target draws for itself. */
export function drawGraph(g: GraphBuilder, vocab: number): void {
  const p = target(g);
  g.input(RULE_FEEDS.uniforms, "float64", ["u"]);
  const token = draw(g, whole(g, p), pick(g, RULE_FEEDS.uniforms, integer(g, 0)), vocab);
  results(g, { token, used: integer(g, 1), sums: sums(g, p, p) });
}
