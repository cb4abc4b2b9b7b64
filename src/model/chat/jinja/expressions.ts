// Expressions of a template, by Jinja's precedence: choice, or, and, not, comparison, + -, ~, * / // %, **, sign, then
// what stands behind a value (attributes, calls, filters, tests).
import type { Token, TokenKind } from "./lexer.ts";
import { BudgetError, TemplateError } from "./meter.ts";
import type { Arithmetic, CallArguments, Comparison, Expression } from "./nodes.ts";

/** Brackets, blocks and signs inside each other. */
const DEEPEST = 100;
/** Operators of one kind in a row. Python itself gives up at 200 brackets, which is what Jinja makes of them. */
const LONGEST_CHAIN = 200;
const COMPARISONS = ["==", "!=", "<", "<=", ">", ">="];

interface TupleOptions {
  /** `a if b` may stand in it. */
  readonly choice?: boolean;
  /** Names that end it. */
  readonly ends?: readonly string[];
  readonly brackets?: boolean;
}

export class ExpressionParser {
  #at = 0;
  #depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  protected get current(): Token {
    return this.tokens[this.#at];
  }

  protected next(): Token {
    const token = this.current;
    if (this.#at < this.tokens.length - 1) this.#at++;
    return token;
  }

  protected is(operator: string): boolean {
    return this.current.kind === "op" && this.current.value === operator;
  }

  #isName(name: string, ahead = 0): boolean {
    const token = this.tokens[Math.min(this.#at + ahead, this.tokens.length - 1)];
    return token.kind === "name" && token.value === name;
  }

  #isAssign(ahead: number): boolean {
    const token = this.tokens[Math.min(this.#at + ahead, this.tokens.length - 1)];
    return token.kind === "op" && token.value === "=";
  }

  protected skip(operator: string): boolean {
    const is = this.is(operator);
    if (is) this.next();
    return is;
  }

  protected skipName(name: string): boolean {
    const is = this.#isName(name);
    if (is) this.next();
    return is;
  }

  protected expect(operator: string): void {
    if (!this.skip(operator)) throw this.fail(`expected '${operator}', got ${this.#shown()}`);
  }

  protected expectName(name: string): void {
    if (!this.skipName(name)) throw this.fail(`expected '${name}', got ${this.#shown()}`);
  }

  protected expectKind(kind: TokenKind): Token {
    if (this.current.kind === kind) return this.next();
    throw this.fail(`expected ${TOLD[kind] ?? kind}, got ${this.#shown()}`);
  }

  protected fail(message: string): TemplateError {
    return new TemplateError(`${message} (line ${this.current.line})`);
  }

  #shown(): string {
    const { kind, value } = this.current;
    return kind === "op" || kind === "name" ? `'${value}'` : TOLD[kind] ?? kind;
  }

  protected nested<T>(parse: () => T): T {
    if (++this.#depth > DEEPEST) throw new BudgetError("is nested too deeply");
    const parsed = parse();
    this.#depth--;
    return parsed;
  }

  /** Expressions with commas between them, or one expression. */
  protected tuple({ choice = true, ends = [], brackets = false }: TupleOptions = {}): Expression {
    const items: Expression[] = [];
    let isTuple = false;
    while (true) {
      const { kind, value } = this.current;
      if (kind === "endprint" || kind === "end" || this.is(")") || (kind === "name" && ends.includes(value))) break;
      items.push(choice ? this.expression() : this.#or());
      if (!this.skip(",")) break;
      isTuple = true;
    }
    if (!isTuple && items.length > 0) return items[0];
    if (!isTuple && !brackets) throw this.fail(`expected an expression, got ${this.#shown()}`);
    return { type: "tuple", items };
  }

  protected expression(): Expression {
    return this.nested(() => {
      let yes = this.#or();
      while (this.skipName("if")) {
        const test = this.#or();
        const no = this.skipName("else") ? this.expression() : undefined;
        yes = { type: "choice", test, yes, no };
      }
      return yes;
    });
  }

  #or(): Expression {
    let left = this.#and();
    for (let depth = 0; this.skipName("or"); depth++) {
      this.#notTooLong(depth);
      left = { type: "or", left, right: this.#and() };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    for (let depth = 0; this.skipName("and"); depth++) {
      this.#notTooLong(depth);
      left = { type: "and", left, right: this.#not() };
    }
    return left;
  }

  #not(): Expression {
    if (!this.skipName("not")) return this.#compare();
    return { type: "not", operand: this.nested(() => this.#not()) };
  }

  #compare(): Expression {
    const first = this.#sum();
    const others: { operator: Comparison; operand: Expression }[] = [];
    while (true) {
      const { kind, value } = this.current;
      let operator: Comparison;
      if (kind === "op" && COMPARISONS.includes(value)) operator = this.next().value as Comparison;
      else if (this.skipName("in")) operator = "in";
      else if (this.#isName("not") && this.#isName("in", 1)) {
        this.next();
        this.next();
        operator = "not in";
      } else break;
      others.push({ operator, operand: this.#sum() });
    }
    return others.length === 0 ? first : { type: "compare", first, others };
  }

  /** `operand (operator operand)*`, the leftmost first. */
  #chain(operators: readonly Arithmetic[], operand: () => Expression): Expression {
    let left = operand();
    for (let depth = 0; this.current.kind === "op"; depth++) {
      const operator = operators.find((operator) => operator === this.current.value);
      if (operator === undefined) break;
      this.#notTooLong(depth);
      this.next();
      left = { type: "arithmetic", operator, left, right: operand() };
    }
    return left;
  }

  #sum(): Expression {
    return this.#chain(["+", "-"], () => this.#concat());
  }

  #concat(): Expression {
    const items = [this.#product()];
    while (this.skip("~")) items.push(this.#product());
    return items.length === 1 ? items[0] : { type: "concat", items };
  }

  #product(): Expression {
    return this.#chain(["*", "/", "//", "%"], () => this.#chain(["**"], () => this.#unary()));
  }

  /** A chain is a tree as deep as it is long. */
  #notTooLong(links: number): void {
    if (links > LONGEST_CHAIN) throw new BudgetError("is nested too deeply");
  }

  #unary(filters = true): Expression {
    const sign = this.skip("-") ? "minus" : this.skip("+") ? "plus" : undefined;
    const value: Expression = sign === undefined
      ? this.#primary()
      : { type: sign, operand: this.nested(() => this.#unary(false)) };
    const whole = this.#postfix(value);
    return filters ? this.#behind(whole) : whole;
  }

  #primary(): Expression {
    const token = this.next();
    switch (token.kind) {
      case "name":
        if (token.value === "true" || token.value === "True") return { type: "constant", value: true };
        if (token.value === "false" || token.value === "False") return { type: "constant", value: false };
        if (token.value === "none" || token.value === "None") return { type: "constant", value: null };
        return { type: "name", name: token.value };
      case "text": {
        let value = token.value;
        while (this.current.kind === "text") value += this.next().value;
        return { type: "constant", value };
      }
      case "int":
        return { type: "constant", value: this.#integer(token.value) };
      case "float":
        return { type: "constant", value: Number(token.value) };
      case "op":
        if (token.value === "(") {
          const inner = this.nested(() => this.tuple({ brackets: true }));
          this.expect(")");
          return inner;
        }
        if (token.value === "[") return { type: "list", items: this.#items("]", () => this.expression()) };
        if (token.value === "{") {
          const pair = (): readonly [Expression, Expression] => {
            const key = this.expression();
            this.expect(":");
            return [key, this.expression()];
          };
          return { type: "dict", pairs: this.#items("}", pair) };
        }
    }
    throw this.fail(`unexpected ${token.kind === "op" ? `'${token.value}'` : TOLD[token.kind] ?? token.kind}`);
  }

  #integer(digits: string): bigint {
    if (digits.length > 4300) throw this.fail("an integer has more than 4300 digits");
    return BigInt(digits);
  }

  #items<T>(end: string, parse: () => T): T[] {
    const items: T[] = [];
    while (!this.is(end)) {
      if (items.length > 0) this.expect(",");
      if (this.is(end)) break;
      items.push(parse());
    }
    this.expect(end);
    return items;
  }

  #postfix(value: Expression): Expression {
    for (let depth = 0;; depth++) {
      this.#notTooLong(depth);
      if (this.skip(".")) {
        const token = this.next();
        if (token.kind === "name") value = { type: "attribute", object: value, name: token.value };
        else if (token.kind === "int") {
          value = { type: "item", object: value, index: { type: "constant", value: this.#integer(token.value) } };
        } else throw this.fail("expected name or number");
      } else if (this.skip("[")) value = this.#subscript(value);
      else if (this.is("(")) value = { type: "call", callee: value, args: this.#arguments() };
      else return value;
    }
  }

  /** Filters, tests and calls behind a value. */
  #behind(value: Expression): Expression {
    for (let depth = 0;; depth++) {
      this.#notTooLong(depth);
      if (this.is("|")) value = this.filters(value)!;
      else if (this.skipName("is")) value = this.#test(value);
      else if (this.is("(")) value = { type: "call", callee: value, args: this.#arguments() };
      else return value;
    }
  }

  #subscript(object: Expression): Expression {
    const parts = this.#subscripts(object);
    this.expect("]");
    if (parts.length === 1) return parts[0];
    const indices = parts.map((part) => {
      if (part.type === "item") return part.index;
      throw this.fail("several slices at once are not supported");
    });
    return { type: "item", object, index: { type: "tuple", items: indices } };
  }

  #subscripts(object: Expression): Expression[] {
    const parts: Expression[] = [];
    while (!this.is("]")) {
      if (parts.length > 0) this.expect(",");
      const end = () => this.is(":") || this.is("]") || this.is(",");
      const start = this.is(":") ? undefined : this.expression();
      if (!this.skip(":")) {
        parts.push({ type: "item", object, index: start! });
        continue;
      }
      const stop = end() ? undefined : this.expression();
      const step = this.skip(":") && !end() ? this.expression() : undefined;
      parts.push({ type: "slice", object, start, stop, step });
    }
    return parts;
  }

  #arguments(): CallArguments {
    const positional: Expression[] = [];
    const named: { name: string; value: Expression }[] = [];
    let spread: Expression | undefined;
    let spreadNamed: Expression | undefined;
    const order = (right: boolean) => {
      if (!right) throw this.fail("invalid syntax for function call expression");
    };
    this.expect("(");
    for (let first = true; !this.is(")"); first = false) {
      if (!first) {
        this.expect(",");
        if (this.is(")")) break;
      }
      if (this.skip("*")) {
        order(spread === undefined && spreadNamed === undefined);
        spread = this.expression();
      } else if (this.skip("**")) {
        order(spreadNamed === undefined);
        spreadNamed = this.expression();
      } else if (this.current.kind === "name" && this.#isAssign(1)) {
        order(spreadNamed === undefined);
        const name = this.next().value;
        if (named.some((other) => other.name === name)) throw this.fail(`argument '${name}' is given twice`);
        this.next();
        named.push({ name, value: this.expression() });
      } else {
        order(spread === undefined && spreadNamed === undefined && named.length === 0);
        positional.push(this.expression());
      }
    }
    this.expect(")");
    return { positional, named, spread, spreadNamed };
  }

  /** `| name(…) | …`; of a block the first without its bar. Undefined where there is none. */
  protected filters(input: Expression | undefined, bare = false): Expression | undefined {
    let value = input;
    for (let depth = 0; bare || this.skip("|"); depth++) {
      this.#notTooLong(depth);
      bare = false;
      const name = this.#dotted();
      value = { type: "filter", input: value, name, args: this.is("(") ? this.#arguments() : NONE };
    }
    return value;
  }

  #dotted(): string {
    let name = this.expectKind("name").value;
    while (this.skip(".")) name += "." + this.expectKind("name").value;
    return name;
  }

  #test(input: Expression): Expression {
    const negated = this.skipName("not");
    const name = this.#dotted();
    const { kind } = this.current;
    let args = NONE;
    if (this.is("(")) args = this.#arguments();
    else if (
      (kind === "name" || kind === "text" || kind === "int" || kind === "float" || this.is("[") || this.is("{")) &&
      !["else", "or", "and"].some((name) => this.#isName(name))
    ) {
      if (this.#isName("is")) throw this.fail("you cannot chain multiple tests with is");
      args = { positional: [this.#postfix(this.#primary())], named: [] };
    }
    const test: Expression = { type: "test", input, name, args };
    return negated ? { type: "not", operand: test } : test;
  }
}

const NONE: CallArguments = { positional: [], named: [] };

const TOLD: Partial<Record<TokenKind, string>> = {
  begin: "a block",
  end: "the end of the block",
  print: "a print statement",
  endprint: "the end of the print statement",
  eof: "the end of the template",
  name: "a name",
  text: "a text",
  int: "a number",
  float: "a number",
  data: "text",
};
