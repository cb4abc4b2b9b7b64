// Stores on the disk: what is added stays, for its owner alone, in few files and below the limit; two processes lose
// nothing; what is damaged or left by killed processes is told, and mended.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { temporaryBeside } from "../../src/output-file.ts";
import { IndexedCorpus, indexOf } from "../../src/store/corpus.ts";
import { fingerprintOf } from "../../src/store/fingerprint.ts";
import { withLock } from "../../src/store/lock.ts";
import { MOST_TOKENS, Segment, writeSegment } from "../../src/store/segment.ts";
import { Store } from "../../src/store/store.ts";
import { BlockCache, FileWords, UnreadableError } from "../../src/store/words.ts";
import { because } from "../support/skip.ts";
import { killAtRandom } from "./support/killed.ts";
import { ABOUT, countOf, freshStore, textOf, writer } from "./support/texts.ts";

const quiet = (line: string) => assert.fail(line);
const segments = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(".texts"));

/** Opens, looks and closes. */
function inStore<T>(folder: string, look: (store: Store) => T, warn: (line: string) => void = quiet): T {
  const store = Store.open(folder, warn);
  try {
    return look(store);
  } finally {
    store.close();
  }
}

function addAll(folder: string, from: number, to: number): void {
  inStore(folder, (store) => {
    for (let number = from; number < to; number++) store.add([textOf(number)]);
  });
}

function assertHas(folder: string, from: number, to: number): void {
  inStore(folder, (store) => {
    for (let number = from; number < to; number++) assert.equal(countOf(store, number), 1, `text ${number}`);
  });
}

test("what is added is there when the store is opened again, in few files, and nobody else can read it", () => {
  const folder = freshStore();
  addAll(folder, 0, 50);
  assertHas(folder, 0, 50);
  const info = inStore(folder, (store) => store.info());
  assert.equal(info.texts, 50);
  assert.equal(info.tokens, Array.from({ length: 50 }, (_, i) => textOf(i).length).reduce((a, b) => a + b));
  assert.ok(info.files <= 7, `${info.files} files`);
  if (process.platform === "win32") return;
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
});

test("what another process adds is found after a refresh, and tokens that are none are left out", () => {
  const folder = freshStore();
  inStore(folder, (store) => {
    inStore(folder, (other) => other.add([Int32Array.of(5, 6, 7), Int32Array.of(5, 1000, 6, -4, 8)]));
    assert.equal(store.find([5], 1), undefined);
    store.refresh();
    assert.equal(store.find([5], 1)!.count, 2);
    assert.deepEqual(store.find([5], 1)!.next().map(({ token, places }) => [token, places.count]), [[6, 1]]);
  });
});

test("a full store drops its oldest texts, and shrinking drops more", () => {
  const folder = freshStore(64_000);
  inStore(folder, (store) => {
    for (let pack = 0; pack < 10; pack++) store.add(Array.from({ length: 60 }, (_, i) => textOf(pack * 60 + i)));
    const { bytes, limit } = store.info();
    assert.ok(bytes <= limit && bytes > limit / 2, `${bytes}`);
    assert.equal(countOf(store, 599), 1);
    assert.equal(countOf(store, 0), 0);
    const oldest = Array.from({ length: 600 }, (_, i) => i).find((number) => countOf(store, number) > 0)!;
    for (let number = oldest; number < 600; number++) {
      assert.equal(countOf(store, number), 1, `${number}, not in between`);
    }
    const before = store.info().texts;
    assert.ok(store.shrink(1000));
    assert.ok(store.info().texts <= before && store.info().files === 1 && store.info().limit === 64_000);
    assert.ok(store.verify());
  });
});

