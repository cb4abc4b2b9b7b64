// hunch store and --store: made, shown, shrunk, removed; grown by answers; refused where it does not fit.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stores } from "../../cli/engine/stores.ts";
import { stderr } from "../../cli/output/streams.ts";
import type { Completion } from "../../src/generation.ts";
import { storeFolder } from "../../cli/cache/stores.ts";
import { textsOf } from "../../cli/store/texts.ts";
import type { HunchError } from "../../src/errors.ts";
import { temporaryBeside, WriteError } from "../../src/output-file.ts";
import { Store } from "../../src/store/store.ts";
import { openModel } from "../../src/model/open.ts";
import { chatModel, file, FOLDER, hunch, hunchProcess, type RunOptions, STORIES, TINY } from "./support/cli.ts";

const STATE = join(FOLDER, "state");
const STORES = join(STATE, "hunch", "stores");
const run = (args: readonly string[], options: RunOptions = {}) =>
  hunch(args, { env: { XDG_STATE_HOME: STATE }, ...options });
const store = (...args: string[]) => run(["store", ...args]);
const MODEL = ["-m", STORIES];

test("a store is made of texts, shown, and said to be damaged where it is", async () => {
  const made = await run(["store", "build", "tales", "-", ...MODEL], { input: "Once upon a time there was a cat." });
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^1 text, \d+ tokens added to tales\n1 text, \d+ tokens, [\d.]+ kB of 100 MB\n$/);
  const [again, list, info, missing] = await Promise.all([
    store("build", "tales", "-", ...MODEL),
    store("list"),
    store("info", "tales", "--json"),
    store("info", "none"),
  ]);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /^hunch: there is a store tales already \(.*\); add to it: hunch store add tales FILE/);
  assert.match(list.stdout, /^tales +1 text +\d+ tokens +[\d.]+ kB of 100 MB +\d{4}-.* stories260K\n$/);
  const { texts, whole, vocab } = JSON.parse(info.stdout);
  assert.deepEqual([texts, whole, vocab], [1, true, 512]);
  assert.match(
    missing.stderr,
    /^hunch: there is no store none \(.*\); make one: hunch store build none FILE, or --store/,
  );
  const [part] = readdirSync(join(STORES, "tales")).filter((name) => name.endsWith(".texts"));
  writeFileSync(join(STORES, "tales", part), "damaged");
  const damaged = await store("info", "tales");
  assert.equal(damaged.code, 3);
  assert.match(
    damaged.stderr,
    /^hunch: this part of the store is damaged: it ends before its header \(.*; it is left out/,
  );
  const added = await run(["store", "add", "tales", "-", ...MODEL], { input: "The end." });
  assert.match(added.stderr, /could not be mended and is kept aside/);
  const shrunk = await store("shrink", "tales", "64kB");
  assert.match(shrunk.stdout, /^1 text, .* of 64\.0 kB\n$/);
  assert.equal((await store("remove", "tales")).stdout, "removed tales\n");
  assert.ok(!existsSync(join(STORES, "tales")));
});

