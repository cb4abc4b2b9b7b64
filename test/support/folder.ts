// Temporary folders that are gone when the process ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let root: string | undefined;

/** A new, empty folder of this process. */
export function temporaryFolder(): string {
  if (root === undefined) {
    const made = root = mkdtempSync(join(tmpdir(), "hunch-test-"));
    const remove = () => rmSync(made, { recursive: true, force: true });
    process.on("exit", remove);
    if ("Deno" in globalThis) globalThis.addEventListener("unload", remove); // its tests end without an exit
  }
  return mkdtempSync(join(root, "folder-"));
}
