// hunch bench: what it measures is what happened, it goes on where it was killed, and comparing finds what became slower.
import { test } from "node:test";
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DATA_SETS, tasksOf } from "../../cli/bench/data.ts";
import { differencesOf } from "../../cli/bench/compare.ts";
import { html } from "../../cli/bench/html.ts";
import { markdown } from "../../cli/bench/markdown.ts";
import { fastestOf, measureGroup } from "../../cli/bench/measure.ts";
import { readResults, type Results } from "../../cli/bench/results.ts";
import { rowsOf } from "../../cli/bench/rows.ts";
import { plainSetting } from "../../cli/bench/settings.ts";
import { Stand } from "../../cli/bench/stand.ts";
import { interval, spread, stratified } from "../../cli/bench/statistics.ts";
import type { HunchError } from "../../src/errors.ts";
import { warningsOf } from "../../cli/bench/warnings.ts";
import { GREEDY } from "../../src/sampling.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { file, FOLDER, hunch, STORIES, STORIES_DRAFT } from "./support/cli.ts";

const OUT = join(FOLDER, "measured");
const PROMPTS = file(
  "prompts.jsonl",
  [["Once upon a time", "openings"], ["Lily had a red ball.", "openings"], ["One day", "middles"]]
    .map(([prompt, kind]) => JSON.stringify({ prompt, kind })).join("\n"),
);
const BENCH = ["bench", "-m", STORIES, "--backend", "onnx", "--format", "float32", "--threads", "1", "--data", PROMPTS]
  .concat(["-n", "16", "-d", "lookup", "-d", `model:${STORIES_DRAFT}`, "--controller", "fixed?nodes=3&depth=3"]);

/** What nobody takes apart who reads results. */
const UNREAD = "engine format strict data raw sampling seed maxTokens turns threads context device store plugins hunch"
  .concat(" command facts fastest peakMiB waited memory warnings").split(" ");

const results = () => JSON.parse(readFileSync(join(OUT, "results.json"), "utf8")) as Results;

test("every setting answers every prompt beside plain decoding, with its text, and all reports are written", async () => {
  const { code, stdout, stderr } = await hunch([...BENCH, "--out", OUT]);
  assert.equal(code, 0, stderr);
  const { runs, rows, settings, curve, warnings, prompts } = results();
  assert.deepEqual(settings.map(({ name }) => name), ["plain", "lookup", `model:${STORIES_DRAFT}`]);
  assert.equal(runs.length, 3 * 3);
  assert.deepEqual(prompts, ["openings/1", "middles/3", "openings/2"], "kinds take turns");
  for (const run of runs) {
    assert.equal(run.same, true);
    assert.equal(run.tokens, 16);
    assert.equal(Object.entries(run.widths).reduce((sum, [rows, passes]) => sum + Number(rows) * passes, 0), run.rows);
    assert.ok(run.draftMs + run.verifyMs <= run.decodeMs + 0.01 && run.firstMs > 0);
    if (run.setting === "plain") assert.deepEqual([run.passes, run.rows, run.drafted], [16, 16, 0]);
  }
  const drafted = runs.filter(({ setting }) => setting.startsWith("model"));
  assert.ok(drafted.every(({ rows, passes }) => rows > 2 * passes), "three nodes a round");
  assert.ok(curve.length > 3 && curve.every(({ ms }) => ms > 0));
  assert.ok(warnings.some((warning) => /only 2 prompts of openings, 1 prompt of middles: fewer than 8/.test(warning)));
  const all = rows.find(({ setting, kind }) => setting === "lookup" && kind === undefined)!;
  assert.equal(all.prompts, 3);
  assert.ok(all.speedup!.low <= all.speedup!.median && all.speedup!.median <= all.speedup!.high);
  assert.match(stdout, /^\| lookup \| all \| 3 \| 3 of 3 \|/m);
  assert.match(stderr, /^3\/3 openings: plain /m);
  const html = readFileSync(join(OUT, "report.html"), "utf8");
  assert.equal(html.match(/<svg /g)?.length, 4);
  assert.doesNotMatch(html, /<script|https?:|NaN|undefined/);
  assert.equal(readFileSync(join(OUT, "runs.csv"), "utf8").trim().split("\r\n").length, 1 + runs.length);
});

