// Where the cache is, and what leaves it first.
import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder, openCache, setCacheLimit, trimCache } from "../../cli/cache.ts";
import { sizeOf } from "../../cli/commands/cache.ts";

test("the cache folder is the one asked for, the platform's, or a temporary one", () => {
  assert.equal(cacheFolder({ HUNCH_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" }), "/a");
  assert.equal(cacheFolder({ XDG_CACHE_HOME: "/b", HOME: "/c" }), join("/b", "hunch"));
  if (process.platform === "linux") assert.equal(cacheFolder({ HOME: "/c" }), "/c/.cache/hunch");
  assert.ok(cacheFolder({}).startsWith(tmpdir()));
});

test("what was used longest ago leaves first, and what is in use stays", () => {
  const folder = mkdtempSync(join(tmpdir(), "hunch-cache-"));
  const before = process.env.HUNCH_CACHE;
  try {
    process.env.HUNCH_CACHE = join(folder, "cache");
    const cache = openCache();
    mkdirSync(join(cache, "models"));
    for (const [name, seconds] of [["old", 1000], ["older", 500], ["new", 2000]] as const) {
      writeFileSync(join(cache, "models", name), new Uint8Array(100));
      utimesSync(join(cache, "models", name), seconds, seconds);
    }
    setCacheLimit(cache, 150);
    const removed = trimCache(cache, 1_500_000);
    assert.deepEqual(removed.map(({ name }) => name), ["models/old", "models/older"]);
    assert.ok(existsSync(join(cache, "models", "new")));
    setCacheLimit(cache, 0);
    assert.deepEqual(trimCache(cache, 1_500_000), []);
  } finally {
    if (before === undefined) delete process.env.HUNCH_CACHE;
    else process.env.HUNCH_CACHE = before;
    rmSync(folder, { recursive: true, force: true });
  }
});

test("sizes are read as people write them", () => {
  assert.deepEqual(["20GB", "1.5 GiB", "500m", "7"].map(sizeOf), [20e9, 1.5 * 2 ** 30, 500e6, 7]);
  assert.throws(() => sizeOf("lots"), /not a size/);
});
