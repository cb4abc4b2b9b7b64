// hunch tune: halving finds the best, and what it finds is what later runs of that model use.
import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Setting } from "../../cli/bench/settings.ts";
import type { Stand } from "../../cli/bench/stand.ts";
import { workingSettings } from "../../cli/bench/warm-up.ts";
import { promisingFormats } from "../../cli/tune/candidates.ts";
import { halve } from "../../cli/tune/halving.ts";
import { file, FOLDER, hunch, STORIES, STORIES_DRAFT } from "./support/cli.ts";

test("halving gives most of its time to the best, and finds it however it is hidden in noise", async () => {
  let now = 0;
  let state = 11;
  const noise = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  const measured = new Map<number, number[]>();
  const ranked = await halve(Array.from({ length: 20 }, (_, i) => i), 1000, {
    clock: () => now,
    measure: (some, deadline) => {
      do {
        for (const one of some) {
          measured.set(one, [...measured.get(one) ?? [], one / 20 + noise() * 0.2]);
          now += 1;
        }
      } while (now < deadline);
      return Promise.resolve(some.filter((one) => one !== 7)); // it cannot run
    },
    score: (one) => measured.get(one)!.reduce((a, b) => a + b) / measured.get(one)!.length,
  });
  assert.equal(ranked[0], 19);
  assert.ok(!ranked.includes(7) && ranked.length === 19);
  const counts = ranked.map((one) => measured.get(one)!.length);
  assert.ok(counts[0] > 10 * counts[18], `${counts}`);
  assert.ok(now < 1100, "it keeps to its time");
});

test("where the first round takes all the time, it decides", async () => {
  let now = 0;
  let rounds = 0;
  const ranked = await halve([1, 2, 3, 4], 100, {
    clock: () => now,
    measure: (some) => {
      now += 150;
      rounds++;
      return Promise.resolve(some);
    },
    score: (one) => -Math.abs(one - 3),
  });
  assert.deepEqual([rounds, ranked[0], ranked.length], [1, 3, 4]);
});

test("a format that another beats at every width is not tried, one that wins somewhere is", () => {
  const curve = (one: number, wide: number) => [{ width: 1, ms: one }, { width: 16, ms: wide }, { width: 64, ms: 1 }];
  const curves = new Map([["exact", curve(5, 20)], ["int8", curve(7, 12)], ["float32", curve(12, 24)]] as const);
  assert.deepEqual(promisingFormats(curves), ["exact", "int8"]);
});

test("who would begin when it is late is left out, but for plain decoding and the first after it", async () => {
  const settings = ["none", "lookup", "suffix", "pool"].map((drafter) => ({ name: drafter, drafter }));
  const asked: string[] = [];
  const stand = {
    prompt: () => Promise.resolve({ tokens: new Int32Array(1), messages: [] }),
    answer: ({ name }: { name: string }) => Promise.resolve(void asked.push(name)),
  } as unknown as Stand;
  const named = async (late: () => boolean) =>
    (await workingSettings(stand, settings as unknown as Setting[], () => {}, () => {}, late)).map(({ name }) => name);
  assert.deepEqual(await named(() => false), ["none", "lookup", "suffix", "pool"]);
  assert.deepEqual(await named(() => asked.at(-1) === "suffix"), ["none", "lookup", "suffix"]);
  assert.deepEqual(await named(() => true), ["none", "lookup"]);
});

interface Shown {
  readonly name: string;
  readonly drafter: string;
  readonly score: number;
  readonly kinds: readonly { readonly prompts: number }[];
}

