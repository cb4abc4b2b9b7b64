// The source version under Bun keeps to itself: what lies in the current folder is not its settings.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../scripts/runtimes.ts";
import { file, FOLDER } from "./support/cli.ts";

test("Bun fetches no package that a plugin imports, and obeys no .env or bunfig.toml of the current folder", async () => {
  mkdirSync(join(FOLDER, "theirs"));
  file("theirs/.env", "HUNCH_CACHE=/nowhere/from-dotenv\n");
  file("theirs/bunfig.toml", 'preload = ["./preload.ts"]\n');
  file("theirs/preload.ts", 'console.log("preloaded");\n');
  const plugin = file("theirs/plugin.ts", 'import isNumber from "is-number";\nexport default isNumber;\n');
  let asked = 0;
  const registry = createServer((_, response) => {
    asked++;
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  try {
    const start = (...args: string[]) =>
      new Promise<{ out: string; code: number | null }>((resolve) => {
        let out = "";
        const child = spawn("node", [join(ROOT, "scripts/bun.mjs"), join(ROOT, "cli/main.ts"), ...args], {
          cwd: join(FOLDER, "theirs"),
          env: {
            PATH: process.env.PATH,
            HOME: join(FOLDER, "home"), // whose cache of packages is empty
            BUN_CONFIG_REGISTRY: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
          },
        });
        child.stdout.on("data", (text) => out += text);
        child.stderr.on("data", (text) => out += text);
        child.on("close", (code) => resolve({ out, code }));
      });
    const { out, code } = await start("plugin", "list", "--plugin", plugin);
    assert.match(out, /^hunch: the plugin does not load: .*is-number.*\n$/);
    assert.equal(code, 3);
    const cache = await start("cache", "list");
    assert.equal(cache.code, 0, cache.out);
    assert.ok(cache.out.includes(join(FOLDER, "home")), cache.out);
    assert.equal(asked, 0, "the registry was asked");
  } finally {
    registry.close();
  }
});

test("a relative $XDG_CACHE_HOME makes no folder where the user is", () => {
  const cwd = join(FOLDER, "nowhere");
  mkdirSync(cwd);
  const env = { PATH: process.env.PATH, HOME: join(FOLDER, "home"), XDG_CACHE_HOME: "relative" };
  const args = [join(ROOT, "scripts/bun.mjs"), join(ROOT, "cli/main.ts"), "cache", "list"];
  const { status, stderr } = spawnSync("node", args, { cwd, env, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.deepEqual(readdirSync(cwd), []);
});
