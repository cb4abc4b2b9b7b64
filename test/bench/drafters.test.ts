// What suites measure of drafters: all there are, and what they hold.
import { test } from "node:test";
import assert from "node:assert/strict";
import { ONE_OF_EACH, SELF, WITH_DRAFT } from "../../bench/drafters.ts";
import { freedBy } from "../../cli/bench/memory.ts";
import { builtin } from "../../plugins/builtin.ts";
import { parseSpec } from "../../src/plugins/method-spec.ts";

test("suites measure every drafter that comes with hunch", () => {
  const measured = [...ONE_OF_EACH("store"), ...SELF(30), ...WITH_DRAFT].map((spec) => parseSpec(spec).name);
  const all = builtin.filter(({ kind, name }) => kind === "drafter" && name !== "none").map(({ name }) => name);
  assert.deepEqual([...new Set(measured)].sort(), all.sort());
});

test("what is let go tells what it held", async () => {
  const held: { value?: unknown } = { value: { table: new Int32Array(1e6).fill(1), words: new Map([[1, "one"]]) } };
  const bytes = await freedBy(() => held.value = undefined);
  if ("Bun" in globalThis) assert.ok(bytes! > 3.9e6 && bytes! < 6e6, `${bytes}`);
  else assert.equal(bytes, undefined);
});
