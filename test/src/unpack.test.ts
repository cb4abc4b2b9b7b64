// What a standalone binary carries, unpacked into a cache folder.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { type Carried, unpack } from "../../src/assets/unpack.ts";
import { HunchError } from "../../src/errors.ts";
import { temporaryFolder } from "../support/folder.ts";

const CONTENT = Uint8Array.from({ length: 20_000_000 }, (_, i) => i * 31 >> 3);

function carried(sha256 = createHash("sha256").update(CONTENT).digest("hex")): Carried & { reads: number } {
  return {
    name: "some/folder/thing.bin",
    bytes: CONTENT.length,
    sha256,
    reads: 0,
    read(from: number, to: number) {
      this.reads++;
      return Promise.resolve(CONTENT.subarray(from, to));
    },
  };
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a carried file is unpacked once and read from there afterwards", () =>
  inFolder(async (folder) => {
    const file = carried();
    const path = await unpack(file, folder);
    assert.ok(readFileSync(path).equals(CONTENT));
    assert.ok(path.endsWith("thing.bin"));
    const { reads } = file;
    assert.equal(await unpack(file, folder), path);
    assert.equal(file.reads, reads);
  }));

test("a file that was cut short is unpacked again", () =>
  inFolder(async (folder) => {
    const path = await unpack(carried(), folder);
    truncateSync(path, 1000);
    assert.equal(await unpack(carried(), folder), path);
    assert.equal(statSync(path).size, CONTENT.length);
  }));

test("a damaged binary is refused and leaves nothing behind", () =>
  inFolder(async (folder) => {
    const file = carried("0".repeat(64));
    await assert.rejects(unpack(file, folder), (error) => error instanceof HunchError && /damaged/.test(error.line));
    assert.deepEqual(readdirSync(dirname(join(folder, "embedded", file.sha256.slice(0, 16), "x"))), []);
  }));

test("two may unpack at once", () =>
  inFolder(async (folder) => {
    const paths = await Promise.all([unpack(carried(), folder), unpack(carried(), join(folder, "."))]);
    assert.ok(readFileSync(paths[0]).equals(CONTENT));
  }));
