// A conversion says what it takes, and is refused in one line before anything is written where it does not fit.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { because } from "../support/skip.ts";
import { conversionStep, roomFor } from "../../src/room.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const path = join(folder, "not", "there", "yet.hunch");
const asked = { title: "Big", path, bytes: 927e6, hint: "name another" };

test("what fits is said", () => {
  assert.equal(
    conversionStep(asked, { disk: 1e9, memory: 1.2e9 }),
    "converting to 927 MB on disk and at least as much in memory",
  );
});

test("what does not fit is refused, with what it takes and what there is", () => {
  const refused = (room: { disk: number; memory: number }, line: RegExp) =>
    assert.throws(() => conversionStep(asked, room), (error) => {
      assert.ok(error instanceof HunchError && error.kind === "unavailable");
      assert.match(error.line, line);
      assert.ok(!error.line.includes("\n"));
      return true;
    });
  refused(
    { disk: 300e6, memory: 1e12 },
    /^Big takes 927 MB of disk .* 300 MB are left \(.*yet\.hunch\); name another$/,
  );
  refused(
    { disk: 1e12, memory: 1100e6 },
    /^Big takes at least 927 MB of memory .* has 1100 MB .*; take a smaller model/,
  );
});

test("the room is that of the folder which will hold the file", () => {
  const { disk, memory } = roomFor(path);
  assert.ok(disk > 0 && Number.isFinite(disk));
  assert.ok(memory > 1e8 && Number.isFinite(memory));
  assert.ok(!existsSync(join(folder, "not")));
  assert.throws(() => conversionStep({ ...asked, bytes: 1e18 }), /of disk|of memory/);
});

test("devices take what they are given", { skip: !existsSync("/dev/null") && because("there is no /dev/null") }, () => {
  assert.equal(roomFor("/dev/null").disk, Infinity);
});