test("later runs use what was found, say so, and forget it", async () => {
  const env = { XDG_STATE_HOME: join(FOLDER, "state") };
  const short = await hunch(["tune", "-m", STORIES, "-n", "4"], { env });
  assert.equal(short.code, 2);
  assert.match(short.stderr, /answers of 4 tokens say nothing about a speed/);
  const data = file(
    "tune.jsonl",
    '{"prompt":"Once upon a time","kind":"a"}\n{"prompt":"One day","kind":"b"}\n' +
      '{"prompt":"Lily had a red ball.","kind":"a"}\n',
  );
  const model = ["-m", STORIES, "--threads", "1"];
  const search = ["--seconds", "1", "--format", "float32", "-d", `model:${STORIES_DRAFT}`, "-n", "12", "--json"];
  const found = await hunch(["tune", ...model, ...search, "--data", data], { env });
  assert.equal(found.code, 0, found.stderr);
  const { profile, ranked, checked } = JSON.parse(found.stdout) as {
    profile: Record<string, unknown>;
    ranked: Shown[];
    checked: Shown[];
  };
  assert.ok(ranked.length > 1 && ranked.every(({ score }) => score > 0));
  assert.equal(profile.drafter, checked.toSorted((a, b) => b.score - a.score)[0].drafter, "nobody is made slower");
  // Held out is the second prompt of "a"; "b" has one, which is searched with.
  assert.ok(ranked.every(({ kinds }) => kinds.length > 0) && checked.every(({ kinds }) => kinds[0].prompts === 1));
  assert.ok(checked.some(({ drafter }) => drafter === "none") && checked.length <= 3);
  assert.equal(
    profile.overDefault,
    checked.find(({ drafter }) => drafter === profile.drafter)!.score /
      checked.find(({ name }) => name === "suffix, greedy, cost")!.score,
  );
  assert.ok(Number(profile.overPlain) > 0 && Number(profile.overDefault) > 0);
  const [tuned, named, chat] = await Promise.all([
    hunch([...model, "--json", "-n", "4", "Tom"], { env }),
    hunch([...model, "--json", "-n", "4", "-d", "none", "Tom"], { env }),
    hunch([...model, "--summary", "-n", "4", "Tom"], { env }),
  ]);
  const { stats: { method }, tuned: when, tokens } = JSON.parse(tuned.stdout);
  assert.equal(when, profile.made);
  assert.deepEqual([method.format, method.rule], ["float32", "greedy"]);
  assert.match(chat.stderr, /float32 · lossless · as tuned on \d{4}-\d\d-\d\d/);
  const plain = JSON.parse(named.stdout);
  assert.equal(plain.tuned, undefined);
  assert.deepEqual(plain.tokens, tokens);

  const other = await hunch(["-m", STORIES, "--threads", "2", "--json", "-n", "4", "Tom"], { env });
  assert.equal(JSON.parse(other.stdout).tuned, undefined, "it was not tuned with two threads");
  const { path } = JSON.parse(found.stdout) as { path: string };
  const kept = readFileSync(path, "utf8");
  writeFileSync(path, JSON.stringify({ ...profile, drafter: "model:/nowhere.gguf" }));
  const broken = await hunch([...model, "--json", "-n", "4", "Tom"], { env });
  assert.equal(broken.code, 0, broken.stderr);
  assert.match(broken.stderr, /what hunch tune found cannot be used: .*; going on untuned/);
  assert.deepEqual([JSON.parse(broken.stdout).tuned, JSON.parse(broken.stdout).tokens], [undefined, tokens]);
  writeFileSync(path, kept);

  const forgotten = await hunch(["tune", ...model, "--forget"], { env });
  assert.equal(forgotten.stdout, "forgotten: the profile of stories260K\n");
  const after = JSON.parse((await hunch([...model, "--json", "-n", "4", "Tom"], { env })).stdout);
  assert.equal(after.tuned, undefined);
});

test("Ctrl-C ends the search with its own exit code, and nothing is kept", async () => {
  const before = process.listenerCount("SIGINT");
  const state = join(FOLDER, "interrupted");
  const timer = setInterval(() => {
    if (process.listenerCount("SIGINT") <= before) return; // the search has not begun
    clearInterval(timer);
    process.emit("SIGINT");
  }, 5);
  const { code, stdout, stderr } = await hunch(
    ["tune", "-m", STORIES, "--threads", "1", "--format", "float32", "--seconds", "30", "-n", "12", "-d", "suffix"],
    { env: { XDG_STATE_HOME: state } },
  );
  clearInterval(timer);
  assert.deepEqual([code, stdout, existsSync(state)], [130, "", false], stderr);
  assert.match(stderr, /^hunch: interrupted: nothing was changed$/m);
});
