// npm run bench: what it cannot measure with is told in one line, before anything is measured.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { PAGES } from "../../bench/pages.ts";
import { refuseUnknown, type Suite } from "../../bench/suite.ts";
import { command, CURRENT, ROOT } from "../../scripts/runtimes.ts";

function bench(...args: string[]): { status: number | null; stderr: string } {
  const flags = CURRENT === "deno" ? ["run", "-A", "--no-prompt", "--no-check"] : [];
  const [program, ...line] = [...command(CURRENT), ...flags, "bench/run.ts", ...args];
  return spawnSync(program, line, { cwd: ROOT, encoding: "utf8" });
}

test("numbers that are none, and models that are none, are told in one line", () => {
  const turns = bench("passes", "--turns=x");
  assert.deepEqual([turns.status, turns.stderr], [
    2,
    'bench: --turns cannot be "x"; give a whole number from 1 on\n',
  ]);
  const model = bench("passes", "--model=README.md");
  assert.equal(model.status, 3);
  assert.match(model.stderr, /^bench: not a model file of a known format \(README\.md.*\n$/);
});

test("an option that no suite has, one without its value and one with too much are refused, the nearest named", () => {
  const known = { docs: "", prompts: "N", quick: "" };
  refuseUnknown(["passes", "--docs", "--prompts=3", "--quick"], known);
  const refused = (word: string, line: string) => assert.throws(() => refuseUnknown([word], known), { line });
  refused("--promts=3", "there is no option --promts; did you mean --prompts?");
  refused("--prompts", "--prompts lacks a value; write --prompts=N");
  refused("--quick=yes", "--quick stands alone; write --quick");
  const { status, stderr } = bench("claims", "--promts=3");
  assert.deepEqual([status, stderr], [2, "bench: there is no option --promts; did you mean --prompts?\n"]);
});

test("suites declare the options that they read, and pages give none but those", async () => {
  for (const file of readdirSync(`${ROOT}bench/suites`).filter((name) => name.endsWith(".ts"))) {
    const suite = (await import(`../../bench/suites/${file}`) as { default: Suite }).default;
    const declared = { docs: "", ...suite.options };
    const text = readFileSync(`${ROOT}bench/suites/${file}`, "utf8");
    for (const [, name] of text.matchAll(/\b(?:options?|count|flag)\("([\w-]+)"/g)) {
      if (!text.includes(`const count = (`)) assert.ok(Object.hasOwn(declared, name), `${file}: ${name}`);
    }
    assert.doesNotMatch(text, /argv\.(?:includes|filter|find)/, file);
    refuseUnknown(PAGES[file.replace(/\.ts$/, "")] ?? [], declared);
  }
});
