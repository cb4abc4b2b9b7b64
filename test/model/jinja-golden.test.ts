// Templates against what Jinja2 3.1.6 makes of them in the environment of transformers (scripts/jinja-golden.py): small
// ones, chat templates with every construct that models use, and a sample of random ones (scripts/jinja-templates.ts).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BudgetError, fromJson, parseTemplate, renderTemplate, TemplateError } from "../../src/model/chat/jinja/mod.ts";

interface Case {
  readonly template: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly reference: { readonly ok: string } | { readonly err: string };
}

const fixture = (name: string): Case[] =>
  JSON.parse(readFileSync(new URL(`../fixtures/jinja/${name}.json`, import.meta.url), "utf8"));

const GIVEN = {
  messages: [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }, {
    role: "user",
    content: "Bye",
  }],
  bos_token: "<s>",
  eos_token: "</s>",
};
const now = () => new Date(2025, 2, 7, 9, 5, 4);

function render({ template, variables = GIVEN }: Case): string | undefined {
  const values = Object.entries(variables).map(([name, value]) => [name, fromJson(value)] as const);
  try {
    return renderTemplate(parseTemplate(template), Object.fromEntries(values), 3000, now).text;
  } catch (error) {
    assert.ok(error instanceof TemplateError || error instanceof BudgetError, `${template}: ${error}`);
    return undefined;
  }
}

/** Python prints another address each time. */
const still = (text: string) => text.replaceAll(/0x[0-9a-f]{6,}/g, "0x…");

for (const [name, count] of [["micro", 173], ["chats", 48], ["generated", 600]] as const) {
  test(`the ${name} templates render as Jinja2 does, and are refused where it does`, () => {
    const cases = fixture(name);
    assert.equal(cases.length, count);
    for (const each of cases) {
      const text = render(each);
      const wanted = "ok" in each.reference ? still(each.reference.ok) : undefined;
      assert.equal(text === undefined ? undefined : still(text), wanted, JSON.stringify(each));
    }
  });
}

test("integers, floats and text have no other limits than Python's", () => {
  const line = (template: string) => render({ template, reference: { ok: "" } });
  assert.equal(line("{{ 2 ** 200 }}"), String(2n ** 200n));
  assert.equal(line("{{ 9007199254740993 + 0 }}"), "9007199254740993");
  assert.equal(
    line("{{ 2.675 | round(2) }} {{ 0.5 | round }} {{ 1.5 | round }} {{ 1e22 }} {{ 1e-7 }}"),
    "2.67 0.0 2.0 1e+22 1e-07",
  );
  assert.equal(line("{{ 'ß'.upper() }}{{ 'ΑΣ'.lower() }}{{ 'ǆ'.title() }}"), "SSαςǅ");
});
