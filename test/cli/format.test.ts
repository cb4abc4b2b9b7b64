// --format auto: the format in which the passes of earlier answers would have taken least.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openModel } from "../../src/model/open.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { writeCalibration } from "../../kernels/calibration.ts";
import { chooseFormat, formatWords, SeenPasses } from "../../cli/engine/format.ts";
import { temporaryFolder } from "../support/folder.ts";
import { FOLDER, hunch, STORIES } from "./support/cli.ts";

/** In `exact` a plain pass is cheaper, in `int8` wide ones are. */
const COSTS = new Map<WeightFormat, (rows: number) => number>([
  ["exact", (rows) => 10 * rows],
  ["int8", (rows) => 11 + rows],
]);

test("who drafts little stays with the cheaper plain pass, who is accepted much gets the cheaper wide one", () => {
  const little = { tokens: 10, widths: { 1: 8, 2: 1 } };
  assert.equal(chooseFormat(COSTS, little).format, "exact");
  const much = { tokens: 40, widths: { 1: 2, 8: 8 } };
  const { format, perToken } = chooseFormat(COSTS, much);
  assert.equal(format, "int8");
  assert.equal(perToken.int8, (2 * 12 + 8 * 19) / 40);
  assert.equal(perToken.exact, 10, "drafting would stop where it loses: plain decoding at most");
});

test("exact stays where another saves less than a tenth", () => {
  const plain = { tokens: 7, widths: { 1: 7 } };
  const beside = (ms: number) => new Map<WeightFormat, () => number>([["exact", () => 10], ["int8", () => ms]]);
  assert.equal(chooseFormat(beside(9.1), plain).format, "exact");
  assert.equal(chooseFormat(beside(8.9), plain).format, "int8");
  assert.equal(formatWords(chooseFormat(beside(9.1), plain)), "auto: a token takes 1.10 of its time in int8");
  const three = chooseFormat(new Map([...beside(6), ["float32", () => 8]]), plain);
  assert.equal(formatWords(three), "auto: a token takes 0.60 of its time in exact");
});

test("passes add up by drafter and manner, and older ones fade", async () => {
  const folder = temporaryFolder();
  const source = await openModel(STORIES);
  const once = await SeenPasses.of(source, folder);
  assert.equal(once.read("lookup", "greedy"), undefined);
  once.add("lookup", "greedy", { tokens: 5, widths: { 1: 2, 4: 1 } });
  once.add("lookup", "greedy", { tokens: 3, widths: { 1: 3 } });
  once.add("lookup", "sampled", { tokens: 2, widths: { 1: 2 } });
  once.add("none", "greedy", { tokens: 0, widths: {} });
  once.keep();
  once.keep();
  const later = await SeenPasses.of(source, folder);
  assert.deepEqual(later.read("lookup", "greedy"), { tokens: 8, widths: { 1: 5, 4: 1 } });
  assert.deepEqual(later.read("lookup", "sampled"), { tokens: 2, widths: { 1: 2 } });
  assert.equal(later.read("none", "greedy"), undefined);
  later.add("lookup", "greedy", { tokens: 2992, widths: { 1: 995, 2: 999 } });
  later.keep();
  assert.deepEqual(later.read("lookup", "greedy"), { tokens: 3000, widths: { 1: 1000, 2: 999, 4: 1 } });
  later.add("lookup", "greedy", { tokens: 2, widths: { 1: 2 } });
  later.keep();
  assert.deepEqual(later.read("lookup", "greedy"), { tokens: 1501, widths: { 1: 501, 2: 499.5, 4: 0.5 } });
  for (const broken of ["", "{}", '{"tokens": 0, "widths": {"1": 1}}', '{"tokens": 1, "widths": {"0": 1}}']) {
    for (const name of readdirSync(join(folder, "passes"))) writeFileSync(join(folder, "passes", name), broken);
    assert.equal(later.read("lookup", "greedy"), undefined, broken);
  }
  source.close();
});

test("the first answer is in exact, the next in what its passes would have been quickest in, and says so", async () => {
  const cache = join(FOLDER, "formats");
  const source = await openModel(STORIES);
  const model = await source.hash(cache);
  source.close();
  for (const [format, cost] of COSTS) {
    const points = [1, 32].map((width) => ({ width, ms: format === "int8" ? cost(width) / 2 : cost(width) }));
    writeCalibration(cache, { model, format, provider: "cpu", threads: 1, strict: true }, { points, busy: 0 });
  }
  const line = ["-m", STORIES, "--backend", "onnx", "--threads", "1", "-n", "8", "--raw", "--json", "Once upon"];
  const ask = async (...more: string[]) => {
    const { code, stdout, stderr } = await hunch([...line, ...more], { env: { HUNCH_CACHE: cache } });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const first = await ask();
  assert.deepEqual([first.stats.method.format, first.format], ["exact", undefined]);
  const second = await ask();
  assert.deepEqual([second.stats.method.format, second.format.format], ["int8", "int8"]);
  assert.ok(second.format.tokens >= 8);
  assert.equal((await ask("--drafter", "none")).stats.method.format, "exact", "of this drafter nothing is known");
  assert.equal((await ask("--format", "exact")).format, undefined);
  const { stderr } = await hunch([...line.filter((word) => word !== "--json"), "--summary"], {
    env: { HUNCH_CACHE: cache },
  });
  assert.match(stderr, /onnx:cpu int8 \(auto: a token takes 0\.\d\d of its time in exact\)/);
});
