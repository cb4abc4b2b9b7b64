// What drafters that look into a model see of it: hidden states of every tap, of a tree, whole and with blocks left out.
import assert from "node:assert/strict";
import type { Engine, Rows, Scores, Tap } from "../../../src/backend.ts";
import { allLogits } from "../../../src/check/conformance/engine-bench.ts";

const PARENTS = Int32Array.of(-1, -1, -1, 1, 1, 1, 4, 4, 4);

/** Holds the states and logits of nine tokens as a tree to those of another engine of the same model. */
export async function insideAgrees(engine: Engine, oracle: Engine, text: Int32Array, tolerance: number): Promise<void> {
  const depth = engine.source.spec.layers.length;
  const taps: readonly Tap[] = [...engine.source.spec.layers.keys(), depth, "head"];
  const [own, other] = [engine.open(), oracle.open()];
  const rows: Rows = { tokens: text.slice(0, PARENTS.length), parents: PARENTS, taps };
  // A path of the whole tree is kept, and the one with blocks left out goes on from there.
  for (const skip of [undefined, { attention: [depth - 1], feedForward: [0] }]) {
    const [scores, wanted] = [await own.forward({ ...rows, skip }), await other.forward({ ...rows, skip })];
    const how = skip ? "with blocks left out" : "of a tree";
    for (const tap of taps) near(statesOf(scores, tap), statesOf(wanted, tap), tolerance, `states of ${tap} ${how}`);
    near(allLogits(scores).flatMap((row) => [...row]), allLogits(wanted).flatMap((row) => [...row]), tolerance, how);
    for (const sequence of [own, other]) sequence.keep(Int32Array.of(1, 4, 7));
  }
  own.close();
  other.close();
}

function statesOf(scores: Scores, tap: Tap): ArrayLike<number> {
  assert.ok(scores.states, "no states");
  return scores.states(tap);
}

function near(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, wanted.length, what);
  const values = Array.from(wanted);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const off = values.reduce((worst, value, i) => Math.max(worst, Math.abs(actual[i] - value)), 0);
  assert.ok(largest > 0 && off <= tolerance * largest, `${what}: off by ${off} of ${largest}`);
}
