// Statements of a template. Expressions are in expressions.ts.
import { ExpressionParser } from "./expressions.ts";
import { tokenize } from "./lexer.ts";
import type { Body, Expression, Signature, Statement, Target } from "./nodes.ts";

/** Throws TemplateError or BudgetError. */
export function parse(text: string): Body {
  return new Parser(tokenize(text)).template();
}

class Parser extends ExpressionParser {
  readonly #blocks = new Set<string>();

  template(): Body {
    return { statements: this.#until([]) };
  }

  /** Statements up to one of these tags, whose name is then the current token; or to the end of the template. */
  #until(ends: readonly string[]): Statement[] {
    const out: Statement[] = [];
    let items: (string | Expression)[] = [];
    const flush = () => {
      if (items.length > 0) out.push({ type: "output", items });
      items = [];
    };
    while (true) {
      const token = this.next();
      if (token.kind === "data") items.push(token.value);
      else if (token.kind === "print") {
        items.push(this.tuple());
        this.expectKind("endprint");
      } else if (token.kind === "begin") {
        flush();
        if (this.current.kind === "name" && ends.includes(this.current.value)) return out;
        out.push(this.#statement());
        this.expectKind("end");
      } else {
        flush();
        if (ends.length === 0) return out;
        throw this.fail(`the template ends where ${ends.join(" or ")} is missing`);
      }
    }
  }

  /** A body up to one of these tags; the tag's name is taken. */
  #body(...ends: string[]): { body: Body; end: string } {
    this.skip(":");
    this.expectKind("end");
    const statements = this.nested(() => this.#until(ends));
    return { body: { statements }, end: this.next().value };
  }

  #statement(): Statement {
    const tag = this.expectKind("name").value;
    switch (tag) {
      case "for":
        return this.#for();
      case "if":
        return this.#if();
      case "set":
        return this.#set();
      case "with":
        return this.#with();
      case "macro": {
        const name = this.expectKind("name").value;
        const signature = this.#signature();
        return { type: "macro", name, signature, body: this.#body("endmacro").body };
      }
      case "call": {
        const signature = this.is("(") ? this.#signature() : { parameters: [], defaults: [] };
        const call = this.expression();
        if (call.type !== "call") throw this.fail("expected call");
        return { type: "call block", signature, call, body: this.#body("endcall").body };
      }
      case "filter": {
        const filter = this.filters(undefined, true);
        return { type: "filter block", filter: filter!, body: this.#body("endfilter").body };
      }
      case "print": {
        const items: Expression[] = [];
        while (this.current.kind !== "end") {
          if (items.length > 0) this.expect(",");
          items.push(this.expression());
        }
        return { type: "output", items };
      }
      case "generation":
        return { type: "scope", isCall: true, body: this.#body("endgeneration").body };
      case "autoescape": {
        const on = this.expression();
        if (on.type !== "constant" || on.value !== false) throw this.fail("autoescape is not supported");
        return { type: "scope", isCall: false, body: this.#body("endautoescape").body };
      }
      case "block":
        return this.#block();
      case "break":
      case "continue":
        return { type: tag };
      case "include":
      case "import":
      case "from":
      case "extends":
        while (this.current.kind !== "end" && this.current.kind !== "eof") this.next();
        return { type: "impossible", message: `there is nothing to ${tag === "from" ? "import from" : tag}` };
    }
    throw this.fail(`unknown tag '${tag}'`);
  }

  #for(): Statement {
    const target = this.#target(["in"]);
    this.expectName("in");
    const iterable = this.tuple({ choice: false, ends: ["recursive"] });
    const test = this.skipName("if") ? this.expression() : undefined;
    const recursive = this.skipName("recursive");
    const { body, end } = this.#body("endfor", "else");
    const otherwise = end === "else" ? this.#body("endfor").body : { statements: [] };
    return { type: "for", target, iterable, test, recursive, body, otherwise };
  }

  #if(): Statement {
    const branches: { test: Expression; body: Body }[] = [];
    while (true) {
      const test = this.tuple({ choice: false });
      const { body, end } = this.#body("elif", "else", "endif");
      branches.push({ test, body });
      if (end === "elif") continue;
      const otherwise = end === "else" ? this.#body("endif").body : { statements: [] };
      return { type: "if", branches, otherwise };
    }
  }

  #set(): Statement {
    const target = this.#target([], true);
    if (this.skip("=")) return { type: "set", target, value: this.tuple() };
    const filter = this.filters(undefined);
    return { type: "set block", target, filter, body: this.#body("endset").body };
  }

  #with(): Statement {
    const pairs: [Target, Expression][] = [];
    while (this.current.kind !== "end") {
      if (pairs.length > 0) this.expect(",");
      const target = this.#target([]);
      this.expect("=");
      pairs.push([target, this.expression()]);
    }
    return { type: "with", pairs, body: this.#body("endwith").body };
  }

  #block(): Statement {
    const name = this.expectKind("name").value;
    if (this.#blocks.has(name)) throw this.fail(`block '${name}' defined twice`);
    this.#blocks.add(name);
    const scoped = this.skipName("scoped");
    const required = this.skipName("required");
    const { body } = this.#body("endblock");
    this.skipName(name);
    if (required) return { type: "impossible", message: `the required block '${name}' is not there` };
    return { type: "block", name, scoped, body };
  }

  #signature(): Signature {
    this.expect("(");
    const parameters: string[] = [];
    const defaults: Expression[] = [];
    while (!this.is(")")) {
      if (parameters.length > 0) this.expect(",");
      parameters.push(this.#storable(this.expectKind("name").value));
      if (this.skip("=")) defaults.push(this.expression());
      else if (defaults.length > 0) throw this.fail("non-default argument follows default argument");
    }
    this.expect(")");
    if (new Set(parameters).size < parameters.length) throw this.fail("a parameter is named twice");
    return { parameters, defaults };
  }

  /** A name, names with commas, or (where `members`) an attribute of a namespace among them. */
  #target(ends: readonly string[], members = false): Target {
    const items: Target[] = [];
    let isTuple = false;
    while (true) {
      if (this.#ends(ends)) break;
      items.push(this.#oneTarget(members));
      if (!this.skip(",")) break;
      isTuple = true;
    }
    if (items.length === 0) throw this.fail("expected a name to assign to");
    return isTuple ? { type: "targets", items } : items[0];
  }

  #ends(ends: readonly string[]): boolean {
    const { kind, value } = this.current;
    return kind === "end" || (kind === "op" && value === ")") || (kind === "name" && ends.includes(value));
  }

  #oneTarget(members: boolean): Target {
    if (this.skip("(")) {
      const items: Target[] = [];
      let isTuple = false;
      while (!this.is(")")) {
        items.push(this.#oneTarget(false));
        if (!this.skip(",")) break;
        isTuple = true;
      }
      this.expect(")");
      if (isTuple || items.length === 0) return { type: "targets", items };
      return items[0];
    }
    const name = this.#storable(this.expectKind("name").value);
    if (!members || !this.skip(".")) return { type: "name", name };
    return { type: "member", name, attribute: this.expectKind("name").value };
  }

  #storable(name: string): string {
    if (/^(?:[tT]rue|[fF]alse|[nN]one)$/.test(name)) throw this.fail(`can't assign to ${name}`);
    return name;
  }
}
