// What is known of a template before it runs, as Jinja's compiler knows it: filters and tests that do not exist, breaks
// outside of loops, which names a scope leaves undefined until it sets them, and which variables are read from outside.
import { match, P } from "ts-pattern";
import { FILTERS } from "./filters.ts";
import { TemplateError } from "./meter.ts";
import type { Body, CallArguments, Expression, Statement, Target } from "./nodes.ts";
import { TESTS } from "./tests.ts";

export interface Analysis {
  /**
   * Names that a scope sets before it reads them, and that no scope around it knows. They are undefined from the
   * beginning of the scope on, also for what is inside and stands before the `set`, whatever was given from outside.
   */
  readonly later: ReadonlyMap<Body, readonly string[]>;
  /** Names that are read from outside, in the order in which they are first read. */
  readonly reads: ReadonlySet<string>;
}

interface Frame {
  /** Names that this scope or one around it knows. */
  readonly known: Set<string>;
  readonly later: Set<string>;
  /** Scopes inside, to be looked at when this one is done. */
  readonly inside: ((around: Frame) => void)[];
  /** Inside an `if`: unknown filters matter where they are reached. */
  readonly soft: boolean;
  /** In a branch of an `if`: what is set here may be unset behind it. */
  readonly branch: boolean;
  readonly around: ReadonlySet<string>;
  readonly inLoop: boolean;
}

/** A filter or test that does not exist. */
class Unknown extends TemplateError {}

/** `isFolded`: whether an expression is computed in advance, so that nobody looks for what it did not come across. */
export function analyse(template: Body, isFolded: (expression: Expression) => boolean): Analysis {
  const analysis = new Analyser(isFolded);
  analysis.scope(template, new Set(), [], false);
  return analysis;
}

class Analyser implements Analysis {
  readonly later = new Map<Body, readonly string[]>();
  readonly reads = new Set<string>();

  constructor(private readonly isFolded: (expression: Expression) => boolean) {}

  scope(body: Body, around: ReadonlySet<string>, parameters: readonly string[], inLoop: boolean): void {
    const frame = this.#frame(around, parameters, inLoop);
    this.#statements(body, frame);
    this.#finish(body, frame);
  }

