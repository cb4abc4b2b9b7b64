// What people read: summaries, errors, tables, marked text.
import { test } from "node:test";
import assert from "node:assert/strict";
import { HunchError } from "../../src/errors.ts";
import type { Stats } from "../../src/stats.ts";
import { complain, describe } from "../../cli/output/failure.ts";
import { paintFor } from "../../cli/output/colour.ts";
import { ClosedPipe, stderr, type Stream } from "../../cli/output/streams.ts";
import { shortSummary, type Summary, summaryLines } from "../../cli/output/summary.ts";
import { bytes, count, table } from "../../cli/output/table.ts";
import { AnswerWriter } from "../../cli/output/writer.ts";

const STATS: Stats = {
  promptTokens: 96,
  droppedTokens: 0,
  reusedTokens: 0,
  tokens: 200,
  rounds: 100,
  passes: 100,
  rows: 400,
  widths: { 4: 100 },
  drafted: 240,
  accepted: 100,
  leftOut: 0,
  bySource: {},
  offeredAt: [100, 80, 0],
  acceptedAt: [61, 39, 0],
  prefillMs: 400,
  firstTokenMs: 410,
  draftMs: 50,
  verifyMs: 4850,
  decodeMs: 5000,
  calibrateMs: 0,
  method: {
    drafter: "lookup",
    rule: "greedy",
    controller: "cost",
    engine: "onnx:cpu",
    format: "exact",
    lossless: true,
  },
  plainMs: 37,
  speedup: { value: 1.48, how: "measured" },
  plainRounds: 0,
};
const SUMMARY: Summary = { stats: STATS, finish: "end", maxTokens: 512, context: 8192 };
const plain = paintFor(stderr, "never");
const say = (summary: Summary) => summaryLines(summary, plain).join("\n");

test("a summary tells speed, acceptance by depth, where the time went and the speed-up", () => {
  const overFastest = { value: 1.21, format: "int8", how: "estimated" } as const;
  assert.equal(
    say({ ...SUMMARY, overFastest }),
    [
      "40 tokens/s · 2.00 tokens per pass · 200 tokens in 5.00 s · first after 0.41 s (prompt 96)",
      "100 accepted of 240 drafted · by depth 61 49 0 % · time: drafting 1%, verifying 97%, other 2%",
      "1.48× plain decoding in exact (measured) · 1.21× the fastest, int8 (estimated)",
      "lookup, greedy, cost · onnx:cpu exact · lossless",
    ].join("\n"),
  );
  assert.match(say({ ...SUMMARY, format: "auto: because" }), /· onnx:cpu exact \(auto: because\) · lossless$/);
});

test("a summary tells how often each source of a draft was right", () => {
  const bySource = { recycled: { judged: 3, accepted: 1 }, "match of 8+": { judged: 20, accepted: 19 } };
  assert.match(
    say({ ...SUMMARY, stats: { ...STATS, bySource } }),
    /^accepted by source: match of 8\+ 95% of 20 · recycled 33% of 3$/m,
  );
});

test("a summary says where drafting lost, where text was dropped and where a rule is relaxed", () => {
  const method = { ...STATS.method, rule: "typical", lossless: false };
  const text = say({ ...SUMMARY, stats: { ...STATS, method, plainRounds: 40, droppedTokens: 7 }, finish: "context" });
  assert.match(text, /drafting stopped for 40 of 100 rounds, where it lost/);
  assert.match(text, /7 oldest prompt tokens dropped/);
  assert.match(text, /the context of 8192 tokens is full/);
  assert.match(text, /relaxed: the text may differ/);
  assert.doesNotMatch(text, /lossless/);
});

test("a summary of plain decoding has no words about drafts", () => {
  const stats = { ...STATS, drafted: 0, accepted: 0, offeredAt: [], acceptedAt: [], speedup: undefined };
  assert.equal(summaryLines({ ...SUMMARY, stats, seed: "7" }, plain).length, 2);
  assert.match(say({ ...SUMMARY, stats, seed: "7" }), /seed 7/);
  assert.equal(shortSummary({ ...SUMMARY, stats }), "200 tokens · 40 tokens/s");
});

test("nothing was generated, and the summary still adds up", () => {
  const stats = { ...STATS, tokens: 0, passes: 0, decodeMs: 0, drafted: 0, speedup: undefined };
  assert.doesNotMatch(say({ ...SUMMARY, stats }), /NaN|Infinity/);
});

test("whatever is thrown becomes one line", () => {
  const broken = new HunchError("input", "no\nsuch thing", { file: "a.gguf", offset: 4, hint: "try again" });
  assert.equal(describe(broken), "no such thing (a.gguf, at byte 4); try again");
  assert.match(describe(new TypeError("x is\n undefined")), /^x is undefined; this is a bug of hunch/);
  assert.match(describe(Object.assign(new Error("write"), { code: "ENOSPC" })), /^no space left/);
  for (const code of ["EDQUOT", "EFBIG", "EIO"]) {
    const error = Object.assign(new Error("write"), { code, path: "/a" });
    assert.match(describe(error), /^[^;]+ \(\/a\); /, code);
    assert.equal(complain(error, false), 4);
  }
  assert.match(describe("odd"), /^odd; this is a bug/);
  assert.equal(complain(new ClosedPipe("gone"), false), 0);
});

test("tables are aligned, and numbers are short", () => {
  assert.deepEqual(table([["a", "10"], ["long", "9"]], [1]), ["a     10", "long   9"]);
  assert.deepEqual([0, 999, 1000, 98_400_000, 2.5e9].map(bytes), [
    "0 bytes",
    "999 bytes",
    "1.0 kB",
    "98.4 MB",
    "2.5 GB",
  ]);
  assert.deepEqual([512, 134_515_008, 1.7e9].map(count), ["512", "135 M", "1.7 B"]);
});

test("on a terminal a model's control characters are shown and not obeyed; in a pipe nothing is touched", () => {
  const written = (terminal: boolean) => {
    let out = "";
    const stream = { terminal, write: (text: string) => out += text, line: () => out += "\n" };
    const writer = new AnswerWriter(stream as unknown as Stream, paintFor(stderr, "always"));
    writer.write({ text: "a\x1b[2Jb\tc\n", tokens: Int32Array.of(1, 2), accepted: 1, acceptedText: 1 });
    writer.end();
    return out;
  };
  assert.equal(written(true), "\x1b[32ma\x1b[39m\u241b[2Jb\tc\n");
  assert.equal(written(false), "\x1b[32ma\x1b[39m\x1b[2Jb\tc\n");
});
