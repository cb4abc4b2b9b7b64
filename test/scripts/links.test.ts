// Links of documents, on pages small enough to see through.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { brokenLinks } from "../../scripts/links.ts";

test("a link that leads to no file or no heading is told with its page", () => {
  const root = mkdtempSync(join(tmpdir(), "hunch-links-"));
  try {
    mkdirSync(join(root, "docs"));
    writeFileSync(join(root, "README.md"), "[a](docs/a.md#two-words) [b](https://example.com/x) [c](docs/none.md)");
    writeFileSync(
      join(root, "docs/a.md"),
      "# Two words\n\n[up](../README.md) [own](#three)\n\n```\n[code](none)\n```\n",
    );
    assert.deepEqual(brokenLinks(root, ["README.md", "docs/a.md"]), [
      "README.md: there is no docs/none.md",
      "docs/a.md: docs/a.md has no heading #three",
    ]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