test("a limit that another process sets holds here, too, and of a store that was made anew nothing is tidied", () => {
  const folder = freshStore(200_000);
  inStore(folder, (store) => {
    inStore(folder, (other) => {
      other.shrink(10e6);
      other.add(Array.from({ length: 2000 }, (_, i) => textOf(i)));
    });
    store.add([textOf(2000)]);
    store.shrink();
    assert.deepEqual([store.info().texts, store.info().limit], [2001, 10e6]);
    Store.remove(folder);
    Store.create(folder, { ...ABOUT, tokenizer: "another" }, 1e6);
    assert.throws(() => store.add([textOf(1)]), /was made anew meanwhile/);
    assert.throws(() => store.shrink(64_000), /was made anew meanwhile/);
  });
  const { limit, tokenizer } = inStore(folder, (store) => store.info());
  assert.deepEqual([limit, tokenizer], [1e6, "another"]);
});

test("of a text that is larger than the limit its end stays, and is found", () => {
  const folder = freshStore(64_000);
  const text = Int32Array.from({ length: 20_000 }, (_, i) => (i * i + Math.floor(i / 7)) % 900);
  inStore(folder, (store) => {
    store.add([textOf(1), text]);
    const { texts, tokens, bytes } = store.info();
    assert.equal(texts, 1);
    assert.ok(bytes <= 64_000 && tokens > 5000, `${tokens} tokens in ${bytes} bytes`);
    for (let end = text.length; end > text.length - tokens + 40; end -= 40) {
      const found = store.find(text.subarray(end - 40, end), 40, 40);
      assert.ok(found !== undefined, `up to ${end}`);
    }
    assert.ok(store.verify());
  });
});

test("shrinking makes few files of those beside a full one, too", () => {
  const folder = freshStore();
  const full = new Int32Array(MOST_TOKENS).fill(-1, MOST_TOKENS - 1);
  for (const [at, number] of [50, 51].entries()) {
    const text = Int32Array.of(...textOf(number), -1);
    writeSegment(join(folder, `0000000000000${at}-0123456789ab.texts`), text, ABOUT, []);
  }
  writeSegment(join(folder, "99999999999999-0123456789ab.texts"), full, ABOUT, [], full); // in no order, which takes time
  inStore(folder, (store) => {
    store.shrink();
    assert.equal(store.info().files, 2);
    assert.equal(countOf(store, 51), 1);
  });
});

