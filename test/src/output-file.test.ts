// Files as they are written: what stands there before, and what is left after.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OutputFile, removeLeft, WriteError, writeOutput } from "../../src/output-file.ts";
import { because } from "../support/skip.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const place = (name: string) => join(folder, name);
const text = (path: string) => readFileSync(path, "utf8");
const skip = process.platform === "win32" ? because("Windows has no such files") : false;
const fails = (code: string, kind: string) => (error: unknown) =>
  error instanceof WriteError && error.code === code && error.kind === kind;

test("a file has its name when it is whole, and no trace is left of one that never was", () => {
  const path = place("whole");
  writeFileSync(path, "before");
  const file = new OutputFile(path);
  file.write(new TextEncoder().encode("aft"));
  assert.equal(text(path), "before");
  file.write(new TextEncoder().encode("er"));
  file.finish();
  file.discard();
  assert.equal(text(path), "after");
  const never = new OutputFile(path);
  never.write(new Uint8Array(10));
  never.discard();
  assert.equal(text(path), "after");
  assert.deepEqual(readdirSync(folder), ["whole"]);
});

test("a link stays a link, and what it leads to is written, there before or not", { skip }, () => {
  mkdirSync(place("elsewhere"));
  writeFileSync(place("elsewhere/there"), "before");
  symlinkSync("elsewhere/there", place("link"));
  symlinkSync("link", place("link to link"));
  symlinkSync("elsewhere/new", place("dangling"));
  writeOutput(place("link to link"), "after");
  writeOutput(place("dangling"), "new");
  assert.equal(text(place("elsewhere/there")), "after");
  assert.equal(text(place("elsewhere/new")), "new");
  assert.deepEqual(["link", "link to link", "dangling"].map((name) => readlinkSync(place(name))), [
    "elsewhere/there",
    "link",
    "elsewhere/new",
  ]);
  symlinkSync("circle", place("circle"));
  assert.throws(() => writeOutput(place("circle"), ""), fails("ELOOP", "usage"));
});

test("mode and other names of a file that is replaced stay, and a new one has the mode asked for", { skip }, () => {
  writeFileSync(place("script"), "before");
  chmodSync(place("script"), 0o750);
  writeOutput(place("script"), "after", { mode: 0o600 });
  assert.equal(statSync(place("script")).mode & 0o7777, 0o750);
  writeOutput(place("secret"), "new", { mode: 0o600 });
  assert.equal(statSync(place("secret")).mode & 0o7777, 0o600);
  linkSync(place("script"), place("other name"));
  writeOutput(place("script"), "at last");
  assert.equal(text(place("other name")), "at last");
  assert.equal(statSync(place("other name")).nlink, 2);
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".tmp")), []);
});

test("devices and pipes are written to and stay what they are", { skip }, async () => {
  writeOutput("/dev/null", "gone");
  assert.ok(lstatSync("/dev/null").isCharacterDevice());
  spawnSync("mkfifo", [place("pipe")]);
  const reader = spawn("cat", [place("pipe")]);
  let read = "";
  reader.stdout.on("data", (data) => read += data);
  writeOutput(place("pipe"), "through it");
  await new Promise((resolve) => reader.on("close", resolve));
  assert.equal(read, "through it");
  assert.ok(lstatSync(place("pipe")).isFIFO());
  if (process.platform === "linux") {
    assert.throws(() => writeOutput("/dev/full", "too much"), fails("ENOSPC", "unavailable"));
    assert.ok(lstatSync("/dev/full").isCharacterDevice());
  }
});

test("stdout by its name is written behind what stands there", { skip }, () => {
  const module = fileURLToPath(new URL("../../src/output-file.ts", import.meta.url));
  const code = `console.log("one"); (await import(${JSON.stringify(module)})).writeOutput("/dev/stdout", "two\\n")`;
  const script = place("say.ts");
  writeFileSync(script, `${code}; console.log("three");`);
  const run = "Deno" in globalThis ? [process.execPath, "run", "-A", "--no-check"] : [process.execPath];
  const { status, stderr } = spawnSync("sh", ["-c", '"$@" > said', "sh", ...run, script], { cwd: folder });
  assert.equal(status, 0, String(stderr));
  assert.equal(text(place("said")), "one\ntwo\nthree\n");
});

test("folders and paths that lead nowhere are refused, and leave nothing behind", () => {
  mkdirSync(place("folder"));
  assert.throws(() => writeOutput(place("folder"), ""), fails("EISDIR", "usage"));
  assert.throws(() => writeOutput(place("no/file"), ""), fails("ENOENT", "usage"));
  writeOutput(place("made/on/the/way"), "there", { folders: true });
  assert.equal(text(place("made/on/the/way")), "there");
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".tmp")), []);
});

test("what a killed process left is removed by the next one that writes the file, and nothing else is", () => {
  const path = place("long work");
  const { pid } = spawnSync("true");
  const running = new OutputFile(path);
  const [temporary] = readdirSync(folder).filter((name) => name.startsWith("long work."));
  const left = temporary.replace(`-${process.pid}-`, `-${pid}-`);
  for (const name of [left, `long work.${pid}.tmp`, `other.${pid}.tmp`]) writeFileSync(place(name), "");
  writeOutput(path, "done");
  const others = readdirSync(folder).filter((name) => name.endsWith(".tmp")).sort();
  assert.deepEqual(others, [temporary, `long work.${pid}.tmp`, `other.${pid}.tmp`].sort());
  removeLeft(folder); // a folder of our own: what earlier versions left goes, too
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".tmp")), [temporary]);
  running.finish();
});
