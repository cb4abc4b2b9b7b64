// The standalone binary, as a stranger gets it.
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../scripts/runtimes.ts";
import { lackOfGpu, softwareGpu } from "../kernels/support/gpu.ts";
import { because } from "../support/skip.ts";
import { STORIES } from "./support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";

// Bun makes it in either case; once is enough.
const skip = "Deno" in globalThis ? because("the binary is made and tried under Bun") : false;

interface Stranger {
  /** The empty folder that it is started in, and the one for what it unpacks. */
  readonly alone: string;
  readonly temporary: string;
  run(args: readonly string[], env?: Record<string, string>): SpawnSyncReturns<string>;
}

const folder = temporaryFolder();
const binary = join(folder, process.platform === "win32" ? "hunch.exe" : "hunch");

test("the binary is built", { skip }, () => {
  const line = [join(ROOT, "scripts/build.ts"), "--outfile", binary];
  const { status, stderr } = spawnSync(process.execPath, line, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});

/** The binary in an empty folder of its own. */
function stranger(name: string): Stranger {
  const alone = join(folder, name), temporary = join(folder, `tmp of ${name}`);
  mkdirSync(alone);
  mkdirSync(temporary);
  return {
    alone,
    temporary,
    // Without a home its cache goes to the temporary folder; ours, so that it is gone afterwards.
    run: (args, env) =>
      spawnSync(binary, args, { cwd: alone, env: { TMPDIR: temporary, ...env }, encoding: "utf8", input: "" }),
  };
}

test("the binary, alone in an empty folder with an empty environment, answers a prompt", { skip }, () => {
  const { run, alone, temporary } = stranger("plain");
  const version = run(["--version"]);
  assert.match(version.stdout, /^hunch \d+\.\d+\.\d+\n$/);
  assert.deepEqual(readdirSync(temporary), [], "the version needs nothing unpacked");

  const question = ["--temperature", "0", "-n", "32", "--json", "Give me three tips for sleeping better."];
  const first = run(question);
  assert.equal(first.status, 0, first.stderr);
  const { text, tokens } = JSON.parse(first.stdout);
  assert.match(text, /^1\. .*[Ss]leep/s);
  assert.ok(tokens.length > 4);
  assert.equal(JSON.parse(run(question).stdout).text, text, "the same from a filled cache");
  assert.deepEqual(readdirSync(alone), []);
});

test("the binary carries what WebGPU needs", { skip: skip || await lackOfGpu() }, () => {
  const { run, alone } = stranger("webgpu");
  const { status, stdout, stderr } = run(
    ["--backend", "webgpu:dawn", "--model", STORIES, "--drafter", "none", "-n", "8", "--json", "Once upon a time"],
    softwareGpu(),
  );
  assert.equal(status, 0, stderr);
  assert.match(JSON.parse(stdout).text, /^, there was a little/);
  assert.deepEqual(readdirSync(alone), []);
});
