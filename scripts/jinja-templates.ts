// Random chat templates, the same for a seed: every construct, mostly with operands that fit. What Jinja2 makes of them
// is compared with what hunch makes of them; see docs/templates.md.
//
//   node scripts/bun.mjs scripts/jinja-templates.ts COUNT SEED OUT.json
import { writeFileSync } from "node:fs";
import process from "node:process";

class Random {
  constructor(private state: number) {}
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
}

const STRINGS = [
  "''",
  "'a'",
  "'abc'",
  '"it\'s"',
  "'a b  c'",
  "'  pad '",
  "'\\n\\nx\\n'",
  "'é🙂Ä'",
  "'A-b_C'",
  "'12'",
  "'-3.5'",
  "'%s|%d'",
  "'{}-{0}'",
  "'<b>&'",
  "'x,y,,z'",
  "'Hello World'",
  "'ß'",
  "'a\\tb'",
  "'</think>ok'",
  "'{\"a\": 1}'",
];
const NAMES = [
  "x",
  "y",
  "messages",
  "message",
  "bos_token",
  "tools",
  "content",
  "item",
  "ns",
  "foo",
  "loop",
  "enable_thinking",
];

class Generator {
  constructor(readonly r: Random, private scope: string[] = []) {}

  str(d: number): string {
    const r = this.r;
    if (d <= 0) return r.pick(STRINGS);
    switch (r.below(22)) {
      case 0:
        return `${this.str(d - 1)}.${r.pick(["strip", "lstrip", "rstrip"])}(${
          r.pick(["", "", "'\\n'", "' '", "'ab'", "none"])
        })`;
      case 1:
        return `${this.str(d - 1)}.${r.pick(["upper", "lower", "title", "capitalize", "swapcase", "casefold"])}()`;
      case 2:
        return `${this.str(d - 1)} ${r.pick(["+", "~"])} ${this.str(d - 1)}`;
      case 3:
        return `(${this.str(d - 1)})[${this.slice(d - 1)}]`;
      case 4:
        return `${this.str(d - 1)}.replace(${this.str(0)}, ${this.str(0)}${r.chance(0.3) ? ", " + this.int(0) : ""})`;
      case 5:
        return `${this.list(d - 1)} | join(${r.pick(["", "', '", "'-'"])})`;
      case 6:
        return `${this.str(d - 1)} | ${
          r.pick([
            "trim",
            "upper",
            "lower",
            "title",
            "capitalize",
            "string",
            "safe",
            "escape",
            "e",
            "urlencode",
            "striptags",
            "forceescape",
            "reverse",
            "trim('a')",
            "replace('a','bb')",
            "replace('b','',1)",
            "indent",
            "indent(2, true)",
            "indent(1, blank=true)",
            "indent('> ')",
            "truncate(5)",
            "truncate(3, true, '.', 0)",
            "center(9)",
            "default('d')",
            "wordcount",
            "format('q')",
          ])
        }`;
      case 7:
        return `${this.any(d - 1)} | tojson${
          r.pick([
            "",
            "",
            "(indent=2)",
            "(sort_keys=true)",
            "(ensure_ascii=true)",
            "(separators=(',', ':'))",
            "(indent='\\t')",
          ])
        }`;
      case 8:
        return `${this.any(d - 1)} | string`;
      case 9:
        return `(${this.str(d - 1)} if ${this.bool(d - 1)}${r.chance(0.8) ? " else " + this.str(d - 1) : ""})`;
      case 10:
        return `${
          r.pick([
            "'%s'",
            "'%d'",
            "'%5.2f|'",
            "'%r'",
            "'%-5s|'",
            "'%05d'",
            "'%x'",
            "'%+d'",
            "'%c'",
            "'%e'",
            "'%g'",
            "'%%%s'",
            "'%.2s'",
            "'%s %s'",
            "'%a'",
            "'%(a)s'",
          ])
        } % ${r.chance(0.2) ? this.dict(0) : this.any(d - 1)}`;
      case 11:
        return `${
          r.pick([
            "'{}'",
            "'{0}{0}'",
            "'{:>6}|'",
            "'{:.2f}'",
            "'{a}'",
            "'{!r}'",
            "'{:,}'",
            "'{:05d}'",
            "'{:^7}|'",
            "'{{}}{}'",
            "'{:x}'",
            "'{:e}'",
            "'{:g}'",
            "'{:%}'",
            "'{0[0]}'",
            "'{:*<8}'",
            "'{:+}'",
            "'{:.3}'",
            "'{:#x}'",
            "'{:_}'",
            "'{:=6}'",
          ])
        }.format(${this.any(d - 1)}${r.chance(0.3) ? ", a=" + this.any(0) : ""})`;
      case 12:
        return `${this.str(d - 1)}.split(${
          r.pick(["", "' '", "'a'", "','", "none, 1", "' ', 1", "sep='-'", "'</think>'"])
        })[${r.pick(["0", "-1", "-1", "1"])}]`;
      case 13:
        return `${this.str(d - 1)}.${
          r.pick([
            "ljust(6)",
            "rjust(6, '*')",
            "center(7, '-')",
            "center(6)",
            "zfill(5)",
            "expandtabs(3)",
            "removeprefix('a')",
            "removesuffix('c')",
            "join(['x','y'])",
            "join(x)",
          ])
        }`;
      case 14:
        return `(${this.list(d - 1)}) | ${r.pick(["first", "last", "min", "max"])}`;
      case 15:
        return `${this.int(d - 1)} | ${r.pick(["string", "filesizeformat", "abs | string"])}`;
      case 16:
        return `messages[${this.int(0)}].${
          r.pick(["role", "content", "content", "zz", "get('role')", "items", "name"])
        }`;
      case 17:
        return `message${
          r.pick([".content", "['content']", ".role", "['role']", ".get('content', 'none')", "['tool_calls']"])
        }`;
      case 18:
        return `${this.str(d - 1)} * ${this.int(0)}`;
      case 19:
        return `strftime_now(${
          r.pick([
            "'%Y-%m-%d'",
            "'%d %b %Y'",
            "'%-d/%e/%U/%V/%G/%u/%w'",
            "'%H:%M:%S %p %I %l'",
            "'%j %y %C %x %X %c'",
            "'%^a %_d %Z%z|'",
          ])
        })`;
      default:
        return this.name() ?? r.pick(STRINGS);
    }
  }
  name(): string | undefined {
    return this.r.pick([...this.scope, ...this.scope, ...NAMES]);
  }

