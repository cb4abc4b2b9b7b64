// Where the time of a pass goes: every node of a pass is told once, and what an `If` takes is told by what is in it.
import { test } from "node:test";
import assert from "node:assert/strict";
import { nodeTimes, summed } from "../../bench/nodes.ts";
import { ROOT } from "../../scripts/runtimes.ts";

test("a pass of a real model is told by its operators, the dearest first", async () => {
  const all = await nodeTimes(`${ROOT}test/fixtures/stories260k/stories260K.bin`, "float32", 2, 3);
  const products = all.filter(({ operator }) => /MatMul/.test(operator));
  assert.ok(products.some(({ columns, count }) => columns === 512 && count === 1), "the head, once");
  const { bytes } = products.find(({ columns }) => columns === 512)!;
  assert.equal(bytes, 4 * 512 * 64, "the head's weights");
  assert.ok(all.every(({ ms, count }) => ms >= 0 && count > 0));
  assert.ok(all.every(({ ms }, i) => i === 0 || ms <= all[i - 1].ms));
  assert.ok(!all.some(({ operator }) => operator === "If"));
});

test("only the last passes count, and each group is the median of its sums", () => {
  const run = (ts: number) => ({ cat: "Session", name: "model_run", ts, dur: 100 });
  const node = (ts: number, dur: number, op_name = "Add") => ({
    cat: "Node",
    name: "n",
    ts,
    dur,
    args: { op_name, output_type_shape: [{ float: [1, 4] }] },
  });
  const events = [run(0), node(1, 90), run(200), node(201, 10), node(220, 20), node(215, 40, "If"), run(400)]
    .concat([node(401, 30), node(440, 20)]);
  const bytes = new Map([["n", 8]]);
  assert.deepEqual(summed(events, 2, bytes), [{ operator: "Add", columns: 4, count: 2, bytes: 16, ms: 0.04 }]);
});
