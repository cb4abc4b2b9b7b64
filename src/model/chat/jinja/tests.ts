// What stands behind `is`.
import { bind } from "./bind.ts";
import { contains, elements, equal, length } from "./compare.ts";
import { CLASSES } from "./letters.ts";
import type { Meter } from "./meter.ts";
import { compare, operate } from "./operate.ts";
import type { Comparison } from "./nodes.ts";
import { show } from "./show.ts";
import { plain } from "./text.ts";
import {
  type Arguments,
  Callable,
  Dict,
  Iter,
  Markup,
  numberOf,
  textOf,
  Thing,
  Undefined,
  type Value,
  View,
} from "./values.ts";

type Test = (meter: Meter, value: Value, args: Arguments) => boolean;

const plainTest = (name: string, test: (value: Value, meter: Meter) => boolean): Test => (meter, value, args) => {
  bind(name, args, []);
  return test(value, meter);
};

const comparison = (operator: Comparison): Test => (meter, value, args) => {
  const [other] = bind(operator, args, ["other"], 1);
  return compare(meter, operator, value, other!);
};

/** `value % by == wanted`. */
function rest(meter: Meter, value: Value, by: Value, wanted: bigint): boolean {
  return equal(meter, operate(meter, "%", value, by), wanted);
}

const isInt = (value: Value) => typeof value === "bigint";

export const TESTS: Readonly<Record<string, Test>> = {
  odd: plainTest("odd", (value, meter) => rest(meter, value, 2n, 1n)),
  even: plainTest("even", (value, meter) => rest(meter, value, 2n, 0n)),
  divisibleby: (meter, value, args) => rest(meter, value, bind("divisibleby", args, ["num"], 1)[0]!, 0n),
  defined: plainTest("defined", (value) => !(value instanceof Undefined)),
  undefined: plainTest("undefined", (value) => value instanceof Undefined),
  none: plainTest("none", (value) => value === null),
  boolean: plainTest("boolean", (value) => typeof value === "boolean"),
  true: plainTest("true", (value) => value === true),
  false: plainTest("false", (value) => value === false),
  integer: plainTest("integer", isInt),
  float: plainTest("float", (value) => typeof value === "number"),
  number: plainTest("number", (value) => numberOf(value) !== undefined),
  string: plainTest("string", (value) => textOf(value) !== undefined),
  mapping: plainTest("mapping", (value) => value instanceof Dict),
  lower: plainTest("lower", (value, meter) => CLASSES.islower(plain(show(meter, value)))),
  upper: plainTest("upper", (value, meter) => CLASSES.isupper(plain(show(meter, value)))),
  iterable: plainTest("iterable", (value, meter) => elements(meter, value) !== undefined),
  sequence: plainTest(
    "sequence",
    (value, meter) =>
      !(value instanceof View || value instanceof Iter || value instanceof Thing) && length(meter, value) !== undefined,
  ),
  callable: plainTest("callable", isCallable),
  escaped: plainTest("escaped", (value) => value instanceof Markup),
  sameas: (_, value, args) => {
    const [other] = bind("sameas", args, ["other"], 1);
    const text = textOf(value), same = textOf(other!);
    if (text !== undefined && same !== undefined) return plain(text) === plain(same);
    return Object.is(value, other);
  },
  in: (meter, value, args) => contains(meter, bind("in", args, ["seq"], 1)[0]!, value),
  ...Object.fromEntries(
    ([["==", "eq", "equalto"], ["!=", "ne"], [">", "gt", "greaterthan"], [">=", "ge"], ["<", "lt", "lessthan"], [
      "<=",
      "le",
    ]] as const)
      .flatMap(([operator, ...names]) => [operator, ...names].map((name) => [name, comparison(operator)])),
  ),
};

function isCallable(value: Value): boolean {
  return value instanceof Callable || value instanceof Undefined || (value instanceof Thing && value.callable);
}
