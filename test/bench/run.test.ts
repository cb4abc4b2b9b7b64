// npm run bench: what it cannot measure with is told in one line, before anything is measured.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
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
