// HTML in a template: the filters `escape` and `safe` make Markup, and whatever is put into Markup is escaped.
import type { Method } from "./strings.ts";
import type { Meter } from "./meter.ts";
import { cut, glue, isStr, plain, type Str } from "./text.ts";
import { type Arguments, Callable, List, Markup, Tuple, type Value } from "./values.ts";
import { show } from "./show.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&#39;",
  '"': "&#34;",
};

export function escaped(meter: Meter, value: Value): Markup {
  if (value instanceof Markup) return value;
  const text = show(meter, value);
  const whole = plain(text);
  const parts: Str[] = [];
  let at = 0, size = 0;
  for (const found of whole.matchAll(/[&<>'"]/g)) {
    meter.letters(2);
    parts.push(cut(text, at, found.index), ENTITIES[found[0]]);
    meter.text(size += found.index - at + 5);
    at = found.index + 1;
  }
  parts.push(cut(text, at, whole.length));
  meter.text(size + whole.length - at);
  return new Markup(glue(parts));
}

/** Methods that only look. */
const LOOKS = /^(?:count|r?find|r?index|endswith|startswith|is\w+)$/;

/** `methods`: those of the text that it is. */
export function methodOfMarkup(
  meter: Meter,
  self: Markup,
  name: string,
  methods: Readonly<Record<string, Method>>,
): Callable | undefined {
  if (!Object.hasOwn(methods, name)) return undefined;
  return Callable.method("Markup", name, (args) => {
    if (LOOKS.test(name)) return methods[name](meter, self.text, args);
    const inside = (value: Value): Value => {
      if (value instanceof Markup) return value.text;
      if (isStr(value)) return escaped(meter, value).text;
      if (value instanceof List || value instanceof Tuple) return new List(value.items.map(inside));
      return value;
    };
    const all: Arguments = {
      positional: args.positional.map(inside),
      named: new Map([...args.named].map(([key, value]) => [key, inside(value)])),
    };
    return marked(methods[name](meter, self.text, all));
  });
}

function marked(value: Value): Value {
  if (isStr(value)) return new Markup(value);
  if (value instanceof List) return new List(value.items.map(marked));
  return value instanceof Tuple ? new Tuple(value.items.map(marked)) : value;
}