  #frame(around: ReadonlySet<string>, parameters: readonly string[], inLoop: boolean): Frame {
    const known = new Set(parameters);
    return { known, later: new Set(), inside: [], soft: false, branch: false, around, inLoop };
  }

  #finish(body: Body, frame: Frame): void {
    if (frame.later.size > 0) this.later.set(body, [...frame.later]);
    for (const inner of frame.inside) inner(frame);
  }

  #load(name: string, { known, around }: Frame): void {
    if (known.has(name) || around.has(name)) return;
    known.add(name);
    this.reads.add(name);
  }

  #store(name: string, { known, around, later, branch }: Frame): void {
    if (!known.has(name) && !around.has(name) && !branch) later.add(name);
    known.add(name);
  }

  #target(target: Target, frame: Frame): void {
    if (target.type === "name") this.#store(target.name, frame);
    else if (target.type === "member") this.#load(target.name, frame);
    else for (const item of target.items) this.#target(item, frame);
  }

  #statements({ statements }: Body, frame: Frame): void {
    for (const statement of statements) this.#statement(statement, frame);
  }

  /** Looks at a scope inside when all names of this one are known. */
  #inside(
    frame: Frame,
    body: Body,
    parameters: readonly string[],
    inLoop: boolean,
    also: readonly Expression[] = [],
  ): void {
    frame.inside.push((outer) => {
      const inner = this.#frame(new Set([...outer.around, ...outer.known]), parameters, inLoop);
      for (const expression of also) this.#expression(expression, inner);
      this.#statements(body, inner);
      this.#finish(body, inner);
    });
  }

  #statement(statement: Statement, frame: Frame): void {
    match(statement)
      .with({ type: "output" }, ({ items }) => {
        for (const item of items) if (typeof item !== "string") this.#expression(item, frame);
      })
      .with({ type: "for" }, ({ target, iterable, test, body, otherwise, recursive }) => {
        this.#expression(iterable, frame);
        if (setsLoop(target) || bodySetsLoop(body) || bodySetsLoop(otherwise)) {
          throw new TemplateError("Can't assign to special loop variable in for-loop target");
        }
        const names = namesOf(target);
        if (test) this.#inside(frame, { statements: [] }, names, false, [test]);
        this.#inside(frame, body, [...names, "loop"], true);
        this.#inside(frame, otherwise, [], frame.inLoop && !recursive);
      })
      .with({ type: "if" }, (choice) => {
        const branches: Set<string>[] = [];
        for (const { test, body } of choice.branches) {
          this.#expression(test, { ...frame, soft: true });
          branches.push(this.#branch(body, frame));
        }
        branches.push(this.#branch(choice.otherwise, frame));
        for (const names of branches) for (const name of names) frame.known.add(name);
      })
      .with({ type: "set" }, ({ value, target }) => {
        this.#expression(value, frame);
        this.#target(target, frame);
      })
      .with({ type: "set block" }, ({ target, body, filter }) => {
        this.#target(target, frame);
        this.#inside(frame, body, [], frame.inLoop, filter ? [filter] : []);
      })
      .with({ type: "with" }, ({ pairs, body }) => {
        for (const [, value] of pairs) this.#expression(value, frame);
        this.#inside(frame, body, pairs.flatMap(([target]) => namesOf(target)), frame.inLoop);
      })
      .with({ type: "macro" }, (macro) => {
        this.#store(macro.name, frame);
        this.#macro(frame, macro);
      })
      .with({ type: "call block" }, (block) => {
        this.#expression(block.call, frame);
        this.#macro(frame, block);
      })
      .with({ type: "filter block" }, ({ filter, body }) => {
        this.#expression(filter, { ...frame, soft: false });
        this.#inside(frame, body, [], frame.inLoop);
      })
      .with({ type: "scope" }, ({ body, isCall }) => this.#inside(frame, body, [], frame.inLoop && !isCall))
      .with({ type: "block", scoped: true }, ({ body }) => this.#inside(frame, body, [], false))
      .with({ type: "block" }, ({ body }) => {
        frame.inside.push(() => this.scope(body, new Set(), [], false));
      })
      .with({ type: P.union("break", "continue") }, ({ type }) => {
        if (!frame.inLoop) throw new TemplateError(`'${type}' outside loop`);
      })
      .with({ type: "impossible" }, () => {})
      .exhaustive();
  }

  #macro(
    frame: Frame,
    { signature, body }: { signature: { parameters: readonly string[]; defaults: readonly Expression[] }; body: Body },
  ): void {
    const special = ["caller", "kwargs", "varargs"];
    this.#inside(frame, body, [...signature.parameters, ...special], false, signature.defaults);
  }

  #branch(body: Body, frame: Frame): Set<string> {
    const known = new Set(frame.known);
    this.#statements(body, { ...frame, known, soft: true, branch: true });
    return known;
  }

  #expression(expression: Expression, frame: Frame): void {
    try {
      this.#look(expression, frame);
    } catch (error) {
      if (!(error instanceof Unknown) || !this.isFolded(expression)) throw error;
    }
  }

  #look(expression: Expression, frame: Frame): void {
    const each = (items: readonly (Expression | undefined)[], inner = frame) => {
      for (const item of items) if (item) this.#expression(item, inner);
    };
    const args = ({ positional, named, spread, spreadNamed }: CallArguments) => {
      each([...positional, ...named.map(({ value }) => value), spread, spreadNamed]);
    };
    match(expression)
      .with({ type: "constant" }, () => {})
      .with({ type: "name" }, ({ name }) => this.#load(name, frame))
      .with({ type: P.union("tuple", "list", "concat") }, ({ items }) => each(items))
      .with({ type: "dict" }, ({ pairs }) => each(pairs.flat()))
      .with({ type: P.union("not", "minus", "plus") }, ({ operand }) => each([operand]))
      .with({ type: P.union("and", "or", "arithmetic") }, ({ left, right }) => each([left, right]))
      .with({ type: "compare" }, ({ first, others }) => each([first, ...others.map(({ operand }) => operand)]))
      .with({ type: "choice" }, ({ test, yes, no }) => each([test, yes, no], { ...frame, soft: true }))
      .with({ type: "attribute" }, ({ object }) => each([object]))
      .with({ type: "item" }, ({ object, index }) => each([object, index]))
      .with({ type: "slice" }, ({ object, start, stop, step }) => each([object, start, stop, step]))
      .with({ type: "call" }, (call) => {
        each([call.callee]);
        args(call.args);
      })
      .with({ type: P.union("filter", "test") }, (applied) => {
        const { type, name, input } = applied;
        const known = type === "filter"
          ? Object.hasOwn(FILTERS, name)
          : Object.hasOwn(TESTS, name) || name === "filter" || name === "test";
        if (!known && !frame.soft) throw new Unknown(`No ${type} named '${name.slice(0, 80)}'.`);
        each([input]);
        args(applied.args);
      })
      .exhaustive();
  }
}

export function namesOf(target: Target): string[] {
  if (target.type === "targets") return target.items.flatMap(namesOf);
  return target.type === "name" ? [target.name] : [];
}

function setsLoop(target: Target): boolean {
  return namesOf(target).includes("loop");
}

/** Anywhere inside. */
function bodySetsLoop({ statements }: Body): boolean {
  return statements.some((statement) =>
    match(statement)
      .with({ type: "set" }, ({ target }) => setsLoop(target))
      .with({ type: "set block" }, ({ target, body }) => setsLoop(target) || bodySetsLoop(body))
      .with(
        { type: "for" },
        ({ target, body, otherwise }) => setsLoop(target) || bodySetsLoop(body) || bodySetsLoop(otherwise),
      )
      .with(
        { type: "if" },
        ({ branches, otherwise }) => branches.some(({ body }) => bodySetsLoop(body)) || bodySetsLoop(otherwise),
      )
      .with(
        { type: P.union("with", "macro", "call block", "filter block", "scope", "block") },
        ({ body }) => bodySetsLoop(body),
      )
      .otherwise(() => false)
  );
}
