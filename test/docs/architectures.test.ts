// docs/architectures.md says what opens; the code knows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ARCHITECTURES } from "../../src/model/architectures/mod.ts";

const PAGE = readFileSync(new URL("../../docs/architectures.md", import.meta.url), "utf8");

test("the families that the page says open are known by their model_type, and the others are not", () => {
  const known = new Set(ARCHITECTURES.flatMap(({ huggingFace, multimodal = [] }) => [huggingFace, ...multimodal]));
  const rows = [...PAGE.matchAll(/^\| ([^|]+?) +\| `(\w+)` +\| (yes|not yet) /gm)];
  assert.ok(rows.length >= 40, `${rows.length} families`);
  for (const [, family, type, opens] of rows) assert.equal(known.has(type), opens === "yes", `${family}: ${type}`);
});
