// What stands behind a bar, second part: lists and mappings. What Jinja computes as it is asked for is an `Iter` here.
import { item, ownAttribute } from "./access.ts";
import { bind, needInt, needPlain } from "./bind.ts";
import { callFilter, callTest, type Filter, type Filters } from "./calls.ts";
import { equal, iterate, listed, order, sorted } from "./compare.ts";
import { type Meter, TemplateError } from "./meter.ts";
import { operate } from "./operate.ts";
import { show } from "./show.ts";
import { joined } from "./strings.ts";
import { isStr, letters, like, plain } from "./text.ts";
import {
  type Arguments,
  Dict,
  hash,
  Iter,
  List,
  Markup,
  textOf,
  truth,
  Tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

/** Looks up `a.b.0` in a value; where `fallback` is given, it stands for what is not there. */
function getter(meter: Meter, path: Value, fallback: Value = null): (value: Value) => Value {
  const text = textOf(path);
  const steps: Value[] = path === null
    ? []
    : text === undefined
    ? [path]
    : plain(text).split(".").map((part): Value => /^\d+$/.test(part) ? BigInt(part) : part);
  return (value) => {
    for (const step of steps) {
      value = item(meter, value, step);
      if (fallback !== null && value instanceof Undefined) value = fallback;
    }
    return value;
  };
}

/** What values are sorted and grouped by. */
function keyOf(meter: Meter, path: Value, caseSensitive: Value, fallback: Value = null): (value: Value) => Value {
  const get = getter(meter, path, fallback);
  return (value) => folded(meter, get(value), caseSensitive);
}

function folded(meter: Meter, value: Value, caseSensitive: Value): Value {
  const text = textOf(value);
  if (truth(caseSensitive) || text === undefined) return value;
  meter.text(3 * plain(text).length);
  return like(text, plain(text).toLowerCase());
}

const REVERSED: Readonly<Record<string, string>> = {
  list: "list_reverseiterator",
  range: "range_iterator",
  dict: "dict_reversekeyiterator",
  dict_keys: "dict_reversekeyiterator",
  dict_values: "dict_reversevalueiterator",
  dict_items: "dict_reverseitemiterator",
};

function lazy(name: string, make: () => Generator<Value>): Iter {
  return new Iter(make(), `generator object ${name}`);
}

/** `select`, `reject` and those of attributes: by a test, or by truth. */
const selecting = (all: () => Filters, wanted: boolean, byAttribute: boolean): Filter => (meter, value, args) =>
  lazy("select_or_reject", function* () {
    if (!truth(value)) return;
    if (byAttribute && args.positional.length === 0) throw new TemplateError("Missing parameter for attribute name");
    const get = byAttribute ? getter(meter, args.positional[0]) : (value: Value) => value;
    const [name, ...rest] = args.positional.slice(byAttribute ? 1 : 0);
    const more: Arguments = { positional: rest, named: args.named };
    for (const each of iterate(meter, value)) {
      const found = get(each);
      const good = name === undefined ? truth(found) : callTest(all(), meter, needPlain("test", name), found, more);
      if (good === wanted) yield each;
    }
  });

const extreme = (name: "min" | "max"): Filter => (meter, value, args) => {
  const [caseSensitive = false, path = null] = bind(name, args, ["case_sensitive", "attribute"]);
  const key = keyOf(meter, path, caseSensitive);
  let best: { value: Value; key: Value } | undefined;
  for (const each of iterate(meter, value)) {
    const own = key(each);
    const sign = best === undefined
      ? 0
      : name === "min"
      ? order(meter, own, best.key, "<")
      : order(meter, best.key, own, ">");
    if (best === undefined || (sign !== undefined && sign < 0)) best = { value: each, key: own };
  }
  return best === undefined ? new Undefined("No aggregated item, sequence was empty.") : best.value;
};

/** `all`: every filter there is, for those that call others by name. */
export const listFilters = (all: () => Filters): Filters => ({
  list: (meter, value, args) => {
    bind("list", args, []);
    return new List(listed(meter, value));
  },
  first: (meter, value, args) => {
    bind("first", args, []);
    for (const each of iterate(meter, value)) return each;
    return new Undefined("No first item, sequence was empty.");
  },
  last: (meter, value, args) => {
    bind("last", args, []);
    if (value instanceof Iter) throw new TemplateError("'generator' object is not reversible");
    let last: Value = new Undefined("No last item, sequence was empty.");
    for (const each of iterate(meter, value)) last = each;
    return last;
  },
  items: (meter, value, args) => {
    bind("items", args, []);
    return lazy("do_items", function* () {
      if (value instanceof Undefined) return;
      if (!(value instanceof Dict)) throw new TemplateError("Can only get item pairs from a mapping.");
      yield* iterate(meter, new View("items", value));
    });
  },
  dictsort: (meter, value, args) => {
    const parameters = ["case_sensitive", "by", "reverse"];
    const [caseSensitive = false, by = "key", reverse = false] = bind("dictsort", args, parameters);
    const part = ["key", "value"].indexOf(needPlain("dictsort", by));
    if (part < 0) throw new TemplateError('You can only sort by either "key" or "value"');
    if (!(value instanceof Dict)) throw new TemplateError(`'${typeName(value)}' object has no attribute 'items'`);
    const pairs = listed(meter, new View("items", value));
    const key = (pair: Value) => folded(meter, (pair as Tuple).items[part], caseSensitive);
    return new List(sorted(meter, pairs, key, truth(reverse)));
  },
  sort: (meter, value, args) => {
    const parameters = ["reverse", "case_sensitive", "attribute"];
    const [reverse = false, caseSensitive = false, path = null] = bind("sort", args, parameters);
    const text = textOf(path);
    const keys = (text === undefined ? [path] : plain(text).split(",")).map((path) =>
      keyOf(meter, path, caseSensitive)
    );
    return new List(
      sorted(meter, listed(meter, value), (value) => new List(keys.map((key) => key(value))), truth(reverse)),
    );
  },
  unique: (meter, value, args) => {
    const [caseSensitive = false, path = null] = bind("unique", args, ["case_sensitive", "attribute"]);
    const key = keyOf(meter, path, caseSensitive);
    return lazy("sync_do_unique", function* () {
      const seen = new Set<string>();
      for (const each of iterate(meter, value)) {
        const name = hash(key(each));
        meter.spend(4 + name.length / 32);
        if (seen.has(name)) continue;
        seen.add(name);
        yield each;
      }
    });
  },
  min: extreme("min"),
  max: extreme("max"),
  sum: (meter, value, args) => {
    const [path = null, start = 0n] = bind("sum", args, ["attribute", "start"]);
    if (textOf(start) !== undefined) throw new TemplateError("sum() can't sum strings");
    const get = getter(meter, path);
    let sum = start;
    for (const each of iterate(meter, value)) sum = operate(meter, "+", sum, get(each));
    return sum;
  },
  join: (meter, value, args) => {
    const [between = "", path = null] = bind("join", args, ["d", "attribute"]);
    const get = getter(meter, path);
    return joined(meter, show(meter, between), iterate(meter, value), (each) => show(meter, get(each)));
  },
  reverse: (meter, value, args) => {
    bind("reverse", args, []);
    const text = textOf(value);
    if (text !== undefined) {
      const back = joined(meter, "", letters(meter, text).reverse(), (letter) => textOf(letter)!);
      return isStr(value) ? back : new Markup(back);
    }
    if (value instanceof Iter) return new List(listed(meter, value).reverse());
    const items = listed(meter, value).reverse();
    return new Iter(items.values(), `${REVERSED[typeName(value)] ?? "reversed"} object`);
  },
  batch: (meter, value, args) => {
    const [count, filler = null] = bind("batch", args, ["linecount", "fill_with"], 1);
    return lazy("do_batch", function* () {
      const size = typeof count === "number" ? count : needInt("batch", count, 1);
      let row: Value[] = [];
      for (const each of iterate(meter, value)) {
        if (row.length === size) {
          yield new List(row);
          row = [];
        }
        row.push(each);
      }
      if (row.length === 0) return;
      if (filler !== null && row.length < size) {
        meter.items(size);
        while (row.length < size) row.push(filler);
      }
      yield new List(row);
    });
  },
  slice: (meter, value, args) => {
    const [count, filler = null] = bind("slice", args, ["slices", "fill_with"], 1);
    return lazy("sync_do_slice", function* () {
      const all = listed(meter, value);
      const parts = needInt("slice", count, 1);
      if (parts === 0) throw new TemplateError("integer division or modulo by zero");
      const each = Math.floor(all.length / parts), longer = all.length - each * parts;
      for (let i = 0, at = 0; i < parts; i++) {
        meter.spend(1);
        const end = at + each + (i < longer ? 1 : 0);
        const row = all.slice(at, end);
        if (filler !== null && i >= longer) row.push(filler);
        yield new List(row);
        at = end;
      }
    });
  },
  groupby: (meter, value, args) => {
    const parameters = ["attribute", "default", "case_sensitive"];
    const [path, fallback = null, caseSensitive = false] = bind("groupby", args, parameters, 1);
    const key = keyOf(meter, path!, caseSensitive, fallback);
    const own = getter(meter, path!, fallback);
    const groups: { key: Value; values: Value[] }[] = [];
    for (const each of sorted(meter, listed(meter, value), key, false)) {
      const last = groups[groups.length - 1];
      const name = key(each);
      if (last !== undefined && equal(meter, last.key, name)) last.values.push(each);
      else groups.push({ key: name, values: [each] });
    }
    const shown = ({ key, values }: typeof groups[number]) => truth(caseSensitive) ? key : own(values[0]);
    return new List(groups.map((group) => new Tuple([shown(group), new List(group.values)], ["grouper", "list"])));
  },
  map: (meter, value, args) =>
    lazy("sync_do_map", function* () {
      if (!truth(value)) return;
      const change = mapping(all, meter, args);
      for (const each of iterate(meter, value)) yield change(each);
    }),
  select: selecting(all, true, false),
  reject: selecting(all, false, false),
  selectattr: selecting(all, true, true),
  rejectattr: selecting(all, false, true),
  attr: (meter, value, args) => {
    const [name] = bind("attr", args, ["name"], 1);
    if (value instanceof Undefined) throw new TemplateError(value.message);
    const text = needPlain("attr", name);
    return ownAttribute(meter, value, text) ?? new Undefined(`'${typeName(value)} object' has no attribute '${text}'`);
  },
});

function mapping(all: () => Filters, meter: Meter, args: Arguments): (value: Value) => Value {
  const path = args.named.get("attribute");
  if (args.positional.length === 0 && path !== undefined) {
    const other = [...args.named.keys()].find((name) => name !== "attribute" && name !== "default");
    if (other !== undefined) throw new TemplateError(`Unexpected keyword argument '${other}'`);
    return getter(meter, path, args.named.get("default"));
  }
  if (args.positional.length === 0) throw new TemplateError("map requires a filter argument");
  const [name, ...rest] = args.positional;
  return (value) => callFilter(all(), meter, needPlain("map", name), value, { positional: rest, named: args.named });
}
