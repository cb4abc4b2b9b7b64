// What a pass costs is measured by passes; a slow machine is measured less.
import assert from "node:assert/strict";
import { test } from "node:test";
import { interpolateCost, measureCost } from "../../kernels/cost.ts";
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
  const costs = await measureCost(engine, [1, 2, 4, 8, 16], { past, repeats: 3, clock: () => now });
  assert.equal(engine.opened, 0, "the sequence is closed");
  return { costs, widths };
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