test("a speed-up is told over the fastest format as well, where that is another", () => {
  const engine = (format: WeightFormat, costs: Partial<Record<WeightFormat, number>>) => ({
    format,
    cost: () => costs[format]!,
    plainCost: (other: WeightFormat) => costs[other] ?? NaN,
  });
  assert.deepEqual(fastestOf(engine("exact", { exact: 10, int8: 8, float32: 20 })), { format: "int8", share: 0.8 });
  assert.deepEqual(fastestOf(engine("int8", { exact: 10, int8: 8 })), { format: "int8", share: 1 });
  assert.equal(fastestOf(engine("exact", { exact: 10 })), undefined, "no other was measured here");

  const measured = results();
  const over = (share: number) => rowsOf({ ...measured, fastest: { format: "int8", share } });
  for (const { setting, speedup, overFastest } of over(0.8)) {
    assert.equal(overFastest!.median, 0.8 * (setting === "plain" ? 1 : speedup!.median));
  }
  assert.ok(over(1).every(({ overFastest }) => overFastest === undefined));
  const told = markdown({ ...measured, fastest: { format: "int8", share: 0.8 }, rows: over(0.8) });
  assert.match(told, /engine: .*; a plain pass in int8, the fastest format here, takes 0\.80 of the time/);
  assert.match(told, /\| over the fastest format \|/);
  const alone = markdown({ ...measured, fastest: undefined });
  assert.match(alone, /engine: .*; no other format was measured here \(hunch model quality\), so nothing is said/);
});

test("a machine that is busy all the time is told by the cores that were not free", () => {
  const busy = (waited?: number) =>
    warningsOf({ ...results(), waited }).filter((line) => /no core was free/.test(line));
  assert.deepEqual([busy(), busy(0.02)], [[], []]);
  assert.deepEqual(busy(0.4), [
    "the machine was busy: for 40% of the time no core was free; close what else runs and measure again",
  ]);
  const { waited } = results();
  assert.ok(process.platform !== "linux" || waited! >= 0 && waited! <= 1, `${waited}`);
});

test("where every answer is too short for a speed, the reports say so and show no table", () => {
  const short = { ...results(), rows: [] };
  for (const text of [markdown(short), html(short)]) assert.match(text, /No answer had 8 tokens/);
  assert.doesNotMatch(markdown(short), /^\|/m);
});

test("it refuses to mix measurements, and goes on with those of a run that was killed", async () => {
  const again = await hunch([...BENCH, "--out", OUT]);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /there are measurements already .*--resume/);
  const other = await hunch([...BENCH, "--out", OUT, "--resume", "--seed", "2"]);
  assert.equal(other.code, 2);
  assert.match(other.stderr, /has other seed: "bench", not "2"/);
  const before = readFileSync(PROMPTS, "utf8");
  writeFileSync(PROMPTS, before.replace("One day", "One night"));
  for (const [more, what] of [[[], "texts"], [["--raw"], "raw"], [["--context", "300"], "context"]] as const) {
    const changed = await hunch([...BENCH, ...more, "--out", OUT, "--resume"]);
    writeFileSync(PROMPTS, before); // the others differ by their option alone
    assert.equal(changed.code, 2);
    assert.match(changed.stderr, new RegExp(`has other ${what}: `));
  }

  const log = join(OUT, "runs.jsonl");
  const lines = readFileSync(log, "utf8").trim().split("\n");
  writeFileSync(log, `${lines.slice(0, 3).join("\n")}\n`);
  appendFileSync(log, Buffer.from(lines[3]).subarray(0, 200)); // killed while it wrote, within a character
  appendFileSync(log, Uint8Array.of(0xe2, 0x82));
  rmSync(join(OUT, "results.json"));
  const resumed = await hunch([...BENCH, "--out", OUT, "--resume"]);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(resumed.stderr.match(/^\d\/3 /gm)?.length, 1, "one prompt was left to measure");
  assert.equal(results().runs.length, 9);
  assert.deepEqual(
    results().runs.slice(0, 6),
    lines.slice(1, 3).flatMap((line) => (JSON.parse(line) as { runs: unknown[] }).runs),
  );
});