  slice(d: number): string {
    const p = () => this.r.chance(0.4) ? "" : this.int(0);
    return this.r.chance(0.3) ? this.int(d) : `${p()}:${p()}${this.r.chance(0.3) ? ":" + p() : ""}`;
  }

  int(d: number): string {
    const r = this.r;
    if (d <= 0) return r.pick(["0", "1", "2", "3", "-1", "-2", "5", "10", "7", "true"]);
    switch (r.below(12)) {
      case 0:
        return `${this.num(d - 1)} ${r.pick(["+", "-", "*", "//", "%", "/"])} ${this.num(d - 1)}`;
      case 1:
        return `${this.any(d - 1)} | ${
          r.pick([
            "length",
            "count",
            "int",
            "int(7)",
            "float",
            "abs",
            "round",
            "round(1)",
            "round(1,'floor')",
            "sum",
            "wordcount",
            "int(base=16)",
            "round(-1)",
            "round(2, 'ceil')",
          ])
        }`;
      case 2:
        return `${this.str(d - 1)}.${
          r.pick([
            "find('a')",
            "rfind('b')",
            "count('a')",
            "index('a')",
            "find('b', 1)",
            "count('')",
            "rindex('c')",
            "count('a', 1, 3)",
          ])
        }`;
      case 3:
        return `loop.${r.pick(["index", "index0", "length", "revindex", "revindex0", "depth", "depth0"])}`;
      case 4:
        return `(${this.list(d - 1)}).${r.pick(["index(1)", "count(1)", "count('a')"])}`;
      case 5:
        return r.chance(0.5) ? `-${this.int(d - 1)}` : `${this.int(0)} ** ${this.int(0)}`;
      case 6:
        return `(${this.int(d - 1)})`;
      case 7:
        return `messages | length - ${this.int(0)}`;
      default:
        return this.int(0);
    }
  }
  num(d: number): string {
    const r = this.r;
    return r.chance(0.3)
      ? r.pick(["1.5", "0.1", "2.0", "1e3", "-0.5", "3.14159", "1e16", "1e-5", "100000.0", "2.675"])
      : this.int(d);
  }
  bool(d: number): string {
    const r = this.r;
    if (d <= 0) {
      return r.pick(["true", "false", "x", "messages", "loop.first", "loop.last", "none", "add_generation_prompt"]);
    }
    switch (r.below(14)) {
      case 0:
        return `${this.any(d - 1)} ${r.pick(["==", "!=", "=="])} ${this.any(d - 1)}`;
      case 1:
        return `${this.num(d - 1)} ${r.pick(["<", "<=", ">", ">="])} ${this.num(d - 1)}`;
      case 2:
        return `${this.str(d - 1)} ${r.pick(["in", "not in"])} ${this.str(d - 1)}`;
      case 3:
        return `${this.any(d - 1)} ${r.pick(["in", "not in"])} ${r.pick([this.list(d - 1), this.dict(d - 1)])}`;
      case 4:
        return `${this.bool(d - 1)} ${r.pick(["and", "or"])} ${this.bool(d - 1)}`;
      case 5:
        return `not ${this.bool(d - 1)}`;
      case 6:
      case 7:
        return `${this.any(d - 1)} is ${r.chance(0.2) ? "not " : ""}${
          r.pick([
            "defined",
            "undefined",
            "none",
            "string",
            "number",
            "integer",
            "float",
            "mapping",
            "sequence",
            "iterable",
            "boolean",
            "true",
            "false",
            "callable",
            "odd",
            "even",
            "divisibleby(2)",
            "divisibleby 3",
            "eq 1",
            "equalto('a')",
            "in [1,'a']",
            "lower",
            "upper",
            "sameas none",
            "gt 1",
            "lt(2)",
            "ne 2",
            "escaped",
            "filter",
            "test",
          ])
        }`;
      case 8:
        return `${this.str(d - 1)}.${
          r.pick([
            "startswith('a')",
            "endswith('c')",
            "isdigit()",
            "isalpha()",
            "isalnum()",
            "isspace()",
            "isupper()",
            "islower()",
            "istitle()",
            "isnumeric()",
            "isdecimal()",
            "isascii()",
            "isidentifier()",
            "isprintable()",
            "startswith(('a','<'))",
            "endswith('b', 1, 2)",
          ])
        }`;
      case 9:
        return `(${this.bool(d - 1)})`;
      case 10:
        return `${this.str(d - 1)} ${r.pick(["<", ">=", "<="])} ${this.str(d - 1)}`;
      case 11:
        return `${this.int(0)} < ${this.int(0)} <= ${this.int(0)}`;
      default:
        return `loop.${r.pick(["first", "last", "changed(x)", "changed(message)"])}`;
    }
  }
  list(d: number): string {
    const r = this.r;
    if (d <= 0) {
      return r.pick([
        "[]",
        "[1, 2, 3]",
        "['a', 'b', 'a']",
        "[3, 1, 2]",
        "(1, 'a')",
        "()",
        "[none, true, 1.5]",
        "messages",
        "['B', 'a', 'C']",
        "[[1, 2], [3]]",
        "range(4)",
        "'abc'",
        "[{'a': 1, 'b': 'z'}, {'a': 2}]",
      ]);
    }
    switch (r.below(14)) {
      case 0:
        return `[${Array.from({ length: r.below(4) }, () => this.any(d - 1)).join(", ")}]`;
      case 1:
        return `(${this.list(d - 1)})[${this.slice(d - 1)}]`;
      case 2:
        return `${this.list(d - 1)} + ${this.list(d - 1)}`;
      case 3:
        return `${this.list(d - 1)} | ${
          r.pick([
            "list",
            "sort",
            "sort(reverse=true)",
            "reverse | list",
            "unique | list",
            "batch(2) | list",
            "batch(2, 'f') | list",
            "slice(2) | list",
            "slice(3, 'x') | list",
            "sort(case_sensitive=true)",
          ])
        }`;
      case 4:
        return `${this.list(d - 1)} | map(${
          r.pick([
            "'upper'",
            "'string'",
            "attribute='role'",
            "attribute='a', default=0",
            "'length'",
            "'trim'",
            "'default', 'q'",
            "attribute=0",
            "'int'",
            "'tojson'",
            "'replace', 'a', 'b'",
            "attribute='content.0'",
          ])
        }) | ${r.pick(["list", "join(',')", "list", "first"])}`;
      case 5:
        return `${this.list(d - 1)} | ${r.pick(["select", "reject"])}(${
          r.pick(["", "'string'", "'odd'", "'defined'", "'equalto', 'a'", "'gt', 1", "'none'", "'in', [1,'a']"])
        }) | list`;
      case 6:
        return `${r.pick(["messages", this.list(d - 1)])} | ${r.pick(["selectattr", "rejectattr"])}(${
          r.pick([
            "'role', 'equalto', 'user'",
            "'role'",
            "'a', 'defined'",
            "'content', 'ne', 'Hi'",
            "'role', 'in', ['user']",
            "'a'",
            "'zz.y'",
          ])
        }) | list`;
      case 7:
        return `${this.dict(d - 1)} | ${
          r.pick([
            "dictsort",
            "list",
            "items | list",
            "dictsort(reverse=true)",
            "dictsort(by='value')",
            "dictsort(true)",
          ])
        }`;
      case 8:
        return `${this.dict(d - 1)}.${r.pick(["items()", "keys()", "values()", "items() | list", "keys() | list"])}`;
      case 9:
        return `${this.str(d - 1)}.${
          r.pick([
            "split()",
            "split(',')",
            "rsplit('a', 1)",
            "splitlines()",
            "partition('b')",
            "rpartition('-')",
            "split(' ', 1)",
            "rsplit(none, 1)",
            "split(maxsplit=1)",
            "splitlines(true)",
            "rsplit()",
          ])
        }`;
      case 10:
        return `range(${r.pick(["3", "1, 4", "5, 0, -2", "0", "messages|length"])})`;
      case 11:
        return `${this.list(d - 1)} * 2`;
      case 12:
        return `messages | groupby('role')${r.pick(["", " | list", " | map(attribute='grouper') | list"])}`;
      default:
        return this.name()!;
    }
  }
  dict(d: number): string {
    const r = this.r;
    if (d <= 0) {
      return r.pick([
        "{}",
        "{'a': 1}",
        "{'b': 2, 'a': 'x'}",
        "{1: 'one', 'k': none}",
        "message",
        "messages[0]",
        "{'B': [1], 'a': {'c': true}}",
        "dict(a=1, b='y')",
      ]);
    }
    return `{${
      Array.from({ length: r.below(3) }, () =>
        `${r.pick(["'a'", "'b'", "1", "none", "'é'", "(1, 2)", "1.0", "true"])}: ${this.any(d - 1)}`).join(", ")
    }}`;
  }
  any(d: number): string {
    const r = this.r;
    switch (r.below(12)) {
      case 0:
      case 1:
      case 2:
        return this.str(d);
      case 3:
      case 4:
        return this.num(d);
      case 5:
        return this.bool(d);
      case 6:
      case 7:
        return this.list(d);
      case 8:
        return this.dict(d);
      case 9:
        return r.pick([
          "none",
          "x",
          "y",
          "true",
          "1.5",
          "undefined_thing",
          "message",
          "x.y",
          "messages[9]",
          "range",
          "namespace(a=1)",
          "caller",
          "varargs",
          "kwargs",
        ]);
      case 10:
        return `(${this.any(d - 1)})${
          r.pick([
            "",
            "[0]",
            ".a",
            "['a']",
            "[-1]",
            ".items()",
            ".get('a')",
            "|first",
            "|length",
            "|list",
            "|default('q')",
            "|string",
            ".append(1)",
            "|attr('a')",
            "|map('string')|list",
          ])
        }`;
      default:
        return this.name()!;
    }
  }
  with(names: string[]): Generator {
    return new Generator(this.r, [...this.scope, ...names]);
  }

