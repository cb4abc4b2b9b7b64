// Where the two runtimes are, whichever of them asks: the one running this file, or the other one in node_modules.
import { fileURLToPath } from "node:url";

export type Runtime = "bun" | "deno";

/** The repository, with a slash at the end. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** The runtime this file runs in. */
export const CURRENT: Runtime = "Deno" in globalThis ? "deno" : "bun";

/** The command line that starts `runtime`; arguments follow. */
export function command(runtime: Runtime): string[] {
  if (runtime === CURRENT) {
    return [process.execPath, ...runtime === "bun" ? [`--config=${ROOT}scripts/bunfig.toml`] : []];
  }
  // Both packages link their binary on first use; their own launchers know how.
  return runtime === "deno" ? ["node", `${ROOT}node_modules/deno/bin.cjs`] : ["node", `${ROOT}scripts/bun.mjs`];
}
