// A cache folder that lives as long as a test file.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function temporaryCache(after: (done: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), "hunch-test-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
