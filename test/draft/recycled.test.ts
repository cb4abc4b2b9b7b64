// Recycled against two plain maps that forget nothing: whatever it tells was seen, and the latest.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Recycled } from "../../src/draft/recycled.ts";

const row = (...pairs: [number, number][]) => ({
  tokens: Int32Array.from(pairs, ([token]) => token),
  probabilities: Float32Array.from(pairs, ([, probability]) => probability),
});

test("two tokens tell more than one, and one more than none", () => {
  const recycled = new Recycled(2);
  recycled.see(1, 2, row([7, 0.5], [8, 0.25]));
  recycled.see(3, 2, row([9, 0.75]));
  assert.deepEqual(recycled.after(1, 2), { row: row([7, 0.5], [8, 0.25]), pair: true });
  assert.deepEqual(recycled.after(3, 2), { row: row([9, 0.75], [-1, 0]), pair: true });
  assert.deepEqual(recycled.after(4, 2), { row: row([9, 0.75], [-1, 0]), pair: false });
  assert.equal(recycled.after(2, 1), undefined);
});

test("what it tells is the latest of what was seen, for any tokens", () => {
  const token = fc.integer({ min: -1, max: 60_000 });
  fc.assert(fc.property(fc.array(fc.tuple(token, token.filter((t) => t >= 0), fc.nat(50_000))), (seen) => {
    const recycled = new Recycled(1);
    const pairs = new Map<string, number>(), singles = new Map<number, number>();
    for (const [before, last, next] of seen) {
      recycled.see(before, last, row([next, 1]));
      pairs.set(`${before} ${last}`, next);
      singles.set(last, next);
    }
    let told = 0;
    for (const [before, last] of seen) {
      const after = recycled.after(before, last);
      if (after === undefined) continue; // another took the slot
      told++;
      assert.equal(after.row.tokens[0], after.pair ? pairs.get(`${before} ${last}`) : singles.get(last));
    }
    if (seen.length > 0) assert.ok(told > 0);
  }));
});
