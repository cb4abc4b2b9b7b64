// What shells complete beside options: methods, backends, models. The lists cost time to make, so they are made only when
// a shell asks (see completion.ts) and are empty otherwise.
import type { Suggestion } from "@optique/core/parser";
import { string, type ValueParser } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import type { Methods } from "../../src/plugins/plugin.ts";

export interface Lists {
  /** Names by kind; with a colon behind those that need an argument, which is a file. */
  readonly methods: Readonly<Partial<Record<keyof Methods, readonly string[]>>>;
  readonly backends: readonly string[];
  readonly models: readonly string[];
  readonly stores: readonly string[];
}

let lists: Lists = { methods: {}, backends: [], models: [], stores: [] };

export function setLists(found: Lists): void {
  lists = found;
}

type Text = ValueParser<"sync", string>;

/** A method of a kind, as in `--drafter METHOD`. */
export function methodParser(kind: keyof Methods, metavar: "METHOD" | "RULE" = "METHOD"): Text {
  return {
    ...string({ metavar }),
    *suggest(prefix) {
      const names = lists.methods[kind] ?? [];
      yield* literals(names, prefix);
      const opened = names.find((name) => name.endsWith(":") && prefix.startsWith(name));
      if (opened !== undefined) yield { kind: "file", pattern: prefix, prefix: opened, type: "any" };
    },
  };
}

export function backendParser(): Text {
  return {
    ...string({ metavar: "NAME" }),
    *suggest(prefix) {
      yield* literals(lists.backends, prefix);
    },
  };
}

/** The name of a store, which may be a new one. */
export function storeParser(): Text {
  return {
    ...string({ metavar: "NAME" }),
    *suggest(prefix) {
      yield* literals(lists.stores, prefix);
    },
  };
}

/** The name or the path of a model. */
export function modelParser(metavar: "FILE" | "MODEL"): Text {
  const file = path({ metavar });
  return {
    ...file,
    *suggest(prefix) {
      yield* literals(lists.models, prefix);
      yield* file.suggest?.(prefix) ?? [];
    },
  };
}

function* literals(names: readonly string[], prefix: string): Generator<Suggestion> {
  for (const text of names) if (text.startsWith(prefix)) yield { kind: "literal", text };
}
