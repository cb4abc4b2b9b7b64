// What a template is parsed to.
import type { Value } from "./values.ts";

export interface CallArguments {
  readonly positional: readonly Expression[];
  readonly named: readonly { readonly name: string; readonly value: Expression }[];
  /** `*list` and `**mapping`. */
  readonly spread?: Expression;
  readonly spreadNamed?: Expression;
}

export type Arithmetic = "+" | "-" | "*" | "/" | "//" | "%" | "**";
export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";

export type Expression =
  | { readonly type: "constant"; readonly value: Value }
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "tuple" | "list" | "concat"; readonly items: readonly Expression[] }
  | { readonly type: "dict"; readonly pairs: readonly (readonly [Expression, Expression])[] }
  | { readonly type: "not" | "minus" | "plus"; readonly operand: Expression }
  | { readonly type: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | {
    readonly type: "arithmetic";
    readonly operator: Arithmetic;
    readonly left: Expression;
    readonly right: Expression;
  }
  | {
    readonly type: "compare";
    readonly first: Expression;
    readonly others: readonly { readonly operator: Comparison; readonly operand: Expression }[];
  }
  | { readonly type: "choice"; readonly test: Expression; readonly yes: Expression; readonly no?: Expression }
  | { readonly type: "attribute"; readonly object: Expression; readonly name: string }
  | { readonly type: "item"; readonly object: Expression; readonly index: Expression }
  | {
    readonly type: "slice";
    readonly object: Expression;
    readonly start?: Expression;
    readonly stop?: Expression;
    readonly step?: Expression;
  }
  | { readonly type: "call"; readonly callee: Expression; readonly args: CallArguments }
  | {
    readonly type: "filter" | "test";
    /** Absent for the first filter of a block. */
    readonly input?: Expression;
    readonly name: string;
    readonly args: CallArguments;
  };

/** What can be assigned to. */
export type Target =
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "member"; readonly name: string; readonly attribute: string }
  | { readonly type: "targets"; readonly items: readonly Target[] };

export interface Signature {
  readonly parameters: readonly string[];
  /** Of the last parameters. */
  readonly defaults: readonly Expression[];
}

export interface For {
  readonly type: "for";
  readonly target: Target;
  readonly iterable: Expression;
  readonly test?: Expression;
  readonly recursive: boolean;
  readonly body: Body;
  readonly otherwise: Body;
}

export type Statement =
  | { readonly type: "output"; readonly items: readonly (string | Expression)[] }
  | For
  | {
    readonly type: "if";
    readonly branches: readonly { readonly test: Expression; readonly body: Body }[];
    readonly otherwise: Body;
  }
  | { readonly type: "set"; readonly target: Target; readonly value: Expression }
  | { readonly type: "set block"; readonly target: Target; readonly filter?: Expression; readonly body: Body }
  | { readonly type: "with"; readonly pairs: readonly (readonly [Target, Expression])[]; readonly body: Body }
  | { readonly type: "macro"; readonly name: string; readonly signature: Signature; readonly body: Body }
  | { readonly type: "call block"; readonly signature: Signature; readonly call: Expression; readonly body: Body }
  | { readonly type: "filter block"; readonly filter: Expression; readonly body: Body }
  /** `generation` and `autoescape false`: nothing but a scope. */
  | { readonly type: "scope"; readonly isCall: boolean; readonly body: Body }
  | { readonly type: "block"; readonly name: string; readonly scoped: boolean; readonly body: Body }
  | { readonly type: "break" | "continue" }
  /** What only fails where it is reached. */
  | { readonly type: "impossible"; readonly message: string };

/** Statements with a scope of their own, but for those of `if`. */
export interface Body {
  readonly statements: readonly Statement[];
}