test("a text was added last when it was added, also where it is in one file with older ones", async () => {
  const folder = freshStore();
  addAll(folder, 0, 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const before = Date.now();
  addAll(folder, 1, 2);
  const { files, added } = inStore(folder, (store) => store.info());
  assert.equal(files, 1);
  assert.ok(added! >= before);
});

test("cutting texts off keeps the others' order: all of them are found", () => {
  const folder = freshStore();
  inStore(folder, (store) => store.add(Array.from({ length: 900 }, (_, i) => textOf(i))));
  const { bytes } = inStore(folder, (store) => store.info());
  inStore(folder, (store) => {
    store.shrink(Math.max(64_000, bytes / 2));
    const { texts } = store.info();
    assert.ok(texts > 100 && texts < 900, `${texts}`);
    for (let number = 900 - texts; number < 900; number++) assert.equal(countOf(store, number), 1);
  });
});

test("another tokenizer is refused by name, and so is a store that is not there, or there already", () => {
  const folder = freshStore();
  const own = { tokenizer: "feedfeedfeedfeed", vocab: 7, model: "other" };
  const says = (pattern: RegExp) => (error: unknown) => error instanceof HunchError && pattern.test(error.line);
  assert.throws(
    () => Store.open(folder, quiet, own),
    says(/belongs to the tokenizer of tiny \(1000 .*that of other \(7\)/),
  );
  assert.throws(() => Store.open(`${folder}x`, quiet), says(/there is no store .*hunch store build/));
  assert.throws(() => Store.create(folder, ABOUT), says(/there is a store .* already .*hunch store add/));
  writeFileSync(
    join(folder, "store.json"),
    readFileSync(join(folder, "store.json"), "utf8").replace('"version": 1', '"version": 2'),
  );
  assert.throws(() => Store.open(folder, quiet), says(/has version 2, and this hunch reads 1/));
});

test("a fingerprint tells vocabularies apart by their size and by their tokens", () => {
  const of = (vocab: number, changed = -1) =>
    fingerprintOf({ vocab, bytes: (token) => Uint8Array.of(token & 255, token === changed ? 1 : 0) });
  assert.equal(of(300), of(300));
  assert.equal(new Set([of(300), of(301), of(300, 7), of(300, 8)]).size, 4);
});

test("every byte of a file is looked at: whatever is changed is told, left out and mended, and the whole texts stay", () => {
  const original = freshStore();
  inStore(original, (store) => store.add(Array.from({ length: 400 }, (_, i) => textOf(i))));
  const [name] = segments(original);
  const bytes = readFileSync(join(original, name));
  const places = [0, 9, 13, 17, 30, 120, 4096, 9000, bytes.length >> 1, bytes.length - 4200, bytes.length - 1];
  for (const at of places) {
    const folder = freshStore();
    const broken = Buffer.from(bytes);
    broken[at] ^= 0x40;
    writeFileSync(join(folder, name), broken);
    const lines: string[] = [];
    inStore(folder, (store) => {
      assert.equal(store.verify(), false, `byte ${at}`);
      assert.equal(lines.length, 1);
      assert.match(lines[0], /^this part of the store is damaged: .*\(.*\.texts.*\); it is left out, and mended when/);
      store.add([textOf(5000)]);
      assert.equal(countOf(store, 5000), 1);
      assert.ok(store.verify(), `byte ${at} is mended`);
      const left = Array.from({ length: 400 }, (_, i) => countOf(store, i)).reduce((a, b) => a + b);
      const [least, most] = at < 4096 ? [0, 0] : at < bytes.length / 2 ? [300, 399] : [400, 400];
      assert.ok(left >= least && left <= most, `byte ${at}: ${left} texts`);
    }, (line) => lines.push(line));
    assert.match(lines.join("\n"), at < 4096 ? /could not be mended and is kept aside/ : /is mended/);
  }
});

test("a file that is cut short or empty is told, and damage that a lookup finds costs that file alone", () => {
  const folder = freshStore();
  inStore(folder, (store) => store.add(Array.from({ length: 400 }, (_, i) => textOf(100 + i))));
  addAll(folder, 0, 1);
  const large =
    segments(folder).map((name) => join(folder, name)).sort((a, b) => statSync(b).size - statSync(a).size)[0];
  const { size } = statSync(large);
  const lines: string[] = [];
  inStore(folder, (store) => {
    const bytes = readFileSync(large);
    bytes.fill(1, 4096);
    writeFileSync(large, bytes); // meanwhile
    assert.equal(countOf(store, 100), 0);
    assert.equal(countOf(store, 0), 1);
  }, (line) => lines.push(line));
  assert.equal(lines.length, 1);
  for (const length of [size - 1, 5000, 10, 0]) {
    truncateSync(large, length);
    const told: string[] = [];
    inStore(folder, (store) => assert.equal(countOf(store, 0), 1), (line) => told.push(line));
    assert.equal(told.length, 1, `${length} bytes`);
  }
});

test("a damaged store.json is made again of the texts; where there are none the store is refused", () => {
  const folder = freshStore();
  writeFileSync(join(folder, "store.json"), "{");
  assert.throws(() => Store.open(folder, quiet), /nothing in it can be read/);
  writeFileSync(
    join(folder, "store.json"),
    JSON.stringify({ format: "hunch store", version: 1, ...ABOUT, limit: 1e6 }),
  );
  addAll(folder, 0, 3);
  writeFileSync(join(folder, "store.json"), "");
  const lines: string[] = [];
  inStore(folder, (store) => assert.equal(countOf(store, 2), 1), (line) => lines.push(line));
  assert.match(lines.join(), /store.json of the store .* was damaged and is made again/);
  assertHas(folder, 0, 3);
});

test("a store.json that cannot be read is no damage; one made again has room for all that is there", () => {
  const folder = freshStore();
  addAll(folder, 0, 3);
  const large = join(folder, "00000000000001-0123456789ab.texts");
  writeFileSync(large, "");
  truncateSync(large, 150e6); // takes no room on the disk, and is damaged
  const path = join(folder, "store.json");
  rmSync(path);
  mkdirSync(path);
  assert.throws(() => Store.open(folder, quiet), /this store cannot be read: E/);
  rmSync(path, { recursive: true });
  const lines: string[] = [];
  const info = inStore(folder, (store) => store.info(), (line) => lines.push(line));
  assert.match(lines[0], /was damaged and is made again, with a limit of 151 MB/);
  assert.ok(info.limit > 150e6, `${info.limit}`);
  const keys = ["tokenizer", "vocab", "model", "limit", "texts", "tokens", "bytes", "files", "added"];
  assert.deepEqual(Object.keys(info), keys);
});

test("what the system does not give is left for later; what cannot be mended is kept aside", () => {
  const folder = freshStore();
  inStore(folder, (store) => store.add(Array.from({ length: 400 }, (_, i) => textOf(i))));
  const [name] = segments(folder);
  const path = join(folder, name);
  const bytes = readFileSync(path);
  rmSync(path);
  mkdirSync(path); // opens, and cannot be read
  const lines: string[] = [];
  inStore(folder, (store) => {
    store.add([textOf(1000)]);
    assert.ok(statSync(path).isDirectory());
    assert.equal(countOf(store, 1000), 1);
    rmSync(path, { recursive: true });
    writeFileSync(path, bytes);
    store.add([textOf(1001)]);
    assert.deepEqual([countOf(store, 7), countOf(store, 399), countOf(store, 1001)], [1, 1, 1]);
  }, (line) => lines.push(line));
  assert.match(lines[0], /this store cannot be read: E.*; it is left out, and tried again/);
  const [whole] = segments(folder);
  writeFileSync(join(folder, whole), "something else");
  inStore(folder, (store) => store.add([textOf(1002)]), (line) => lines.push(line));
  assert.match(lines.at(-1)!, /could not be mended and is kept aside/);
  assert.equal(readFileSync(join(folder, `${whole}.damaged`), "utf8"), "something else");
});

test("where the system does not give a part while files are made one, the text is added all the same", () => {
  const folder = freshStore();
  addAll(folder, 0, 1);
  const lines: string[] = [];
  const { wholeTexts } = Segment.prototype;
  inStore(folder, (store) => {
    Segment.prototype.wholeTexts = function () {
      throw new UnreadableError("EIO", this.path);
    };
    try {
      store.add([textOf(1)]);
    } finally {
      Segment.prototype.wholeTexts = wholeTexts;
    }
    assert.equal(segments(folder).length, 2);
    store.add([textOf(2)]);
    for (const number of [0, 1, 2]) assert.equal(countOf(store, number), 1);
  }, (line) => lines.push(line));
  assert.match(lines[0], /cannot be read: EIO .*; it is left out, and tried again/);
  assertHas(folder, 0, 3);
});

test("a block that the system does not give is not damaged, and costs a lookup that part alone", () => {
  const words = new FileWords({ path: "x", descriptor: 1e6 }, 0, 8, new Uint32Array(1), new BlockCache());
  assert.throws(() => words.at(0), UnreadableError);
  assert.throws(() => words.all(() => assert.fail()), UnreadableError);
  const told: Error[] = [];
  const corpus = new IndexedCorpus(1000, (_, error) => told.push(error));
  corpus.indexes = [{ text: words, places: words }, indexOf([[5, 6]], 1000)];
  assert.equal(corpus.find([5], 1)?.count, 1);
  assert.ok(told[0] instanceof UnreadableError);
});

test("a header that says what no writer says is damaged, and no number is taken for a token that is none", () => {
  const folder = freshStore();
  addAll(folder, 0, 1);
  const [good] = segments(folder);
  const name = "00000000000001-0123456789ab.texts";
  const path = join(folder, name);
  const text = Int32Array.of(...textOf(1), -1);
  const damaged = [name, "../../x.texts", "store.json"].map((other): readonly string[] => [other]);
  for (const replaces of [...damaged, `${good}` as unknown as string[]]) {
    writeSegment(path, text, ABOUT, replaces);
    const lines: string[] = [];
    inStore(folder, (store) => assert.equal(countOf(store, 0), 1), (line) => lines.push(line));
    assert.match(lines.join(), /its header cannot be read/);
  }
  writeSegment(path, Int32Array.of(...textOf(1), -1, 5, 2000, -7, 6, -1), ABOUT, []);
  const lines: string[] = [];
  inStore(folder, (store) => {
    store.shrink();
    assert.equal(countOf(store, 1), 1);
    assert.ok(store.verify());
  }, (line) => lines.push(line));
  assert.match(lines.join("\n"), /^2 tokens of the store .* are lost/);
  const [merged] = segments(folder);
  const tokens = new Int32Array(Uint8Array.from(readFileSync(join(folder, merged)).subarray(4096, 8192)).buffer);
  assert.ok(tokens.every((token) => token >= -1 && token < ABOUT.vocab));
});

test("texts keep their order though they come within one millisecond", () => {
  const folder = freshStore();
  inStore(folder, (store) => {
    for (let at = 0; at < 20; at++) {
      store.add([textOf(20 - at)]);
      const times = segments(folder).map((name) => name.slice(0, 14));
      assert.deepEqual(times, [...new Set(times)], "no two of one time");
    }
  });
});

test("what a process left that was killed between writing and removing counts once", () => {
  const folder = freshStore();
  inStore(folder, (store) => store.add([textOf(1)]));
  const [old] = segments(folder);
  const kept = readFileSync(join(folder, old));
  inStore(folder, (store) => store.add([textOf(2)])); // both in one file now
  assert.equal(segments(folder).length, 1);
  writeFileSync(join(folder, old), kept);
  assertHas(folder, 1, 3);
  addAll(folder, 3, 4);
  assert.ok(!existsSync(join(folder, old)), "the next one to tidy removes it");
  assertHas(folder, 1, 4);
});

test("the lock goes to one, and what a killed process holds to the next", () => {
  const folder = freshStore();
  assert.equal(withLock(folder, () => withLock(folder, () => 1) ?? 2), 2);
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const host = hostname().replaceAll(/[^\w.]/g, "_");
  renameSync(join(folder, "lock-free"), join(folder, `lock-held-${host}-${pid}-0123456789abcdef`));
  assert.equal(withLock(folder, () => 3), 3);
  assert.ok(existsSync(join(folder, "lock-free")));
});

test("stores that were never finished, or on their way out, are cleared away; a removed store is gone", () => {
  const folder = freshStore();
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const left = `${folder}.${pid}-7.tmp`;
  mkdirSync(left);
  freshStore();
  assert.ok(!existsSync(left));
  const other = temporaryBeside(folder).replace(`-${process.pid}-`, `-${pid}-`);
  assert.match(other, /\.[0-9a-f]{6}-\d+-\d+\.tmp$/);
  mkdirSync(other);
  inStore(folder, (store) => {
    store.add([textOf(1)]);
    Store.remove(folder);
    assert.deepEqual(readdirSync(dirname(folder)).filter((name) => name.startsWith(`${basename(folder)}.`)), []);
    assert.throws(() => store.add([textOf(2)]), HunchError);
  });
});

test("two processes at once lose nothing", async () => {
  const folder = freshStore();
  const run = ([program, ...args]: string[]) =>
    new Promise<number | null>((resolve, reject) =>
      spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] }).on("error", reject).on("close", resolve)
    );
  assert.deepEqual(await Promise.all([run(writer(folder, 0, 60)), run(writer(folder, 1000, 60))]), [0, 0]);
  assertHas(folder, 0, 60);
  assertHas(folder, 1000, 1060);
  assert.ok(inStore(folder, (store) => store.verify() && store.info().texts === 120));
});

const windows = process.platform === "win32" ? because("Windows has no kill -9") : false;

test(
  "a process that is killed while it writes leaves a good store, with all that it said was there",
  { skip: windows },
  async () => {
    assert.ok(await killAtRandom(4) > 0);
  },
);
