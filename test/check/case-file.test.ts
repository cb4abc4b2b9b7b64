// Cases as JSON: what is no case is refused with its place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCase } from "../../src/check/case-file.ts";
import { HunchError } from "../../src/errors.ts";

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['{"law": "iid", "parents": [-1], "p": [1e308, 1e308], "q": [1, 1]}', /the sum is more than any number .*field p\b/],
  [
    '{"law": "iid", "parents": [-1], "p": [[1, 1], [1, 1], [1, 1]], "q": [[1e308, 1e308]]}',
    /the sum is .*field q\[0\]/,
  ],
  [
    '{"law": "iid", "drafts": 2, "groups": [{"count": 2, "p": 1e308, "q": 1}, {"count": 1, "p": 1, "q": 1}]}',
    /p: the sum is more than any number .*field groups/,
  ],
];

test("rows that cannot be brought to the sum 1 are refused with their place", () => {
  for (const [text, line] of REFUSED) {
    assert.throws(
      () => parseCase(text, "mine.json"),
      (error) => error instanceof HunchError && error.kind === "input" && line.test(error.line),
      text,
    );
  }
  parseCase('{"law": "iid", "parents": [-1], "p": [1e308, 1e307], "q": [5e-324, 0]}', "mine.json");
});
