// The examples of docs/drafters.md and docs/self-speculation.md, run by the command itself, in one batch: the text is that of plain decoding.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { builtin } from "../../plugins/builtin.ts";
import { hunch, STORIES_DRAFT, TINY } from "../cli/support/cli.ts";

const PAGES = ["drafters", "self-speculation"].map((page) =>
  readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), "utf8")
);
const examples = [...PAGES.join("").matchAll(/^hunch --drafter (?:'([^']*)'|(\S+)) "([^"]*)"$/gm)]
  .map(([, quoted, plain, prompt]) => ({ drafter: (quoted ?? plain).replace("draft.gguf", STORIES_DRAFT), prompt }));

test("every drafter of the tables exists and has two lines to try", () => {
  const tables = PAGES.map((page) => page.slice(0, page.indexOf("\n## "))).join("");
  const names = [...tables.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
  assert.ok(names.length >= 11);
  for (const name of names) {
    assert.ok(builtin.some((plugin) => plugin.kind === "drafter" && plugin.name === name), name);
    assert.ok(examples.filter(({ drafter }) => drafter.split(/[:?]/)[0] === name).length >= 2, `examples of ${name}`);
  }
});

test("every example says what plain decoding says", async () => {
  const prompts = [...new Set(examples.map(({ prompt }) => prompt))];
  const lines = [...prompts.map((prompt) => ({ prompt, drafter: "none" })), ...examples];
  const input = lines.map((line) => JSON.stringify({ ...line, max_tokens: 12 })).join("\n");
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl"], { input });
  assert.equal(code, 0, stderr);
  const results: { text: string }[] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const plain = new Map(prompts.map((prompt, i) => [prompt, results[i].text]));
  examples.forEach(({ drafter, prompt }, i) => {
    assert.equal(results[prompts.length + i].text, plain.get(prompt), `${drafter}: ${prompt}`);
  });
});
