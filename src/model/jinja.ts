// A Jinja interpreter that cannot run away: @huggingface/jinja's, with a budget.
//
// The library is synchronous, and a compiled binary has no worker to stop from outside, so the work is counted inside.
// Every node goes through the public `evaluate`; this subclass charges each call, and each value that comes out of it,
// against a budget that grows with the input, and refuses values beyond a size. Operations that can make something
// large out of something small (`replace`, `join`, `indent`, `tojson`) or take long for a small result (`in`, `==`,
// sorting) have their operands evaluated first and are charged before they run. The outcome depends on the template
// and the messages only, never on the clock.
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import {
  change,
  countNodes,
  type Evaluated,
  evaluated,
  length,
  type Node,
  part,
  type Statement,
  type Value,
} from "./jinja-nodes.ts";

/** The template wants too much. Its message says what. */
export class BudgetError extends Error {}

/** Longest template read, UTF-16 units. The longest in use are about a tenth of it. */
export const LONGEST_TEMPLATE = 1 << 18;
/** The library's lexer takes quadratic time over a run of white space. */
const LONGEST_BLANK = 512;
/** Nodes inside nodes, macros included; the stack holds more. */
const DEEPEST = 400;
/** Elements of a `range`. */
const LONGEST_RANGE = 100_000;

type Program = ReturnType<typeof parse>;

/** Parses a template as `transformers` does. Throws BudgetError or the library's errors. */
export function parseTemplate(text: string): Program {
  if (text.length > LONGEST_TEMPLATE) {
    throw new BudgetError(`has ${text.length} characters; at most ${LONGEST_TEMPLATE} are read`);
  }
  if (/\s{512}/.test(text)) throw new BudgetError(`has more than ${LONGEST_BLANK - 1} blanks in a row`);
  return parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true }));
}

/** Renders with these variables; functions among them get and return plain values. */
export function renderTemplate(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
  inputSize: number,
): string {
  const environment = new Environment();
  const constants = { true: true, True: true, false: false, False: false, none: null, None: null };
  for (const [name, value] of Object.entries({ ...constants, range, ...variables })) environment.set(name, value);
  return String(new MeteredInterpreter(environment, inputSize).run(program).value);
}

