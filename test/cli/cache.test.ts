// Where the cache is, and what leaves it first.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCache } from "../../cli/cache/cache.ts";
import { cacheFolder } from "../../src/assets/cache-folder.ts";
import { clearCache, setCacheLimit, trimCache } from "../../cli/cache/entries.ts";
import { sizeOf } from "../../cli/commands/cache.ts";
import { because } from "../support/skip.ts";
import { FOLDER, hunchProcess, STORIES } from "./support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";

test("the cache folder is the one asked for, the platform's, or a temporary one", () => {
  assert.equal(cacheFolder({ HUNCH_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" }), "/a");
  assert.equal(cacheFolder({ XDG_CACHE_HOME: "/b", HOME: "/c" }), join("/b", "hunch"));
  if (process.platform === "linux") {
    assert.equal(cacheFolder({ HOME: "/c" }), "/c/.cache/hunch");
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "relative", HOME: "/c" }), "/c/.cache/hunch");
  }
  assert.ok(cacheFolder({}).startsWith(tmpdir()));
});

const posix = process.platform === "win32" ? because("Windows has other permissions") : false;

/** Runs `use` with an empty cache of its own. */
async function inCache(use: (cache: string) => void | Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const before = process.env.HUNCH_CACHE;
  try {
    process.env.HUNCH_CACHE = join(folder, "cache");
    chmodSync(folder, 0o755);
    const cache = openCache();
    chmodSync(cache, 0o777);
    await use(cache);
  } finally {
    if (before === undefined) delete process.env.HUNCH_CACHE;
    else process.env.HUNCH_CACHE = before;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Root may remove anything: as somebody who may not, in `folder`, to which the way may be closed. */
function asNobody<T>(folder: string, work: () => T): T {
  const before = process.cwd();
  const root = process.getuid!() === 0;
  process.chdir(folder);
  if (root) process.seteuid!(65534);
  try {
    return work();
  } finally {
    if (root) process.seteuid!(0);
    process.chdir(before);
  }
}

test("what was used longest ago leaves first, and what is in use stays", async () => {
  await inCache((cache) => {
    mkdirSync(join(cache, "models"));
    for (const [name, seconds] of [["old", 1000], ["older", 500], ["new", 2000]] as const) {
      writeFileSync(join(cache, "models", name), new Uint8Array(100));
      utimesSync(join(cache, "models", name), seconds, seconds);
    }
    setCacheLimit(cache, 150);
    const { removed } = trimCache(cache, 1_500_000);
    assert.deepEqual(removed.map(({ name }) => name), ["models/old", "models/older"]);
    assert.ok(existsSync(join(cache, "models", "new")));
    setCacheLimit(cache, 0);
    assert.deepEqual(trimCache(cache, 1_500_000).removed, []);
  });
});

test("what could not be removed is not said to be gone", { skip: posix }, async () => {
  await inCache((cache) => {
    mkdirSync(join(cache, "models"));
    mkdirSync(join(cache, "locked"));
    for (const name of ["models/gone", "locked/kept"]) writeFileSync(join(cache, name), new Uint8Array(100));
    chmodSync(join(cache, "locked"), 0o555);
    chmodSync(join(cache, "models"), 0o777);
    const { removed, kept } = asNobody(cache, () => clearCache("."));
    assert.deepEqual(removed.map(({ name }) => name), ["models/gone"]);
    assert.deepEqual(kept.map(({ entry: { name }, why }) => [name, why]), [["locked/kept", "EACCES"]]);
    assert.ok(existsSync(join(cache, "locked", "kept")));
  });
});

test("what killed runs left is removed by the next one", async () => {
  await inCache((cache) => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    mkdirSync(join(cache, "models", "old.removed-1"), { recursive: true });
    mkdirSync(join(cache, "embedded", "abc"), { recursive: true });
    const left = [`hashes.json.${pid}.tmp`, `models/a.hunch.${pid}.tmp`, `embedded/abc/model.${pid}.tmp`];
    const stay = ["models/a.hunch", `models/b.hunch.${process.pid}.tmp`, "models/c.tmp"];
    for (const name of [...left, ...stay]) writeFileSync(join(cache, name), "x");
    openCache();
    assert.deepEqual(left.filter((name) => existsSync(join(cache, name))), []);
    assert.deepEqual(stay.filter((name) => existsSync(join(cache, name))), stay);
    assert.ok(!existsSync(join(cache, "models", "old.removed-1")));
  });
});

test("a folder that was not made by hunch is left as it is", async () => {
  await inCache((cache) => {
    rmSync(join(cache, "CACHEDIR.TAG"));
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(join(cache, `letter.${pid}.tmp`), "dear");
    openCache();
    assert.ok(existsSync(join(cache, `letter.${pid}.tmp`)));
  });
});

test("a cache that cannot be made, or written to, is a temporary one instead", { skip: posix }, async () => {
  const run = (folder: string, temporary: string) =>
    hunchProcess(["-m", STORIES, "--backend", "onnx", "--format", "float32", "-n", "3", "Tom"], {
      env: { HUNCH_CACHE: folder, TMPDIR: temporary },
    });
  const temporary = temporaryFolder();
  const none = await run("/dev/null/cache", temporary);
  assert.equal(none.code, 0, none.stderr);
  assert.match(none.stderr, /^hunch: the cache is in \S+ for now: .*\(\/dev\/null\/cache\); set HUNCH_CACHE to/);
  assert.equal(none.stderr.trimEnd().split("\n").length, 1);

  // Models cannot be put into this one: nobody, not even root, writes there.
  const cache = join(FOLDER, "sealed");
  mkdirSync(cache);
  writeFileSync(join(cache, "CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n");
  symlinkSync("/dev/null", join(cache, "models"));
  const sealed = await run(cache, temporaryFolder());
  assert.equal(sealed.code, 0, sealed.stderr);
  assert.equal(sealed.stdout, none.stdout);
  assert.match(sealed.stderr, /^hunch: the cache is in \S+ for now: this cannot be written/);
  assert.equal(sealed.stderr.trimEnd().split("\n").length, 1);

  const nowhere = await run("/dev/null/cache", "/dev/null/tmp");
  assert.equal(nowhere.code, 4);
  assert.match(nowhere.stderr, /^hunch: there is no cache: .*set HUNCH_CACHE/);
});

test("sizes are read as people write them", () => {
  assert.deepEqual(["20GB", "1.5 GiB", "500m", "7B", "0"].map(sizeOf), [20e9, 1.5 * 2 ** 30, 500e6, 7, 0]);
  for (const text of ["lots", "7", "B"]) assert.throws(() => sizeOf(text), /not a size/);
});
