// What a pass costs is measured by passes; a slow machine is measured less.
import assert from "node:assert/strict";
import { test } from "node:test";
import { interpolateCost, measureCost } from "../../kernels/cost.ts";
import { MeasuredCosts } from "../../kernels/measured-costs.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TableEngine } from "../support/table-engine.ts";

/** Measures an engine whose passes take so long, and tells the widths of all of them. */
async function measured(ms: (width: number, pass: number) => number, past = 16) {
  const widths: number[] = [];
  let now = 0;
  const engine = new TableEngine({
    onPass: ({ tokens }) => {
      widths.push(tokens.length);
      now += ms(tokens.length, widths.length);
    },
  });
  const { points: costs, disturbed } = await measureCost(engine, [1, 2, 4, 8, 16], {
    past,
    repeats: 3,
    clock: () => now,
  });
  assert.equal(engine.opened, 0, "the sequence is closed");
  return { costs, disturbed, widths };
}

test("each width is run in turns, and the fastest of its passes counts", async () => {
  const { costs, widths } = await measured((width, pass) => 10 + width + (pass < 9 ? 5 : 0));
  assert.deepEqual(widths, [1, 1, 16, 1, 2, 4, 8, 16, 1, 2, 4, 8, 16, 1, 2, 4, 8, 16]);
  assert.deepEqual(costs, [1, 2, 4, 8, 16].map((width) => ({ width, ms: 10 + width })));
});

test("what is made at the first pass does not make a machine slow", async () => {
  const { widths } = await measured((_, pass) => pass === 1 ? 10_000 : 1);
  assert.equal(widths.length, 18);
});

test("a slow machine is measured at three widths, once, and after nothing", async () => {
  const { costs, widths } = await measured((width) => 1000 * width);
  assert.deepEqual(widths, [1, 1, 1, 4, 16]);
  assert.deepEqual(costs.map(({ width }) => width), [1, 4, 16]);
  assert.equal(interpolateCost(costs, 10), 10_000);
});

test("more rows never seem to take less", async () => {
  const { costs } = await measured((width) => width === 4 ? 100 : 10 + width);
  assert.deepEqual(costs.map(({ ms }) => ms), [11, 12, 18, 18, 26]);
});

test("a busy machine is told by passes of one width that differ", async () => {
  assert.equal((await measured((width) => 10 + width)).disturbed, 0);
  assert.equal((await measured((width, pass) => 10 + width + (pass === 5 ? 50 : 0))).disturbed, 0, "one pass of many");
  const { disturbed } = await measured((_, pass) => 10 * (1 + pass % 3));
  assert.ok(disturbed >= 0.5, `${disturbed}`);
  assert.equal((await measured((width) => 1000 * width)).disturbed, 0, "each width once");
});

test("what was measured on a busy machine is measured again at the next start, three times at most", async () => {
  const about = { model: "m", format: "exact", provider: "cpu", threads: 1, strict: true } as const;
  /** A start: milliseconds of one row as it has them afterwards, and how many passes it ran for them. */
  const start = async (cacheDir: string, ms: (pass: number) => number, times = 1) => {
    let [now, passes] = [0, 0];
    const engine = new TableEngine({ onPass: () => now += ms(++passes) });
    const costs = new MeasuredCosts({ cacheDir, measured: about, clock: () => now });
    for (let i = 0; i < times; i++) await costs.calibrate(engine, [1, 2, 4]);
    return [costs.of(1), passes];
  };
  const busy = (least: number) => (pass: number) => pass < 7 ? least : 2 * least;
  const passes = 3 + 3 * 3;
  const quiet = temporaryFolder();
  assert.deepEqual(await start(quiet, () => 5), [5, passes]);
  assert.deepEqual(await start(quiet, () => 1), [5, 0], "kept");
  const folder = temporaryFolder();
  assert.deepEqual(await start(folder, busy(9), 2), [9, passes], "once a start");
  assert.deepEqual(await start(folder, () => 5), [5, passes], "now it was quiet");
  assert.deepEqual(await start(folder, () => 1), [5, 0]);
  const restless = temporaryFolder();
  for (const [least, kept] of [[9, 9], [7, 7], [8, 7]]) {
    assert.deepEqual(await start(restless, busy(least)), [kept, passes], "the faster time counts");
  }
  assert.deepEqual(await start(restless, () => 1), [7, 0], "a machine that is always busy is not asked for ever");
});