test("a log that is none is refused, and what somebody has edited in one is measured again", async () => {
  const log = join(OUT, "runs.jsonl");
  const whole = readFileSync(log, "utf8");
  const [head, ...groups] = whole.trim().split("\n");
  try {
    for (const line of ["1", "null", "{}", "[]", '"x"', '{"plan":null,"started":"x"}']) {
      writeFileSync(log, `${line}\n${groups.join("\n")}\n`);
      const { code, stderr } = await hunch([...BENCH, "--out", OUT, "--resume"]);
      assert.equal(code, 3, line);
      assert.match(stderr, /this is no log of hunch bench \(.*runs\.jsonl\)/, line);
    }
    writeFileSync(log, '{"plan":{},"started":"x"}\n');
    const bare = await hunch([...BENCH, "--out", OUT, "--resume"]);
    assert.equal(bare.code, 2, bare.stderr);
    assert.match(bare.stderr, /has other version: undefined, not \d/);
    const edited = JSON.parse(groups[0]) as { runs: object[] };
    edited.runs[0] = { setting: "plain" };
    writeFileSync(log, [head, JSON.stringify(edited), '{"facts":1,"runs":1}', ...groups.slice(1), ""].join("\n"));
    const { code, stderr } = await hunch([...BENCH, "--out", OUT, "--resume"]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/^\d\/3 /gm)?.length, 1, "one prompt was left to measure");
  } finally {
    writeFileSync(log, whole);
  }
});

test("what cannot be written, a store that is none and a shape that is none are refused in one line", async () => {
  const plain = file("in-the-way", "x");
  for (
    const [more, line] of [
      [
        ["--out", plain],
        /^hunch: this cannot be written: a file is in the place of a folder .*; name another folder with --out$/,
      ],
      [["--out", join(plain, "x")], /^hunch: this cannot be written: .*; name another folder with --out$/],
      [["--out", join(FOLDER, "n"), "--store", "nobodys"], /^hunch: there is no store .*nobodys/],
      [
        ["--out", join(FOLDER, "n"), "--shape", "junk"],
        /^hunch: there is no tree shape "junk"|^hunch: there is no shape "junk"/,
      ],
    ] as const
  ) {
    const { code, stderr } = await hunch([...BENCH, "-q", ...more], { env: { XDG_STATE_HOME: FOLDER } });
    assert.equal(code, 2, stderr);
    assert.match(stderr.trim(), line);
  }
  assert.ok(!existsSync(join(FOLDER, "n")));
});

test("a setting has its colour in every plot, and a long name leaves the plot its room", () => {
  const measured = results();
  const undrafted = measured.rows.map((row) => row.setting === "lookup" ? { ...row, byDepth: [] } : row);
  const colours = (title: string, page: string) => {
    const [, section] = page.split(`<h2>${title}</h2>`);
    return Array.from(
      section.split("</section>")[0].matchAll(/<span class="(s\d)">([a-z]+)/g),
      ([, s, name]) => `${name} ${s}`,
    );
  };
  const page = html({ ...measured, rows: undrafted });
  assert.deepEqual(colours("Speed-up over plain decoding", page), ["lookup s0", "model s1"]);
  assert.deepEqual(colours("Accepted by depth", page), ["model s1"]);
  const kind = "a kind of work with a name that is much longer than any plot is wide, and then some".repeat(3);
  const long = html({ ...measured, facts: [...measured.facts, { ...measured.facts[0], kind }] });
  const places = Array.from(long.matchAll(/<circle cx="([\d.-]+)"/g), ([, x]) => Number(x));
  assert.ok(places.length > 0 && places.every((x) => x >= 0 && x <= 720));
  assert.ok(!long.split("<h2>All numbers")[0].includes(kind));
});

