// The examples of docs/vocabularies.md, run by the command itself: the text is that of plain decoding, and drafts are kept.
import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FOLDER, hunch, STORIES_OTHER, TINY } from "../cli/support/cli.ts";

const PAGE = readFileSync(new URL("../../docs/vocabularies.md", import.meta.url), "utf8");
const examples = [...PAGE.matchAll(/^hunch --drafter (?:'([^']*)'|(\S+)) "([^"]*)"$/gm)]
  .map(([, quoted, plain, prompt]) => ({ drafter: quoted ?? plain, prompt }));
copyFileSync(STORIES_OTHER, join(FOLDER, "small.gguf"));

test("every drafter for other vocabularies has two lines to try", () => {
  for (const name of ["tli", "slrs", "omnidraft", "slem"]) {
    assert.match(PAGE, new RegExp(`^\\| \`${name}\``, "m"));
    assert.equal(examples.filter(({ drafter }) => drafter.startsWith(`${name}:`)).length, 2, name);
  }
});

test("every example says what plain decoding says, and accepts drafts", async () => {
  const prompts = [...new Set(examples.map(({ prompt }) => prompt))];
  const lines = [...prompts.map((prompt) => ({ prompt, drafter: "none" })), ...examples];
  const input = lines.map((line) => JSON.stringify({ ...line, controller: "fixed", max_tokens: 32 })).join("\n");
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl"], { input });
  assert.equal(code, 0, stderr);
  const results: { text: string; stats: { accepted: number } }[] = stdout.trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  const plain = new Map(prompts.map((prompt, i) => [prompt, results[i].text]));
  examples.forEach(({ drafter, prompt }, i) => {
    const { text, stats } = results[prompts.length + i];
    assert.equal(text, plain.get(prompt), `${drafter}: ${prompt}`);
    assert.ok(stats.accepted >= 5, `${drafter}: ${stats.accepted} accepted`);
  });
});

test("the drafter model refuses such a file in one line that names the others", async () => {
  const { code, stderr } = await hunch([...TINY, "--drafter", "model:small.gguf", "Once"]);
  assert.equal(code, 3);
  assert.match(
    stderr,
    /the draft model has another vocabulary than the target: token 259 is .*tli, slrs, omnidraft or slem/,
  );
  assert.equal(stderr.trimEnd().split("\n").length, 1);
});
