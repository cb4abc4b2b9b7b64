// Fields of objects that somebody else wrote: what is wrong is told with its place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { Fields } from "../../src/fields.ts";

const refuse = (must: string, field: string) => new HunchError("input", must, { file: "x.json", field });
const of = (value: unknown) => Fields.of(value, refuse);

function refused(run: () => unknown, line: RegExp): void {
  assert.throws(run, (error) => error instanceof HunchError && line.test(error.line), String(line));
}

test("a field is what it must be, or is refused at its place, also inside a list", () => {
  const fields = of({ n: 3, t: "a", b: false, points: [{ ms: 1 }, { ms: "fast" }], nothing: null });
  assert.equal(fields.required("n", "number"), 3);
  assert.equal(fields.optional("t", "string"), "a");
  assert.equal(fields.optional("b", "boolean"), false);
  assert.equal(fields.choice("t", ["a", "b"]), "a");
  refused(() => fields.required("t", "number"), /a number.*field t\b/);
  refused(() => fields.each("points", (point) => point.required("ms", "number")), /a number.*field points\[1\]\.ms/);
  refused(() => fields.choice("t", ["b", "c"]), /one of b, c.*field t\b/);
});

test("null and what is left out are the same, and neither is there where it must be", () => {
  const fields = of({ nothing: null });
  for (const name of ["nothing", "absent"]) {
    assert.equal(fields.has(name), false);
    assert.equal(fields.optional(name, "string"), undefined);
    assert.equal(fields.whole(name, 1), undefined);
    refused(() => fields.required(name, "string"), new RegExp(`text.*field ${name}`));
    refused(() => fields.list(name), new RegExp(`a list.*field ${name}`));
  }
});

test("whole numbers keep to their range, lists to their length, and only an object has fields", () => {
  const fields = of({ n: 2.5, m: 9, empty: [], many: [1, 2, 3] });
  refused(() => fields.whole("n", 0), /a whole number, at least 0/);
  refused(() => fields.whole("m", 0, 8), /a whole number from 0 to 8/);
  refused(() => fields.list("empty"), /a list/);
  refused(() => fields.list("many", "at most two", 2), /at most two/);
  for (const value of [null, [], "text", 1, undefined]) refused(() => of(value), /an object/);
});