test("--seconds ends it with what was measured by then, and --resume goes on", async () => {
  const many = file(
    "many.jsonl",
    Array.from({ length: 400 }, (_, i) => `"Once upon a time there were ${i}"`).join("\n"),
  );
  const limited = [
    "bench",
    "-m",
    STORIES,
    "--backend",
    "onnx",
    "--format",
    "float32",
    "--threads",
    "1",
    "-n",
    "32",
    "-q",
  ]
    .concat(["--data", many, "--prompts", "400", "-d", "suffix", "--seconds", "1", "--resume", "--json"])
    .concat(["--out", join(FOLDER, "limited")]);
  const measure = async () => {
    const { code, stdout, stderr } = await hunch(limited);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Results;
  };
  const [first, second] = [await measure(), await measure()];
  assert.ok(first.facts.length > 0 && first.facts.length < second.facts.length && second.facts.length < 400);
  assert.equal(first.prompts.length, 400);
  assert.ok(
    first.warnings.some((warning) => warning.startsWith(`stopped before the end: ${first.facts.length} of 400 `)),
  );
  if (!("Bun" in globalThis)) return assert.equal(first.memory, undefined);
  assert.equal(first.memory!.prompts, first.facts.length);
  assert.ok(first.memory!.bytes.suffix > first.memory!.bytes.plain, "answers of earlier prompts");
  const more = Math.max(first.facts.length, second.facts.length - first.facts.length);
  assert.equal(second.memory!.prompts, more, "of the run that answered most");
});

test("answers may be longer than half the context, and names of kinds cannot move the cursor", async () => {
  const out = join(FOLDER, "long");
  const data = file("kinds.jsonl", JSON.stringify({ prompt: "Once upon a time", kind: "a\u001b[2J" }));
  const { code, stdout, stderr } = await hunch([
    ...["bench", "-m", STORIES, "--backend", "onnx", "--format", "float32", "--threads", "1", "--context", "64"],
    ...["--data", data, "-n", "60", "--out", out],
  ]);
  assert.equal(code, 0, stderr);
  const { runs } = JSON.parse(readFileSync(join(out, "results.json"), "utf8")) as Results;
  assert.ok(runs.every(({ tokens, same }) => tokens > 32 && same));
  for (const text of [stdout, stderr, readFileSync(join(out, "report.md"), "utf8")]) {
    assert.doesNotMatch(text, /\u001b/);
  }
});

test("compare finds what became slower beside plain decoding, and nothing else", async () => {
  const measured = results();
  const copies = (text: string) => [1, 2, 3].map((copy) => `${text} ${copy}`); // nine prompts of three
  const before: Results = {
    ...measured,
    prompts: measured.prompts.flatMap(copies),
    texts: measured.texts.flatMap((text) => [text, text, text]),
    runs: measured.runs.flatMap((run) => copies(run.prompt).map((prompt) => ({ ...run, prompt }))),
  };
  const slower = (factor: number): Results => ({
    ...before,
    runs: before.runs.map((run) => run.setting === "lookup" ? { ...run, decodeMs: run.decodeMs * factor } : run),
  });
  const lookup = (after: Results) => differencesOf(before, after, 0.03).find(({ setting }) => setting === "lookup")!;
  assert.equal(lookup(before).ratio.median, 1);
  assert.deepEqual([lookup(slower(1.02)).regression, lookup(slower(1.1)).regression], [false, true]);
  assert.ok(Math.abs(lookup(slower(1.25)).ratio.median - 0.8) < 1e-9);
  const busier = { ...before, runs: before.runs.map((run) => ({ ...run, decodeMs: run.decodeMs * 2 })) };
  assert.equal(lookup(busier).regression, false, "a slower machine is no regression of a drafter");

  const plainFaster = {
    ...before,
    runs: before.runs.map((run) => run.setting === "plain" ? { ...run, decodeMs: run.decodeMs / 2 } : run),
  };
  assert.equal(lookup(plainFaster).regression, false, "plain decoding became faster, the drafter no slower");
  const few = differencesOf(measured, {
    ...measured,
    runs: measured.runs.map((run) => ({ ...run, decodeMs: run.decodeMs * (run.setting === "lookup" ? 2 : 1) })),
  }, 0.03).find(({ setting }) => setting === "lookup")!;
  assert.deepEqual([few.regression, few.tooFew], [false, true]);

  const [a, b] = [file("before.json", JSON.stringify(before)), file("slower.json", JSON.stringify(slower(1.1)))];
  const worse = await hunch(["bench", "compare", a, b]);
  assert.equal(worse.code, 6, worse.stderr);
  assert.match(worse.stdout, /^lookup .* slower$/m);
  assert.doesNotMatch(worse.stdout, /not compared/);
  const named = (from: Results) => JSON.parse(JSON.stringify(from).replaceAll('"lookup"', '"look"')) as Results;
  const apart = await hunch(["bench", "compare", a, file("named.json", JSON.stringify(named(slower(1.1))))]);
  assert.equal(apart.code, 0, apart.stderr);
  assert.match(apart.stdout, /^only in A, and not compared: lookup\nonly in B, and not compared: look$/m);
  const other = file("other.json", JSON.stringify({ ...before, maxTokens: 17, texts: before.texts.map(() => "x") }));
  const refused = await hunch(["bench", "compare", a, other]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /cannot be compared: they differ in maxTokens, text of /);
  await assert.rejects(readResults(PROMPTS), /no result of hunch bench/);
  // Files are edited, merged and cut: whoever reads one says so.
  for (const name of Object.keys(before).filter((name) => !UNREAD.includes(name))) {
    const cut = file("cut.json", JSON.stringify({ ...before, [name]: undefined }));
    await assert.rejects(readResults(cut), { name: "HunchError" }, name);
  }
  for (const [name, value] of [["offeredAt"], ["decodeMs"], ["prompt"], ["decodeMs", 0], ["tokens", 1e400]] as const) {
    const runs = before.runs.map((run) => ({ ...run, [name]: value ?? null }));
    await assert.rejects(readResults(file("cut.json", JSON.stringify({ ...before, runs }))), /no result/, name);
  }
  const [older, newer] = [1, 99].map((version) =>
    file(`version${version}.json`, JSON.stringify({ ...before, version }))
  );
  await assert.rejects(readResults(older), /of an older hunch/);
  await assert.rejects(readResults(newer), /of a newer hunch/);
});

