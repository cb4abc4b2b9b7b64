// The lines to try of docs/store.md, run by the command itself with a small model.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../scripts/runtimes.ts";
import { FOLDER, hunch, STORIES, TINY } from "../cli/support/cli.ts";

const PAGE = readFileSync(new URL("../../docs/store.md", import.meta.url), "utf8");
const env = { XDG_STATE_HOME: join(FOLDER, "state") };

test("the lines to try work, and what is said with a store is what is said without", async () => {
  const [, block] = PAGE.match(/```sh\n([^]*?)```/)!;
  const lines = block.trim().split("\n").map((line) =>
    [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare).slice(
      1,
    )
  );
  const [build, ...answers] = lines;
  assert.equal(build.slice(0, 2).join(" "), "store build");
  const run = (args: readonly string[]) => hunch(args, { env, cwd: ROOT });
  const built = await run([...build, "-m", STORIES]);
  assert.equal(built.code, 0, built.stderr);
  assert.match(built.stdout, /^\d+ texts, [\d.]+ k tokens added to notes\n/);
  const prompt = answers[0][answers[0].length - 1];
  const [plain, ...said] = await Promise.all(
    [["-d", "none", prompt], ...answers].map((args) => run([...TINY, "-n", "12", ...args])),
  );
  assert.ok(
    answers.length >= 2 && ["rest", "rasd"].every((name) => answers.some((args) => args.join().includes(name))),
  );
  for (const { code, stdout, stderr } of said) assert.deepEqual([code, stdout], [0, plain.stdout], stderr);
});
