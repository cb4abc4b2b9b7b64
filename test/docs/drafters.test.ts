// The examples of docs/drafters.md, run by the command itself, in one batch: the text is that of plain decoding.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { builtin } from "../../plugins/builtin.ts";
import { hunch, TINY } from "../cli/support/cli.ts";

const PAGE = readFileSync(new URL("../../docs/drafters.md", import.meta.url), "utf8");
/** Not of this page: no drafting, drafters that need a model or a store, or have pages of their own. */
const ELSEWHERE = ["none", "auto", "model", "spine", "graft"];

const examples = [...PAGE.matchAll(/^hunch --drafter (?:'([^']*)'|(\S+)) "([^"]*)"$/gm)]
  .map(([, quoted, plain, prompt]) => ({ drafter: quoted ?? plain, prompt }));

test("every drafter without training is on the page, with a line in the table and two lines to try", () => {
  for (const { kind, name } of builtin) {
    if (kind !== "drafter" || ELSEWHERE.includes(name)) continue;
    assert.match(PAGE, new RegExp(`^\\| \`${name}\``, "m"));
    assert.ok(examples.filter(({ drafter }) => drafter.split(/[:?]/)[0] === name).length >= 2, `examples of ${name}`);
  }
});

test("every example says what plain decoding says", async () => {
  const prompts = [...new Set(examples.map(({ prompt }) => prompt))];
  const lines = [...prompts.map((prompt) => ({ prompt, drafter: "none" })), ...examples];
  const input = lines.map((line) => JSON.stringify({ ...line, max_tokens: 24 })).join("\n");
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl"], { input });
  assert.equal(code, 0, stderr);
  const results: { text: string }[] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const plain = new Map(prompts.map((prompt, i) => [prompt, results[i].text]));
  examples.forEach(({ drafter, prompt }, i) => {
    assert.equal(results[prompts.length + i].text, plain.get(prompt), `${drafter}: ${prompt}`);
  });
});
