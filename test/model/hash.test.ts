// A model's hash is that of its content, looked up while the file stays as it is.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { contentHash } from "../../src/model/files/hash.ts";
import { temporaryFolder } from "../support/folder.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test("the hash is the content's, and is remembered by path, size and time", async () => {
  const cache = join(temporaryFolder(), "new", "cache");
  const path = join(temporaryFolder(), "model");
  writeFileSync(path, "one");
  utimesSync(path, 1000, 1000);
  assert.equal(await contentHash([path], cache), sha256("one"));
  const book = join(cache, "hashes.json");
  assert.ok(existsSync(book));
  assert.deepEqual(readdirSync(cache), ["hashes.json"], "nothing temporary is left");

  // The remembered value answers: it is what the book says, not what the file holds.
  writeFileSync(book, readFileSync(book, "utf8").replace(sha256("one"), sha256("other")));
  assert.equal(await contentHash([path], cache), sha256("other"));

  writeFileSync(path, "two!");
  assert.equal(await contentHash([path], cache), sha256("two!"));
  utimesSync(path, 2000, 2000);
  assert.equal(await contentHash([path], cache), sha256("two!"));
});

test("reading is told as it goes on, and what is remembered is not read", async () => {
  const cache = temporaryFolder();
  const path = join(cache, "model");
  writeFileSync(path, new Uint8Array(9 << 20));
  const told: number[] = [];
  await contentHash([path], cache, (fraction) => told.push(fraction));
  assert.deepEqual(told, [4 / 9, 8 / 9, 1]);
  await contentHash([path], cache, () => assert.fail("it was read again"));
});

test("a damaged book is written anew", async () => {
  const cache = temporaryFolder();
  const path = join(cache, "model");
  writeFileSync(path, "x");
  for (const damage of ["{", "[]", '{"a":7}', "null"]) {
    writeFileSync(join(cache, "hashes.json"), damage);
    assert.equal(await contentHash([path], cache), sha256("x"));
    assert.equal(Object.values(JSON.parse(readFileSync(join(cache, "hashes.json"), "utf8"))).length, 1);
  }
});

test("a folder that cannot be made costs nothing but the memory", async () => {
  const path = join(temporaryFolder(), "model");
  writeFileSync(path, "x");
  assert.equal(await contentHash([path], join(path, "cache")), sha256("x"));
});

test("several files have one hash that depends on each and on their order", async () => {
  const folder = temporaryFolder();
  const paths = ["a", "b"].map((name) => join(folder, name));
  paths.forEach((path) => writeFileSync(path, path));
  const both = await contentHash(paths, folder);
  assert.match(both, /^[0-9a-f]{64}$/);
  assert.notEqual(both, await contentHash(paths.toReversed(), folder));
});

test("a file that is gone is named", async () => {
  const gone = join(temporaryFolder(), "gone");
  await assert.rejects(
    contentHash([gone], temporaryFolder()),
    (error) => error instanceof HunchError && error.place.file === gone,
  );
});
