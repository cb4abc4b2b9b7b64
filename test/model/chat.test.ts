// Chat templates: the default model's against golden text, what templates of other models use, and what hostile ones do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { HunchError } from "../../src/errors.ts";
import { chatFromTemplate, type ChatMessage, type TemplateContext } from "../../src/model/chat/chat.ts";
import { readGguf } from "../../src/model/files/gguf.ts";

const path = (name: string) => decodeURIComponent(new URL(`../../${name}`, import.meta.url).pathname);
const golden: { chat: { messages: ChatMessage[]; text: string }[] } = JSON.parse(
  readFileSync(path("test/fixtures/smollm2-135m-instruct/golden.json"), "utf8"),
);
const user: ChatMessage[] = [{ role: "user", content: "hi" }];
const SPECIALS = { bos_token: "<s>", eos_token: "</s>" };
const templateOf = (template: string, context: TemplateContext = {}) =>
  chatFromTemplate(template, { specials: SPECIALS, ...context }, "model.gguf")!;
const render = (template: string, messages: readonly ChatMessage[] = user, context: TemplateContext = {}) =>
  templateOf(template, context).render(messages).text;

test("the default model's template renders the golden conversations", () => {
  const gguf = readGguf(path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"));
  const text = gguf.metadata.get("tokenizer.chat_template");
  gguf.file.close();
  assert.ok(typeof text === "string");
  const specials = { bos_token: "<|im_start|>", eos_token: "<|im_end|>" };
  const chat = chatFromTemplate(text, { specials }, "model.gguf")!;
  assert.equal(chat.text, text);
  for (const { messages, text } of golden.chat) assert.equal(chat.render(messages).text, text);
});

test("templates see the tokens, the generation prompt, their own variables and no tools", () => {
  assert.equal(render("{{ bos_token }}{% if add_generation_prompt %}A{% endif %}{{ eos_token }}"), "<s>A</s>");
  assert.equal(render("{{ tools is none }}{{ unheard_of is defined }}"), "TrueFalse");
  const { text } = templateOf("{{ enable_thinking }}|{{ n + 1 }}|{{ x.a[0] }}").render(user, {
    enable_thinking: false,
    n: 1,
    x: { a: [1.5] },
  });
  assert.equal(text, "False|2|1.5");
});

test("a template tells which variables it reads, but for what it is always given", () => {
  const template =
    "{% set x = 1 %}{{ bos_token }}{% if enable_thinking is defined and not enable_thinking %}{% endif %}" +
    "{% macro f(a) %}{{ a }}{{ x }}{{ date }}{% endmacro %}{{ strftime_now('%Y') }}{% for m in messages %}{{ m }}" +
    "{{ loop.index }}{% endfor %}{{ tools }}";
  assert.deepEqual(templateOf(template).variables, ["enable_thinking", "date"]);
  assert.throws(() => templateOf("{% if %}").variables, HunchError);
});

test("an empty template is none", () => {
  for (const text of ["", " ", "\n\r\n"]) assert.equal(chatFromTemplate(text, {}, "model.gguf"), undefined);
});

test("what a message said is known in the prompt, wherever the template puts it", () => {
  const said = (template: string, content: string) => {
    const { text, said } = templateOf(template).render([{ role: "user", content }]);
    return said.map((at, i) => i % 2 === 0 ? text.slice(at, said[i + 1]) : "").filter((part) => part !== "");
  };
  const it = "messages[0].content";
  const cases: [template: string, content: string, parts: string[]][] = [
    [`<s>{{ ${it} }}</s>`, "a </s>", ["a </s>"]],
    [`{{ '<s>' + ${it} | trim + '</s>' }}`, "  </s> ", ["</s>"]],
    [`{{ ${it}[2:] ~ ${it}[:1] ~ 'x' }}`, "abcd", ["cda"]],
    [`{{ ${it}.split('</think>')[-1].lstrip('\n') }}!`, "<think>p</think>\nyes", ["yes"]],
    [`{{ ${it}.replace('b', '</s>') }}`, "abc", ["a", "c"]],
    [`{{ ['<s>', ${it}, '</s>'] | join('-') }}`, "</s>", ["</s>"]],
    [`{{ ${it} | upper }}{{ ${it} | tojson }}`, '"</s>', ['"</S>', '\\"</s>']],
    [`{{ {'a': ${it}} }}`, "</s>", ["</s>"]],
    [`{{ '%s</s>' % ${it} }}{{ '{}</s>'.format(${it}) }}`, "q", ["q", "q"]],
    [`{% for c in ${it} %}{{ c }}-{% endfor %}`, "ab", ["a", "b"]],
    [`{% set x %}{{ ${it} }}{% endset %}{{ x | indent }}`, "a\nb", ["a", "b"]],
    [`{{ '</s>' if '</s>' in ${it} }}{{ ${it} | length }}`, "</s>", []],
  ];
  for (const [template, content, parts] of cases) assert.deepEqual(said(template, content), parts, template);
});

test("templates use loops, namespaces, filters, methods and macros", () => {
  const messages: ChatMessage[] = [
    { role: "system", content: " S " },
    { role: "user", content: "a" },
    { role: "assistant", content: "<think>x</think>\nb" },
    { role: "user", content: "c" },
  ];
  assert.equal(
    render(
      "{%- set ns = namespace(last=-1) -%}{%- for m in messages -%}{%- if m.role == 'user' -%}" +
        "{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}{{ ns.last }} {{ messages|length }} " +
        "{{ messages[0].content|trim }}{{ messages[::-1][0]['content'] }} {{ messages[2].content.split('</think>')[-1].strip() }}" +
        " {{ (messages|selectattr('role', 'equalto', 'user')|list|last).content }}" +
        " {% macro box(x, y='!') %}[{{ x ~ y }}]{% endmacro %}{{ box('q') }} {{ ['a', 'b']|join('-') }}" +
        " {{ {'a': [1, none, true]}|tojson }} {{ 'axa'.replace('x', 'yy') }} {{ 'a\nb'|indent(2) }}",
      messages,
    ),
    '3 4 Sc b c [q!] a-b {"a": [1, null, true]} ayya a\n  b',
  );
  assert.equal(render("{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}"), "a1");
  assert.equal(render("{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}"), "0234");
});

test("the date is told in English whatever the machine speaks", () => {
  const now = () => new Date(2024, 6, 4, 15, 7, 9);
  assert.equal(render("{{ strftime_now('%d %b %Y') }}", user, { now }), "04 Jul 2024");
  assert.equal(
    render("{{ strftime_now('%A %B %-d, %y %I:%M:%S %p %j %H %a %m %% %Q') }}", user, { now }),
    "Thursday July 4, 24 03:07:09 PM 186 15 Thu 07 % %Q",
  );
});

/** One line, of input, that names file and field. */
function refused(template: string, reason: RegExp, messages: readonly ChatMessage[] = user): void {
  assert.throws(() => render(template, messages), (error) => {
    assert.ok(error instanceof HunchError, String(error));
    assert.equal(error.kind, "input");
    assert.match(error.message, reason);
    assert.deepEqual(error.place, { file: "model.gguf", field: "chat_template" });
    return true;
  });
}

test("a template that refuses the conversation is quoted", () => {
  refused("{{ raise_exception('roles must alternate') }}", /roles must alternate/);
});

test("a broken template is refused", () => {
  for (const text of ["{% for %}", "{{ 'abc", "{{ a b }}", "{% if x %}", "{{ 1 + none }}", "{{ nothing() }}", "{#"]) {
    refused(text, /^the chat template fails: /);
  }
});

test("a template that runs long is stopped", () => {
  refused("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", /takes too long/);
  refused(
    "{% macro f() %}" + "{{ x }}".repeat(5000) + "{% endmacro %}{% for a in range(9999) %}{{ f() }}{% endfor %}",
    /long/,
  );
  refused("{% set a = range(99999) %}{% for i in range(99999) %}{% set b = a|sort %}{% endfor %}", /takes too long/);
  refused("{% set a = range(99999) %}{% for i in a %}{% if a == a|list %}{% endif %}{% endfor %}", /takes too long/);
  refused(
    "{% set s = range(99999)|join %}{% for i in range(99999) %}{% set t = s[::-1] %}{% endfor %}",
    /takes too long/,
  );
  refused(
    "{% set s = range(9999)|join %}{% for i in range(9999) %}{% if s ~ 'x' in s %}{% endif %}{% endfor %}",
    /takes too long/,
  );
});

test("a template that grows is stopped before the memory is gone", () => {
  const grow = (step: string) =>
    `{% set n = namespace(x='ab', y=['a']) %}{% for i in range(99) %}${step}{% endfor %}{{ n.y|tojson }}`;
  for (
    const step of [
      "{% set n.x = n.x ~ n.x %}",
      "{% set n.x = n.x + n.x %}",
      "{% set n.x = n.x|replace('a', n.x) %}",
      "{% set n.x = n.x.replace('a', n.x) %}",
      "{% set n.x = n.x['rep' ~ 'lace']('a', n.x) %}",
      "{% set n.y = [n.y, n.y] %}",
      "{% set n.y = {'a': n.y, 'b': n.y} %}",
      "{% set n.y = n.y + n.y %}",
    ]
  ) refused(grow(step), /makes too much text|takes too long/);
  refused("{{ 'a\nb'|indent(999999999) }}", /makes too much text/);
  refused("{% filter indent(999999999) %}a\nb{% endfilter %}", /makes too much text/);
  refused("{{ [1, 2]|tojson(indent=999999999) }}", /makes too much text/);
  refused("{{ range(99999)|join(range(99999)|join) }}", /makes too much text/);
  refused("{{ 9 ** (9 ** 9) }}", /too large a number/);
  refused("{{ range(999999999999) }}", /range/);
});

test("a template that nests without end is stopped", () => {
  refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", /nested too deeply/);
  refused(`{{ ${"(".repeat(99_999)}1${")".repeat(99_999)} }}`, /nested too deeply/);
  refused("{% set n = namespace(x=1) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}", /nested/);
});

test("a template too long to be one is not parsed", () => {
  refused("x".repeat(300_000), /300000 characters/);
});

test("long conversations are within the budget", () => {
  const messages = Array.from({ length: 1001 }, (_, i): ChatMessage => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: "some words ".repeat(i === 0 ? 50_000 : 10),
  }));
  const out = render(
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" +
      "{{ raise_exception('order') }}{% endif %}{% if loop.index0 + 1 < messages|length and messages[loop.index0 + 1] %}" +
      "{{ '<|' + message['role'] + '|>' + message['content'] | trim + '\n' }}{% endif %}{% endfor %}",
    messages,
  );
  assert.equal(out.split("\n").length, 1001);
});

test("every text either renders or is refused as input", () => {
  const parts = fc.constantFrom(
    ..."{{ }} {% %} {# #} for if set else endfor endif in messages m . [ ] ( ) | ~ + == 'a' 1 range loop namespace tojson"
      .split(" "),
    "{% for m in messages %}",
    "{% endfor %}",
    "{{ m.content }}",
  );
  fc.assert(fc.property(fc.array(parts, { maxLength: 30 }), fc.constantFrom("", " "), (words, gap) => {
    try {
      assert.equal(typeof render(`x${words.join(gap)}`), "string");
    } catch (error) {
      assert.ok(error instanceof HunchError && error.kind === "input", String(error));
    }
  }));
});