  space(): string {
    return this.r.pick(["", "", "", " ", "\n", "\n", "  \n  ", "\n\n", "\n    ", "x", " t\n", "a\r\n", "\t"]);
  }
  tag(text: string): string {
    const r = this.r;
    const open = r.pick(["{%", "{%", "{%-", "{%-", "{%+"]), close = r.pick(["%}", "%}", "-%}", "-%}", "+%}"]);
    return `${open} ${text} ${close}`;
  }
  print(d: number): string {
    const r = this.r;
    return `${r.pick(["{{", "{{", "{{-"])} ${
      r.pick([() =>
        this.str(d), () =>
        this.any(d), () =>
        this.str(d), () =>
        this.bool(d), () =>
        this.int(d), () =>
        this.list(d)])()
    } ${r.pick(["}}", "}}", "-}}"])}`;
  }
  body(d: number, loop = false): string {
    let out = "";
    const n = 1 + this.r.below(3);
    for (let i = 0; i < n; i++) out += this.space() + this.statement(d, loop);
    return out + this.space();
  }
  statement(d: number, loop: boolean): string {
    const r = this.r;
    if (d <= 0) return this.print(2);
    const target = r.pick(["x", "y", "foo", "content", "item"]);
    switch (r.below(24)) {
      case 0:
      case 1:
      case 2:
        return this.tag(`if ${this.bool(2)}`) + this.body(d - 1, loop) +
          (r.chance(0.3) ? this.tag(`elif ${this.bool(1)}`) + this.body(d - 1, loop) : "") +
          (r.chance(0.5) ? this.tag("else") + this.body(d - 1, loop) : "") + this.tag("endif");
      case 3:
      case 4:
        return this.tag("for message in messages" + (r.chance(0.2) ? ` if ${this.bool(1)}` : "")) +
          this.with(["message"]).body(d - 1, true) + (r.chance(0.2) ? this.tag("else") + this.body(d - 1, loop) : "") +
          this.tag("endfor");
      case 5:
        return this.tag(`for item in ${this.list(1)}` + (r.chance(0.2) ? ` if ${this.bool(1)}` : "")) +
          this.with(["item"]).body(d - 1, true) + this.tag("endfor");
      case 6:
        return this.tag(
          `for x, y in ${
            r.pick([this.dict(1) + ".items()", "[[1,2],[3,4]]", this.dict(0) + "|items", "[('a','b')]", this.list(1)])
          }`,
        ) + this.with(["x", "y"]).body(d - 1, true) + this.tag("endfor");
      case 7:
      case 8:
      case 9:
        return this.tag(`set ${target} = ${this.any(2)}`);
      case 10:
        return this.tag(`set ${target}${r.chance(0.2) ? " | " + r.pick(["trim", "upper", "length"]) : ""}`) +
          this.body(d - 1, loop) + this.tag("endset");
      case 11:
        return this.tag(`set ns = namespace(a=${this.any(1)})`) + this.print(1) +
          this.tag(`set ns.a = ${this.any(1)}`) + "{{ ns.a }}";
      case 12:
        return this.tag(`macro foo(a, b=${this.any(0)})`) + this.with(["a", "b"]).body(d - 1) + this.tag("endmacro") +
          `{{ foo(${
            r.pick(["", "1", this.any(1), "1, 2", "b=3", "1, b='z'", "1,2,3", "q=1", "*[1]", "**{'a': 2}"])
          }) }}`;
      case 13:
        return this.tag("macro item(a)") + "[{{ a }}{{ caller(" + r.pick(["", "1"]) + ") }}]" + this.tag("endmacro") +
          this.tag(`call${r.pick(["", "(q)", "(q=2)"])} item(${this.any(0)})`) + this.body(d - 1) + this.tag("endcall");
      case 14:
        return this.tag(
          `filter ${r.pick(["upper", "trim", "indent(2)", "replace('a', 'b')", "length", "tojson", "title | trim"])}`,
        ) + this.body(d - 1, loop) + this.tag("endfilter");
      case 15:
        return this.tag(`with ${r.pick([`x = ${this.any(1)}`, `x = ${this.any(1)}, y = ${this.any(0)}`, ""])}`) +
          this.with(["x"]).body(d - 1, loop) + this.tag("endwith");
      case 16:
        return this.tag("generation") + this.body(d - 1) + this.tag("endgeneration");
      case 17:
        return loop ? this.tag(r.pick(["break", "continue"])) : this.print(2);
      case 18:
        return `{${r.pick(["#", "#-", "#+"])} comment ${r.pick(["#", "-#", "+#"])}}`;
      case 19:
        return this.tag("raw") + "{{ x }} {% if %}" + this.tag("endraw");
      case 20:
        return this.tag(`for item in ${r.pick(["[[1,[2,3]],[4]]", "[1,[2]]", "[[[]]]"])} recursive`) +
          "<{{ loop.depth }}{{ loop(item) if item is iterable else item }}>" + this.tag("endfor");
      case 21:
        return this.tag(`block b${r.below(1000)}`) + this.body(d - 1) + this.tag("endblock");
      case 22:
        return this.tag(`for item in ${this.list(0)}`) +
          `{{ loop.cycle('a', 'b') }}{{ loop.previtem }}{{ loop.nextitem }}` + this.with(["item"]).body(d - 1, true) +
          this.tag("endfor");
      default:
        return this.print(3);
    }
  }
}

const MUTATIONS = [
  "{{",
  "}}",
  "{%",
  "%}",
  "-",
  "(",
  ")",
  "|",
  "'",
  "[",
  "]",
  " if ",
  " is ",
  ".",
  ",",
  "endif",
  "\\",
  "+",
  "~",
];
const [count, seed, out] = process.argv.slice(2);
const r = new Random(Number(seed));
const cases = Array.from({ length: Number(count) }, () => {
  const g = new Generator(r, []);
  let template = r.chance(0.5) ? g.print(1 + r.below(4)) : g.body(1 + r.below(3));
  if (r.chance(0.08)) {
    const at = r.below(template.length + 1);
    template = template.slice(0, at) + r.pick(MUTATIONS) + template.slice(at + r.below(3));
  }
  return { template };
});
writeFileSync(out, JSON.stringify(cases));