function range(...bounds: unknown[]): number[] {
  const numbers = bounds.filter((bound) => typeof bound === "number" && Number.isFinite(bound)) as number[];
  if (numbers.length !== bounds.length || bounds.length < 1 || bounds.length > 3) {
    throw new Error("range() takes one to three numbers");
  }
  const [start, stop, step] = numbers.length === 1 ? [0, numbers[0], 1] : [numbers[0], numbers[1], numbers[2] ?? 1];
  if (step === 0) throw new Error("range() step must not be zero");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > LONGEST_RANGE) throw new BudgetError(`asks for a range of ${length} numbers`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** Characters and elements, and elements alone; everything inside counted as often as it appears. */
interface Size {
  readonly weight: number;
  readonly parts: number;
}
const ONE: Size = { weight: 1, parts: 1 };

class MeteredInterpreter extends Interpreter {
  /** Units of about 0.2 µs. */
  #budget: number;
  /** Weight of the largest value. */
  readonly #largest: number;
  readonly #sizes = new WeakMap<object, Size>();
  #depth = 0;

  constructor(environment: Environment, inputSize: number) {
    super(environment);
    this.#budget = 2_000_000 + inputSize;
    this.#largest = 1_000_000 + 16 * inputSize;
  }

  override evaluate(statement: Statement, environment: Environment): Value {
    const node = statement as (Node & Partial<Evaluated>) | undefined;
    if (node?.type === "Evaluated") return node.value as Value;
    if (++this.#depth > DEEPEST) throw new BudgetError("is nested too deeply");
    try {
      const value = super.evaluate(statement && this.#prepared(statement, environment), environment);
      this.#charge(1);
      this.#check(value, node);
      return value;
    } finally {
      this.#depth--; // also where `break` and `continue` pass as exceptions
    }
  }

  /** The node with its dangerous operands evaluated and paid for. */
  #prepared(statement: NonNullable<Statement>, environment: Environment): Statement {
    switch (statement.type) {
      case "FilterExpression":
        return this.#filter(statement, part(statement, "filter"), part(statement, "operand"), environment);
      case "FilterStatement": {
        const block = { type: "Program", body: part(statement, "body") } as unknown as NonNullable<Statement>;
        const expression = { type: "FilterExpression" } as NonNullable<Statement>;
        return this.#filter(expression, part(statement, "filter"), block, environment);
      }
      case "CallExpression":
        return this.#call(statement, environment);
      case "BinaryExpression":
        return this.#binary(statement, environment);
      case "For": {
        // Each element costs at least one round of the loop, and its test if there is one.
        const iterable = part<Node>(statement, "iterable");
        const source = iterable.type === "SelectExpression" ? part<Node>(iterable, "lhs") : iterable;
        const value = this.#value(source, environment);
        this.#charge(2 * length(value));
        const done = evaluated(value);
        return change(statement, { iterable: source === iterable ? done : change(iterable, { lhs: done }) });
      }
      case "MemberExpression": {
        if (part(statement, "property").type !== "SliceExpression") return statement;
        const value = this.#value(part(statement, "object"), environment);
        this.#charge(typeof value.value === "string" ? value.value.length / 4 : length(value) / 8);
        return change(statement, { object: evaluated(value) });
      }
      case "Macro":
      case "CallStatement":
        // The library looks through the whole body each time.
        this.#charge(countNodes(statement));
        return statement;
      default:
        return statement;
    }
  }

  #value(node: Node, environment: Environment): Value {
    return this.evaluate(node as NonNullable<Statement>, environment);
  }

  #filter(statement: NonNullable<Statement>, filter: Node, operand: Node, environment: Environment): Statement {
    const value = this.#value(operand, environment);
    const callee = filter.type === "CallExpression" ? part<Node>(filter, "callee") : filter;
    const name = String(part(callee, "value"));
    let done = filter;
    let args: Value[] = [];
    // The library reads the arguments of these two as they are written.
    if (filter.type === "CallExpression" && name !== "selectattr" && name !== "rejectattr") {
      const given = this.#arguments(part<Node[]>(filter, "args"), environment);
      args = given.values;
      done = change(filter, { args: given.nodes });
    }
    const weight = this.#weigh(value);
    if (name === "sort" || name === "dictsort") this.#charge(weight / 4);
    else if (name === "selectattr" || name === "rejectattr") this.#charge(length(value) + weight / 1024);
    else if (name === "unique" || name === "string") this.#charge(weight / 64);
    else if (name === "tojson" || name === "join" || name === "indent") {
      // At the most: each part quoted, and the longest argument between any two.
      const parts = typeof value.value === "string" ? weight : this.#measure(value).parts;
      const between = args.reduce((most, arg) => Math.max(most, this.#magnitude(arg)), name === "join" ? 0 : 4);
      this.#largeEnough(weight + parts * between * (name === "tojson" ? 4 : 1));
    } else if (name === "replace") this.#replacement(value, args);
    return change(statement, { operand: evaluated(value), filter: done });
  }

  #call(statement: NonNullable<Statement>, environment: Environment): Statement {
    const callee = part<Node>(statement, "callee");
    if (callee.type !== "MemberExpression") return statement;
    const object = this.#value(part(callee, "object"), environment);
    const given = this.#arguments(part<Node[]>(statement, "args"), environment);
    // Which method it is can be an expression too; of those on text only `replace` makes more of less.
    if (typeof object.value === "string") this.#replacement(object, given.values);
    else this.#charge(this.#weigh(object) / 4);
    const done = change(callee, { object: evaluated(object), called: true });
    return change(statement, { callee: done, args: given.nodes });
  }

  #binary(statement: NonNullable<Statement>, environment: Environment): Statement {
    const operator = part<{ value: string }>(statement, "operator").value;
    if (operator === "and" || operator === "or") return statement;
    const left = this.#value(part(statement, "left"), environment);
    const right = this.#value(part(statement, "right"), environment);
    const a = this.#weigh(left), b = this.#weigh(right);
    if (operator === "in" || operator === "not in") {
      const isText = typeof left.value === "string" && typeof right.value === "string";
      this.#charge(isText ? Math.min(a, b) * b / 256 : b / 64);
    } else if (operator === "==" || operator === "!=") {
      // A list is spelled out to be compared with text.
      this.#charge((a + b) / (length(left) + length(right) > 0 ? 1 : 64));
    } else this.#largeEnough(a + b);
    return change(statement, { left: evaluated(left), right: evaluated(right) });
  }

  /** text.replace(old, new): the result has at most one `new` for each stretch as long as `old`. */
  #replacement(object: Value, args: readonly Value[]): void {
    const size = this.#weigh(object);
    const old = args.length > 0 ? this.#weigh(args[0]) : 0;
    const fresh = args.length > 1 ? this.#weigh(args[1]) : 0;
    this.#charge((size * old) / 256 + old / 8);
    this.#largeEnough(size + (size / Math.max(1, old) + 1) * fresh);
  }

  #arguments(args: readonly Node[], environment: Environment): { nodes: Node[]; values: Value[] } {
    const values: Value[] = [];
    const nodes = args.map((arg): Node => {
      const field = arg.type === "KeywordArgumentExpression"
        ? "value"
        : arg.type === "SpreadExpression" || arg.type === "KeywordSpreadExpression"
        ? "argument"
        : undefined;
      const value = this.#value(field === undefined ? arg : part<Node>(arg, field), environment);
      if (arg.type === "SpreadExpression" && Array.isArray(value.value)) values.push(...value.value as Value[]);
      else values.push(value);
      return field === undefined ? evaluated(value) : change(arg, { [field]: evaluated(value) });
    });
    return { nodes, values };
  }

  #charge(units: number): void {
    this.#budget -= units;
    if (!(this.#budget >= 0)) throw new BudgetError("takes too long");
  }

  #largeEnough(size: number): void {
    if (!(size <= this.#largest)) throw new BudgetError("makes too much text");
  }

  /** Charges for a value by what it costs to look at, and refuses it where it is too large. */
  #check(value: Value | undefined, from: Node | undefined): void {
    // Absent values are looked up through all scopes, by exceptions.
    if (value === undefined || value.type === "UndefinedValue") {
      return this.#charge(from?.type === "Identifier" ? 30 : 0);
    }
    if (value.type === "FunctionValue" && from?.type === "MemberExpression" && !part(from, "called")) {
      throw new BudgetError("takes a method without calling it");
    }
    this.#charge(typeof value.value === "string" ? value.value.length / 64 : length(value) / 64);
    const weight = this.#weigh(value);
    this.#largeEnough(weight);
  }

  /** Remembered, because nothing but a namespace ever changes, and none may be inside another value. */
  #measure(value: Value | undefined): Size {
    if (value === undefined) return ONE;
    const inside = value.value as unknown;
    if (typeof inside === "string") return { weight: inside.length + 1, parts: 1 };
    if (!Array.isArray(inside) && !(inside instanceof Map)) return ONE;
    const known = this.#sizes.get(value);
    if (known !== undefined) return known;
    let weight = 1, parts = 1;
    for (const [key, item] of inside.entries()) {
      const each = item as Value | undefined;
      if (each?.type === "NamespaceValue") throw new BudgetError("puts a namespace into another value");
      const size = this.#measure(each);
      weight += (typeof key === "string" ? key.length : 0) + 1 + size.weight;
      parts += size.parts;
    }
    this.#charge(length(value));
    const size = { weight, parts };
    if (value.type !== "NamespaceValue") this.#sizes.set(value, size);
    return size;
  }

  #weigh(value: Value | undefined): number {
    return this.#measure(value).weight;
  }

  #magnitude(value: Value): number {
    return typeof value.value === "number" ? Math.abs(value.value) : this.#weigh(value);
  }
}
