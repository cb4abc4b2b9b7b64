// The functions that a template can call: Jinja's own, and those that transformers adds.
import { bind, needPlain } from "./bind.ts";
import { formatTime } from "../strftime.ts";
import { iterate, listed } from "./compare.ts";
import { BudgetError, LONGEST_RANGE, type Meter, TemplateError } from "./meter.ts";
import { show } from "./show.ts";
import { plain } from "./text.ts";
import {
  ADDRESS,
  type Arguments,
  Callable,
  Dict,
  intOf,
  Namespace,
  Range,
  Thing,
  typeName,
  type Value,
} from "./values.ts";

class Cycler extends Thing {
  #at = 0;

  constructor(private readonly items: readonly Value[]) {
    super();
  }

  readonly shown = `<jinja2.utils.Cycler object at ${ADDRESS}>`;

  #method(name: string): string {
    return `<bound method Cycler.${name} of ${this.shown}>`;
  }

  attribute(name: string): Value | undefined {
    if (name === "current") return this.items[this.#at];
    if (name === "reset") return new Callable(this.#method(name), () => (this.#at = 0, null));
    if (name !== "next") return undefined;
    return new Callable(this.#method(name), () => {
      const item = this.items[this.#at];
      this.#at = (this.#at + 1) % this.items.length;
      return item;
    });
  }
}

/** As dict(…). */
function dict(meter: Meter, { positional, named }: Arguments): Dict {
  if (positional.length > 1) throw new TemplateError(`dict expected at most 1 argument, got ${positional.length}`);
  const [from] = positional;
  const out = new Dict();
  if (from instanceof Dict) {
    meter.items(4 * from.size);
    for (const [key, value] of from.entries()) out.set(key, value);
  } else if (from !== undefined) {
    for (const pair of iterate(meter, from)) {
      const parts = listed(meter, pair);
      if (parts.length !== 2) throw new TemplateError("dictionary update sequence needs pairs");
      out.set(parts[0], parts[1]);
    }
  }
  for (const [name, value] of named) out.set(name, value);
  return out;
}

function range({ positional, named }: Arguments): Range {
  if (named.size > 0) throw new TemplateError("range() takes no keyword arguments");
  const bounds = positional.map((bound) => {
    const int = intOf(bound);
    if (int === undefined) throw new TemplateError(`'${typeName(bound)}' object cannot be interpreted as an integer`);
    return int;
  });
  if (bounds.length < 1 || bounds.length > 3) throw new TemplateError("range() takes one to three numbers");
  const [start, stop, step] = bounds.length === 1 ? [0n, bounds[0], 1n] : [bounds[0], bounds[1], bounds[2] ?? 1n];
  if (step === 0n) throw new TemplateError("range() arg 3 must not be zero");
  const made = new Range(start, stop, step);
  if (made.length > LONGEST_RANGE) throw new BudgetError(`asks for a range of ${made.length} numbers`);
  return made;
}

const SHOWN: Readonly<Record<string, string>> = {
  dict: "<class 'dict'>",
  namespace: "<class 'jinja2.utils.Namespace'>",
  cycler: "<class 'jinja2.utils.Cycler'>",
  joiner: "<class 'jinja2.utils.Joiner'>",
  range: `<function safe_range at ${ADDRESS}>`,
  lipsum: `<function generate_lorem_ipsum at ${ADDRESS}>`,
  raise_exception: `<function raise_exception at ${ADDRESS}>`,
  strftime_now: `<function strftime_now at ${ADDRESS}>`,
};

export const FUNCTIONS: readonly string[] = Object.keys(SHOWN);

/** The functions by name. `now`: what time `strftime_now` tells. */
export function functions(meter: Meter, now: () => Date): [string, Value][] {
  const all: Record<string, (args: Arguments) => Value> = {
    range,
    dict: (args) => dict(meter, args),
    namespace: (args) => new Namespace(dict(meter, args)),
    cycler: ({ positional }) => {
      if (positional.length === 0) throw new TemplateError("at least one item has to be provided");
      return new Cycler(positional);
    },
    joiner: (args) => {
      const [separator = ", "] = bind("joiner", args, ["sep"]);
      let used = false;
      return new Callable(`<jinja2.utils.Joiner object at ${ADDRESS}>`, () => {
        const given = used ? separator : "";
        used = true;
        return given;
      });
    },
    lipsum: () => {
      throw new TemplateError("lipsum() is not supported");
    },
    raise_exception: (args) => {
      const [message] = bind("raise_exception", args, ["message"], 1);
      throw new TemplateError(plain(show(meter, message!)));
    },
    strftime_now: (args) => {
      const [format] = bind("strftime_now", args, ["format"], 1);
      const text = needPlain("strftime_now", format);
      meter.text(64 * text.length);
      meter.letters(8 * text.length);
      return formatTime(now(), text);
    },
  };
  return Object.entries(all).map(([name, call]) => [name, new Callable(SHOWN[name], call)]);
}