test("a relaxed rule is judged by the target, and pairs that do not go together are left out", async () => {
  const out = join(FOLDER, "relaxed");
  const { code, stderr } = await hunch([
    ...BENCH.slice(0, -4),
    ...[
      "-d",
      `model:${STORIES_DRAFT}`,
      "-n",
      "40",
      "--rule",
      "lenient?lenience=0.05",
      "--rule",
      "token",
      "--rule",
      "judge",
    ],
    ...["--controller", "fixed?nodes=4", "-q", "--out", out],
  ]);
  assert.equal(code, 0, stderr);
  const { rows, settings } = JSON.parse(readFileSync(join(out, "results.json"), "utf8")) as Results;
  assert.ok(settings.every(({ rule }) => rule !== "judge"));
  assert.match(stderr, /judge is left out: /);
  const lenient = rows.find(({ setting, kind }) => /^model.*lenient/.test(setting) && kind === undefined)!;
  assert.equal(lenient.same, undefined);
  const plain = rows.find(({ setting, kind }) => setting === "plain" && kind === undefined)!;
  assert.ok(plain.foreign === 0 && plain.logProbability! < 0, "what the relaxed text is held against");
  assert.ok(lenient.foreign! > 0 && lenient.foreign! < 1 && lenient.logProbability! < 0);
});

test("a prompt's own answer is never drafted from: turns and settings know nothing of each other", async () => {
  const stand = await Stand.open({
    ...{ model: STORIES, backend: "onnx", format: "float32", threads: 1, strict: true, context: undefined },
    ...{ drafter: "none", rule: undefined, controller: undefined, plugins: [], overflow: "truncate" },
    ...{ sampling: GREEDY, seed: "1", maxTokens: 40, raw: true },
  }, () => {});
  try {
    const setting = (name: string, drafter: string) => ({ name, drafter, rule: "greedy", controller: "fixed?nodes=4" });
    const settings = [plainSetting(0), setting("one", "suffix"), setting("two", "suffix")]
      .concat(setting("model", `model:${STORIES_DRAFT}`));
    const task = { id: "1", kind: "a", text: "Once upon a time" };
    const passes: number[][] = [];
    for (const turn of [0, 1]) {
      stand.forgetAnswers();
      passes.push((await measureGroup(stand, settings, task, { turn, seed: "1" }))!.runs.map(({ passes }) => passes));
    }
    assert.equal(passes[0][1], passes[0][2], "two settings of one drafter");
    assert.deepEqual(passes[1], passes[0], "a second turn");
    assert.ok(passes[0][1] < 40 || passes[0][3] < 40, "something was drafted");
    const { passes: again } = (await stand.answer(settings[1], await stand.prompt(task))).run;
    assert.ok(again < passes[0][1], "within a turn a drafter remembers");
    const { bySource } = (await stand.answer(setting("several", "auto"), await stand.prompt(task))).run;
    const counts = Object.values(bySource);
    assert.ok(counts.length > 0 && counts.every(({ judged, accepted }) => accepted <= judged), "told by source");
  } finally {
    stand.close();
  }
});