test("texts come from files, folders, lines and conversations; what is wrong is told with its place", async () => {
  const folder = join(FOLDER, "texts");
  mkdirSync(join(folder, "inner"), { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  writeFileSync(join(folder, "a.txt"), "Once upon a time there was a cat.");
  writeFileSync(join(folder, "inner", "b.json"), "[1]");
  writeFileSync(join(folder, "node_modules", "c.ts"), "not this");
  writeFileSync(join(folder, "image"), Uint8Array.of(0xff, 0, 1));
  writeFileSync(join(folder, ".hidden"), "not this");
  const lines = file(
    "lines.jsonl",
    '"A dog ran."\n{"text": "Tom ran.", "tokens": [1]}\n\n{"error": {"message": "x"}}\n',
  );
  const source = await openModel(chatModel(), {});
  const textsIn = async (...paths: string[]) => {
    const { texts, left } = await textsOf(paths, source, () => {});
    return { texts: texts.map((text) => source.tokenizer.decode(text).trim()), left };
  };
  assert.deepEqual(await textsIn(folder, lines), {
    texts: ["Once upon a time there was a cat.", "[1]", "A dog ran.", "Tom ran."],
    left: [`1 of 3 files in ${folder}: they are no text`, `1 of the lines of ${lines}: they hold no text`],
  });
  const messages = [{ role: "user", content: "Tom?" }, { role: "assistant", content: "Yes." }];
  for (const content of [messages, { messages }]) {
    const { texts } = await textsIn(file("c.json", JSON.stringify(content)));
    assert.match(texts[0], /^user: Tom\?\nassistant: Yes\./);
  }
  const refused: [string, string, RegExp][] = [
    ["bad.jsonl", '"fine"\n{"text": \n', /^this is not JSON \(.*bad\.jsonl, line 2\); correct it$/],
    ["c.json", '{"messages": [{"role": "x"}]}', /c\.json, field messages\[0\]\.role/],
    ["d.txt", "\0", /d\.txt/],
  ];
  for (const [name, content, pattern] of refused) {
    await assert.rejects(textsIn(file(name, content)), (error: HunchError) => pattern.test(error.line));
  }
  source.close();
  assert.throws(() => storeFolder("../x"), /is no name for a store/);
});

test("--store is made at first use, grows by answers for their owner alone, and drafts from the one before", async () => {
  const input = ["Once upon a time", "Once upon a time", "Lily"].map((prompt) => JSON.stringify({ prompt })).join("\n");
  const args = [...TINY, "--jsonl", "-n", "16"];
  const [plain, stored, none] = await Promise.all([
    run([...args, "-d", "none"], { input }),
    run([...args, "-d", "rest", "--store", "grown", "--controller", "fixed"], { input }),
    run([...TINY, "-d", "rest", "Lily"]),
  ]);
  assert.equal(stored.code, 0, stored.stderr);
  const results = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const [first, second] = results(stored.stdout);
  assert.deepEqual(results(stored.stdout).map(({ text }) => text), results(plain.stdout).map(({ text }) => text));
  assert.equal(first.stats.accepted, 0);
  assert.ok(second.stats.accepted > 8, `${second.stats.accepted}`);
  const { texts } = JSON.parse((await store("info", "grown", "--json")).stdout);
  assert.equal(texts, 3);
  if (process.platform !== "win32") {
    for (const name of readdirSync(join(STORES, "grown"))) {
      assert.equal(statSync(join(STORES, "grown", name)).mode & 0o777, 0o600);
    }
  }
  assert.deepEqual([none.code, none.stdout], [2, ""]);
  assert.match(
    none.stderr,
    /^hunch: rest drafts from a store, and none is named; give --store NAME, or write rest:NAME/,
  );
});

test("what cannot be filled is not left behind, nor what killed processes left; a stray file is no store", async () => {
  const { refresh, add } = Store.prototype;
  const left = temporaryBeside(join(STORES, "old")).replace(
    `-${process.pid}-`,
    `-${spawnSync(process.execPath, ["--version"]).pid}-`,
  );
  const build = () => run(["store", "build", "full", "-", ...MODEL], { input: "Once upon a time." });
  const full = () => {
    throw new WriteError("ENOSPC", "a file", "make room for it");
  };
  for (const broken of [{ refresh: full }, { add: full }]) {
    Object.assign(Store.prototype, broken);
    const { code, stderr } = await build();
    Object.assign(Store.prototype, { refresh, add });
    assert.equal(code, 4);
    assert.match(stderr, /no space left on the device/);
    assert.ok(!existsSync(join(STORES, "full")));
  }
  mkdirSync(left);
  for (const stray of ["README.md", "a b.txt", ".DS_Store"]) writeFileSync(join(STORES, stray), "");
  mkdirSync(join(STORES, "no name"));
  assert.equal((await build()).code, 0);
  assert.ok(!existsSync(left));
  mkdirSync(left);
  const { stdout, stderr } = await store("list");
  assert.deepEqual([stderr, stdout.match(/^full {2}/m)?.length], ["", 1]);
  assert.ok(!existsSync(left));
});

test("an answer counts in another process that runs already, from its next text on", async () => {
  const line = (prompt: string) => `${JSON.stringify({ prompt })}\n`;
  const args = [...TINY, "-n", "16", "-d", "rest", "--store", "shared", "--controller", "fixed"];
  let asked = false;
  const { stdout, stderr } = await hunchProcess([...args, "--jsonl"], {
    env: { XDG_STATE_HOME: STATE },
    input: line("Lily"),
    open: true,
    watch: (child) => {
      if (asked) return;
      asked = true;
      void run([...args, "Once upon a time"]).then(() => child.stdin!.end(line("Once upon a time")));
    },
  });
  const [, second] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.ok(second.stats.accepted > 8, `${second.stats.accepted} ${stderr}`);
});

test("a store that goes away costs what would be kept, and no answer", async () => {
  const source = await openModel(STORIES, {});
  const before = process.env.XDG_STATE_HOME;
  const lines: string[] = [];
  process.env.XDG_STATE_HOME = STATE;
  const put = stderr.write;
  stderr.write = (line) => void lines.push(line);
  try {
    const stores = new Stores(source, "brief");
    const answer = { tokens: Int32Array.of(5, 6, 7), finish: "end" } as Completion;
    stores.keep(Int32Array.of(1, 2), answer);
    assert.equal(stores.corpus()!.find([1, 2, 5], 8)?.length, 3);
    stores.keep(Int32Array.of(1, 2), { ...answer, finish: "aborted" });
    assert.equal(stores.corpus()!.find([5], 8)?.count, 1, "what was interrupted is not kept");
    rmSync(join(STORES, "brief"), { recursive: true });
    for (let i = 0; i < 3; i++) stores.keep(Int32Array.of(1, 2), answer);
    stores.close();
  } finally {
    stderr.write = put;
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
    source.close();
  }
  assert.equal(lines.length, 1);
  assert.match(lines[0], /^hunch: answers are not added to the store brief any more: .*no such folder/);
});
