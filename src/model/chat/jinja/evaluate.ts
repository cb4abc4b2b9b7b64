// Runs a parsed template. Everything that it does is paid for at the meter: each node, and what each operation looks at
// or makes.
import { type Analysis, namesOf } from "./analysis.ts";
import { attribute, item, slice, Unsliceable } from "./access.ts";
import { iterate, listed } from "./compare.ts";
import { callFilter, callTest } from "./calls.ts";
import { FILTERS } from "./filters.ts";
import { LoopContext } from "./loop.ts";
import { BudgetError, type Meter, TemplateError } from "./meter.ts";
import type { Body, CallArguments, Expression, For, Signature, Statement, Target } from "./nodes.ts";
import { compare, negated, operate } from "./operate.ts";
import { show } from "./show.ts";
import { glue, plain, type Str } from "./text.ts";
import {
  type Arguments,
  Callable,
  Dict,
  Iter,
  List,
  Namespace,
  orElse,
  Range,
  textOf,
  Thing,
  truth,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** Variables by name (undefined: set later), and where the others are. */
class Scope {
  readonly variables = new Map<string, Value | undefined>();

  constructor(readonly around?: Scope) {}

  find(name: string): Value | undefined {
    return this.variables.has(name) ? this.variables.get(name) : this.around?.find(name);
  }
}

/** How statements end: all of them done, or by `break` or `continue`. */
type Ending = "done" | "break" | "continue";

/** Text as it is written. */
class Output {
  readonly #parts: Str[] = [];
  #size = 0;

  constructor(private readonly meter: Meter) {}

  write(text: Str): void {
    this.#size += plain(text).length;
    this.meter.fits(this.#size);
    this.#parts.push(text);
  }

  finish(): Str {
    this.meter.text(this.#size);
    return glue(this.#parts);
  }
}

/**
 * Whether Jinja's compiler computes the expression in advance and keeps the result: then what it did not come across
 * does not matter, such as a filter that does not exist.
 */
export function isFolded(expression: Expression, meter: Meter): boolean {
  try {
    return hasLiteral(new Evaluator({ later: new Map(), reads: new Set() }, meter, []).constant(expression));
  } catch (error) {
    if (error instanceof TemplateError || error instanceof BudgetError) return false;
    throw error;
  }
}

/** Whether the compiler can write the value down. */
function hasLiteral(value: Value): boolean {
  if (value === null || typeof value !== "object" || value instanceof Range) return true;
  if (value instanceof List || value instanceof Tuple) return value.items.every(hasLiteral);
  if (value instanceof Dict) return [...value.entries()].every((pair) => pair.every(hasLiteral));
  return textOf(value) !== undefined;
}

/** Where constants are computed in advance: there are no variables. */
const ADVANCE = new Scope();
/** Filters that see variables, so that they are not computed in advance. */
const WITH_VARIABLES = ["map", "select", "reject", "selectattr", "rejectattr"];

export function evaluate(
  template: Body,
  analysis: Analysis,
  meter: Meter,
  variables: Iterable<readonly [string, Value]>,
): Str {
  return new Evaluator(analysis, meter, variables).run(template);
}

class Evaluator {
  /** What was given from outside. */
  readonly #given = new Scope();
  readonly #root = new Scope(this.#given);

  constructor(
    private readonly analysis: Analysis,
    private readonly meter: Meter,
    variables: Iterable<readonly [string, Value]>,
  ) {
    for (const [name, value] of variables) this.#given.variables.set(name, value);
  }

  /** As the compiler computes it. Throws TemplateError where it cannot. */
  constant(expression: Expression): Value {
    return this.#value(expression, ADVANCE);
  }

  run(template: Body): Str {
    const out = new Output(this.meter);
    this.#body(template, this.#root, out);
    return out.finish();
  }

  /** The statements of a scope that was made for them. */
  #body(body: Body, scope: Scope, out: Output): Ending {
    for (const name of this.analysis.later.get(body) ?? []) {
      if (!scope.variables.has(name)) scope.variables.set(name, undefined);
    }
    return this.#statements(body.statements, scope, out);
  }

  #statements(statements: readonly Statement[], scope: Scope, out: Output): Ending {
    for (const statement of statements) {
      this.meter.spend(1);
      const ending = this.meter.within(() => this.#statement(statement, scope, out));
      if (ending !== "done") return ending;
    }
    return "done";
  }

  #statement(statement: Statement, scope: Scope, out: Output): Ending {
    switch (statement.type) {
      case "output":
        for (const item of statement.items) {
          out.write(typeof item === "string" ? item : show(this.meter, this.#value(item, scope, true)));
        }
        return "done";
      case "for":
        return this.#for(statement, scope, out);
      case "if":
        for (const { test, body } of statement.branches) {
          if (truth(this.#value(test, scope))) return this.#statements(body.statements, scope, out);
        }
        return this.#statements(statement.otherwise.statements, scope, out);
      case "set":
        this.#refuseOtherThanNamespaces(statement.target, scope);
        this.#assign(statement.target, this.#value(statement.value, scope), scope);
        return "done";
      case "set block": {
        const inner = new Scope(scope);
        const text = new Output(this.meter);
        const ending = this.#body(statement.body, inner, text);
        if (ending !== "done") return ending;
        const value = text.finish();
        this.#assign(
          statement.target,
          statement.filter ? this.#filtered(statement.filter, value, inner) : value,
          scope,
        );
        return "done";
      }
      case "with": {
        const inner = new Scope(scope);
        for (const [target, value] of statement.pairs) this.#assign(target, this.#value(value, scope), inner);
        return this.#body(statement.body, inner, out);
      }
      case "macro":
        scope.variables.set(statement.name, this.#macro(statement.name, statement.signature, statement.body, scope));
        return "done";
      case "call block": {
        const caller = this.#macro(undefined, statement.signature, statement.body, scope);
        if (statement.call.type !== "call") throw new TemplateError("expected call");
        const { callee, args } = statement.call;
        out.write(written(this.#call(this.#value(callee, scope), this.#arguments(args, scope, { caller }))));
        return "done";
      }
      case "filter block": {
        const inner = new Scope(scope);
        const text = new Output(this.meter);
        const ending = this.#body(statement.body, inner, text);
        if (ending !== "done") return ending;
        out.write(written(this.#filtered(statement.filter, text.finish(), inner)));
        return "done";
      }
      case "scope":
        return this.#body(statement.body, statement.isCall ? this.#called(scope) : new Scope(scope), out);
      case "block":
        this.#body(statement.body, new Scope(statement.scoped ? scope : this.#context()), out);
        return "done";
      case "impossible":
        throw new TemplateError(statement.message);
      case "break":
      case "continue":
        return statement.type;
    }
  }

  /** The scope of a call's body without parameters, which nobody calls with anything. */
  #called(around: Scope): Scope {
    const scope = new Scope(around);
    scope.variables.set("caller", new Undefined("No caller defined"));
    scope.variables.set("kwargs", new Dict());
    scope.variables.set("varargs", new Tuple([]));
    return scope;
  }

  /** What a block sees: what was given, and what was set at the top so far. */
  #context(): Scope {
    const scope = new Scope(this.#given);
    this.meter.items(4 * this.#root.variables.size);
    for (const [name, value] of this.#root.variables) if (value !== undefined) scope.variables.set(name, value);
    return scope;
  }

  #for(statement: For, scope: Scope, out: Output): Ending {
    const iterable = this.#value(statement.iterable, scope);
    if (!statement.recursive) return this.#rounds(statement, iterable, scope, out, 0, undefined);
    const recurse = (iterable: Value, depth: number): Value =>
      this.meter.within(() => {
        const text = new Output(this.meter);
        this.#rounds(statement, iterable, scope, text, depth, recurse);
        return text.finish();
      });
    out.write(show(this.meter, recurse(iterable, 0)));
    return "done";
  }

  #rounds(
    { target, test, body, otherwise }: For,
    iterable: Value,
    scope: Scope,
    out: Output,
    depth: number,
    recurse: ((iterable: Value, depth: number) => Value) | undefined,
  ): Ending {
    const source = test === undefined
      ? iterable
      : new Iter(this.#passing(target, test, iterable, scope), "generator object");
    const loop = new LoopContext(this.meter, source, depth, recurse);
    let empty = true;
    for (let value = loop.next(); value !== undefined; value = loop.next()) {
      const inner = new Scope(scope);
      inner.variables.set("loop", loop);
      this.#assign(target, value, inner);
      const ending = this.#body(body, inner, out);
      // Jinja notes at the end of a round that there was one: `else` follows where none came so far.
      if (ending === "done") empty = false;
      if (ending === "break") break;
    }
    return empty ? this.#body(otherwise, new Scope(scope), out) : "done";
  }

  *#passing(target: Target, test: Expression, iterable: Value, scope: Scope): Generator<Value> {
    for (const value of iterate(this.meter, iterable)) {
      const inner = new Scope(scope);
      this.#assign(target, value, inner);
      if (truth(this.#value(test, inner))) yield target.type === "targets" ? this.#repacked(target, inner) : value;
    }
  }

  /** What is unpacked once is unpacked again, from a tuple. */
  #repacked(target: Target, scope: Scope): Value {
    if (target.type !== "targets") return scope.find(namesOf(target)[0])!;
    return new Tuple(target.items.map((item) => this.#repacked(item, scope)));
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.type === "name") {
      scope.variables.set(target.name, value);
      return;
    }
    if (target.type === "member") {
      const namespace = scope.find(target.name);
      if (!(namespace instanceof Namespace)) throw new TemplateError("cannot assign attribute on non-namespace object");
      namespace.attributes.set(target.attribute, value);
      return;
    }
    const values: Value[] = [];
    for (const each of iterate(this.meter, value, `cannot unpack non-iterable ${typeName(value)} object`)) {
      values.push(each);
      if (values.length > target.items.length) {
        throw new TemplateError(`too many values to unpack (expected ${target.items.length})`);
      }
    }
    if (values.length < target.items.length) {
      throw new TemplateError(`not enough values to unpack (expected ${target.items.length}, got ${values.length})`);
    }
    target.items.forEach((item, i) => this.#assign(item, values[i], scope));
  }

  /** Before the value is computed. */
  #refuseOtherThanNamespaces(target: Target, scope: Scope): void {
    if (target.type === "targets") { for (const item of target.items) this.#refuseOtherThanNamespaces(item, scope); }
    else if (target.type === "member" && !(scope.find(target.name) instanceof Namespace)) {
      throw new TemplateError("cannot assign attribute on non-namespace object");
    }
  }

  #macro(name: string | undefined, { parameters, defaults }: Signature, body: Body, scope: Scope): Callable {
    const call = ({ positional, named }: Arguments): Value =>
      this.meter.within(() => {
        const inner = new Scope(scope);
        const rest = new Map(named);
        const given = parameters.map((parameter, i) => {
          if (i < positional.length) return positional[i];
          const value = rest.get(parameter);
          rest.delete(parameter);
          return value;
        });
        const uses = usesOf(body);
        if (uses.has("caller") && !parameters.includes("caller")) {
          inner.variables.set("caller", rest.get("caller") ?? new Undefined("No caller defined"));
          rest.delete("caller");
        }
        if (uses.has("kwargs") && !parameters.includes("kwargs")) inner.variables.set("kwargs", Dict.of(rest));
        else if (rest.size > 0) {
          throw new TemplateError(`macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`);
        }
        const more = positional.slice(parameters.length);
        if (uses.has("varargs") && !parameters.includes("varargs")) inner.variables.set("varargs", new Tuple(more));
        else if (more.length > 0) {
          throw new TemplateError(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
        }
        parameters.forEach((parameter, i) => {
          const fallback = defaults[i - (parameters.length - defaults.length)];
          inner.variables.set(
            parameter,
            orElse(given[i], () =>
              fallback ? this.#value(fallback, inner) : new Undefined(`parameter '${parameter}' was not provided`)),
          );
        });
        const text = new Output(this.meter);
        this.#body(body, inner, text);
        return text.finish();
      });
    return new Callable(`<Macro ${name === undefined ? "anonymous" : `'${name}'`}>`, call, (attribute) => {
      if (attribute === "name") return name ?? null;
      if (attribute === "arguments") return new Tuple(parameters);
      const special = { caller: "caller", catch_kwargs: "kwargs", catch_varargs: "varargs" }[attribute];
      return special === undefined ? undefined : usesOf(body).has(special);
    });
  }

  /** `shown`: it is written at once, so that what the compiler computes in advance need not be written down. */
  #value(expression: Expression, scope: Scope, shown = false): Value {
    this.meter.spend(1);
    try {
      return this.meter.within(() => this.#compute(expression, scope));
    } catch (error) {
      if (!(error instanceof Unsliceable) || scope === ADVANCE) throw error;
      const value = this.#inAdvance(expression);
      if (value !== undefined && (shown || hasLiteral(value))) return value;
      throw error;
    }
  }

  #inAdvance(expression: Expression): Value | undefined {
    try {
      return this.constant(expression);
    } catch (error) {
      if (error instanceof TemplateError) return undefined;
      throw error;
    }
  }

  #compute(expression: Expression, scope: Scope): Value {
    const { meter } = this;
    switch (expression.type) {
      case "constant":
        return expression.value;
      case "name":
        if (scope === ADVANCE) throw new TemplateError("a variable is not known in advance");
        return orElse(
          scope.find(expression.name),
          () => new Undefined(`'${expression.name.slice(0, 80)}' is undefined`),
        );
      case "tuple":
        return new Tuple(this.#values(expression.items, scope));
      case "list":
        return new List(this.#values(expression.items, scope));
      case "dict": {
        const dict = new Dict();
        for (const [key, value] of expression.pairs) dict.set(this.#value(key, scope), this.#value(value, scope));
        return dict;
      }
      case "concat": {
        const parts = this.#values(expression.items, scope).map((value) => show(meter, value));
        meter.text(parts.reduce((size, part) => size + plain(part).length, 0));
        return glue(parts);
      }
      case "not":
        return !truth(this.#value(expression.operand, scope));
      case "minus":
      case "plus":
        return negated(meter, expression.type, this.#value(expression.operand, scope));
      case "and":
      case "or": {
        const left = this.#value(expression.left, scope);
        return truth(left) === (expression.type === "or") ? left : this.#value(expression.right, scope);
      }
      case "arithmetic":
        return operate(
          meter,
          expression.operator,
          this.#value(expression.left, scope),
          this.#value(expression.right, scope),
        );
      case "compare": {
        let left = this.#value(expression.first, scope);
        for (const { operator, operand } of expression.others) {
          const right = this.#value(operand, scope);
          if (!compare(meter, operator, left, right)) return false;
          left = right;
        }
        return true;
      }
      case "choice": {
        if (truth(this.#value(expression.test, scope))) return this.#value(expression.yes, scope);
        if (expression.no) return this.#value(expression.no, scope);
        if (scope === ADVANCE) throw new TemplateError("there is no other choice in advance");
        return new Undefined("the inline if-expression evaluated to false and no else section was defined.");
      }
      case "attribute":
        return attribute(meter, this.#value(expression.object, scope), expression.name);
      case "item":
        return item(meter, this.#value(expression.object, scope), this.#value(expression.index, scope));
      case "slice": {
        const part = (bound: Expression | undefined) => bound ? this.#value(bound, scope) : null;
        const object = this.#value(expression.object, scope);
        const [start, stop, step] = [part(expression.start), part(expression.stop), part(expression.step)];
        try {
          return slice(meter, object, start, stop, step);
        } catch (error) {
          if (scope === ADVANCE && error instanceof Unsliceable) return new Undefined("a slice is undefined");
          throw error;
        }
      }
      case "call":
        if (scope === ADVANCE) throw new TemplateError("nothing is called in advance");
        return this.#call(this.#value(expression.callee, scope), this.#arguments(expression.args, scope));
      case "filter":
        return this.#filtered(expression, undefined, scope);
      case "test":
        return callTest(
          FILTERS,
          meter,
          expression.name,
          this.#value(expression.input!, scope),
          this.#arguments(expression.args, scope),
        );
    }
  }

  #values(items: readonly Expression[], scope: Scope): Value[] {
    return items.map((item) => this.#value(item, scope));
  }

  /** A chain of filters; `text`: what stands before the first one of a block. */
  #filtered(expression: Expression, text: Str | undefined, scope: Scope): Value {
    if (expression.type !== "filter") return this.#value(expression, scope);
    const { name, input, args } = expression;
    if (scope === ADVANCE && WITH_VARIABLES.includes(name)) {
      throw new TemplateError("variables are not known in advance");
    }
    const value = input === undefined ? text! : this.meter.within(() => this.#filtered(input, text, scope));
    return callFilter(FILTERS, this.meter, name, value, this.#arguments(args, scope));
  }

  #call(callee: Value, args: Arguments): Value {
    this.meter.spend(3);
    if (callee instanceof Callable || callee instanceof Thing) return callee.call(args);
    if (callee instanceof Undefined) throw new TemplateError(callee.message);
    throw new TemplateError(`'${typeName(callee)}' object is not callable`);
  }

  #arguments(args: CallArguments, scope: Scope, more: Readonly<Record<string, Value>> = {}): Arguments {
    const positional = this.#values(args.positional, scope);
    const named = new Map<string, Value>();
    const add = (name: string, value: Value) => {
      if (named.has(name)) throw new TemplateError(`got multiple values for keyword argument '${name}'`);
      named.set(name, value);
    };
    for (const { name, value } of args.named) add(name, this.#value(value, scope));
    if (args.spread) positional.push(...listed(this.meter, this.#value(args.spread, scope)));
    if (args.spreadNamed) {
      const mapping = this.#value(args.spreadNamed, scope);
      if (!(mapping instanceof Dict)) throw new TemplateError("argument after ** must be a mapping");
      for (const [key, value] of mapping.entries()) {
        const name = textOf(key);
        if (name === undefined) throw new TemplateError("keywords must be strings");
        add(plain(name), value);
      }
    }
    for (const [name, value] of Object.entries(more)) add(name, value);
    return { positional, named };
  }
}

/** Filters and calls write what they return as it is: only text. */
function written(value: Value): Str {
  const text = textOf(value);
  if (text !== undefined) return text;
  throw new TemplateError(`expected str instance, ${typeName(value)} found`);
}

const uses = new WeakMap<Body, ReadonlySet<string>>();

/** Which of `caller`, `kwargs` and `varargs` a macro reads anywhere. */
function usesOf(body: Body): ReadonlySet<string> {
  const known = uses.get(body);
  if (known) return known;
  const found = new Set<string>();
  const look = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, name } = node as { type?: unknown; name?: unknown };
    if (type === "name" && typeof name === "string") found.add(name);
    for (const child of Object.values(node)) look(child);
  };
  look(body.statements);
  uses.set(body, found);
  return found;
}