test("the sets that come with hunch have the kinds of work, spread over the set", async () => {
  const tasks = await tasksOf(DATA_SETS, 3);
  const kinds = Map.groupBy(tasks, ({ kind }) => kind);
  assert.deepEqual([...kinds.keys()].sort(), [
    "BFCL calls",
    "HumanEval",
    "MT-Bench",
    "code edits",
    "question answering",
    "summarisation",
    "translation",
  ]);
  for (const [kind, tasks] of kinds) assert.equal(new Set(tasks.map(({ text }) => text)).size, 3, kind);
  const ids = (kind: string) => kinds.get(kind)!.map(({ id }) => id);
  assert.ok(!ids("code edits").some((id) => ids("HumanEval").includes(id)), "no function twice");
  await assert.rejects(tasksOf(["humanevall"], 1), /no data set "humanevall"/);
  file("bare", "Hello"); // a name without a dot
  const here = process.cwd();
  process.chdir(FOLDER);
  try {
    assert.deepEqual(await tasksOf(["bare"], 1), [{ id: "bare", kind: "bare", text: "Hello" }]);
  } finally {
    process.chdir(here);
  }
  await assert.rejects(tasksOf(["edits", "edits"], 1), /two prompts of the kind "code edits"/);
  const own = file("own.jsonl", '"Hello"\n\n{"prompt": "Hi", "category": "a/b", "id": 7}\n');
  assert.deepEqual(await tasksOf([own], 2), [
    { id: "1", kind: "own.jsonl", text: "Hello" },
    { id: "7", kind: "a b", text: "Hi" },
  ]);
  await assert.rejects(tasksOf([file("bad.jsonl", '{"text": "Hi"}')], 1), /line 1: there is no prompt/);
  for (const field of ["kind", "category", "id"]) {
    const odd = file(`odd-${field}.jsonl`, JSON.stringify({ prompt: "Hi", [field]: { a: 1 } }));
    const refusal = (error: HunchError) => error.line.includes(`line 1: `) && error.line.includes(`field ${field}`);
    await assert.rejects(tasksOf([odd], 1), refusal, field);
  }
});

test("an interval holds the median of what was drawn about as often as it says", () => {
  let state = 7;
  const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
  let held = 0;
  for (let i = 0; i < 100; i++) {
    const { low, high } = interval(Array.from({ length: 25 }, uniform));
    if (low <= 0.5 && 0.5 <= high) held++;
  }
  assert.ok(held > 88 && held < 100, `${held} of 100`);
  const lists = Array.from({ length: 100 }, () => Array.from({ length: 10 }, uniform));
  const drawn = lists.map(interval);
  assert.ok(drawn.every(({ low, high, range }, i) => !range && lists[i].includes(low) && lists[i].includes(high)));
  const few = drawn.filter(({ low, high }) => low <= 0.5 && 0.5 <= high).length;
  assert.ok(few > 90, `${few} of 100`);
  assert.equal(interval([1, 2, 3, 4, 5, 6, 7]).range, true);
  assert.equal(spread([1, 1, 1]), 0);
  assert.deepEqual(interval([5, 1, 2, 3, 4]), { low: 1, median: 3, high: 5, range: true });
  const apart = stratified(Array.from({ length: 12 }, (_, i) => [i]));
  assert.ok(apart.low < 4 && apart.high > 7, "one prompt of each kind is no certainty");
});
